package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"parley/backup"
	"parley/media"
)

// Backup makes a backup of the data directory in a directory of backups, beside
// a server that runs on it or without one, and tells what it came to. The master
// key and the certificates are in it only if that is said: whoever has both the
// log and the key has the credentials.
func Backup(ctx context.Context, c Config, to string, keys bool, out io.Writer) error {
	if !isLocal(c.Events) {
		return errors.New("PARLEY_EVENTS says that the log is in an EventStoreDB, which has means of its own to be backed up; " +
			"nothing was done, since a backup without the log could not be restored. Back up the media store and the master key as files")
	}
	var files string // "" where the media are in a bucket
	if !inBucket(c) {
		var err error
		if files, err = media.DirectoryOf(c.Media); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(c.Data, "log", "log.db")); err != nil {
		return fmt.Errorf("there is no log in %s", c.Data)
	}
	began := time.Now()
	path, m, err := backup.Take(ctx, backup.Places{
		Log: filepath.Join(c.Data, "log"), Media: files, Key: c.MasterKeyFile, Certs: certsDir(c),
	}, to, keys)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Backup %s: the log up to position %d, and %d files of media, of which %d are shared with the backup before; %d bytes, in %v.\n",
		path, m.Position, m.Contents, m.Linked, m.Bytes, time.Since(began).Round(time.Millisecond))
	if files == "" {
		fmt.Fprintln(out, "The media are not in it: PARLEY_MEDIA says that they are in a bucket, which has means of its own.")
	}
	switch {
	case m.Keys:
		fmt.Fprintln(out, "The master key is in it: whoever has this backup can open the credentials in it.")
	case m.Key == "":
		fmt.Fprintf(out, "There is no master key in %s, so a restore cannot check that it has the right one.\n", c.MasterKeyFile)
	default:
		fmt.Fprintf(out, "The keys are not in it. Keep %s elsewhere: without it no credential can be opened.\n", c.MasterKeyFile)
	}
	return nil
}

// RestoreOptions say what is restored, and where.
type RestoreOptions struct {
	// From is a backup, or a directory of them, of which the newest is meant.
	From string
	// Data is a data directory that is empty or not there.
	Data string
	// Key is a file with the master key, for a backup without it; WithoutKey
	// says that none is to be put into the data directory.
	Key        string
	WithoutKey bool
}

// Restore puts a backup into a new data directory, and tells what it came to.
func Restore(ctx context.Context, o RestoreOptions, out io.Writer) error {
	path, m, err := backup.Restore(ctx, o.From, o.Data, backup.KeyFile{Path: o.Key, None: o.WithoutKey})
	if errors.Is(err, backup.ErrKey) && o.Key == "" && !o.WithoutKey {
		return fmt.Errorf("%w: name it with --master-key-file, or say --without-key", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Restored %s, taken at %s: the log up to position %d, and %d files of media in %s.\n",
		path, m.Taken.Format(time.DateTime), m.Position, m.Contents, filepath.Join(o.Data, "media"))
	if o.WithoutKey {
		fmt.Fprintln(out, "Put the master key where PARLEY_MASTER_KEY_FILE says before a server starts.")
	}
	return nil
}

// checkWhole refuses a data directory that a backup is half restored into.
func checkWhole(data string) error {
	if backup.Unfinished(data) {
		return fmt.Errorf("a restore into %s was not finished: empty it and restore again", data)
	}
	return nil
}
