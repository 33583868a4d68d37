package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"parley"
)

// takeBackup makes a backup of a data directory.
func takeBackup(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("backup", flag.ContinueOnError)
	flags.SetOutput(out)
	to := flags.String("to", "", "directory that the backup is made in")
	keys := flags.Bool("with-keys", false, "put the master key and the certificates into the backup, too")
	for _, s := range []string{"data", "events", "media", "master-key-file"} {
		flags.String(s, "", "as the server has it; see parley serve --help")
	}
	flags.Usage = func() {
		fmt.Fprint(out, "Usage: parley backup [--data directory] --to directory [--with-keys]\n\n"+
			"Makes a backup of a data directory, whether the server runs or not: the log, with everything that was\n"+
			"acknowledged before, and the media. It gets a directory of its own, named by the time, once it is whole\n"+
			"and on the disk; media that an earlier backup there has are shared with it. Read models are not in it,\n"+
			"since they are folded anew.\n\n"+
			"Nor are the keys, unless --with-keys is said: the log has credentials as they are sealed, and whoever\n"+
			"has the log and the master key has the credentials. Keep the master key elsewhere. A log in an\n"+
			"EventStoreDB is backed up there.\n\n")
		flags.PrintDefaults()
	}
	if err := parseAll(flags, args); err != nil {
		return err
	}
	if *to == "" {
		return errors.New("say --to, the directory that the backup is made in")
	}
	var given []string
	flags.Visit(func(f *flag.Flag) {
		if f.Name != "to" && f.Name != "with-keys" {
			given = append(given, "--"+f.Name, f.Value.String())
		}
	})
	config, err := parley.LoadConfig("backup", given, os.Getenv, out)
	if err != nil {
		return err
	}
	return parley.Backup(ctx, config, *to, *keys, out)
}

// restore puts a backup into a new data directory.
func restore(ctx context.Context, args []string, out io.Writer) error {
	var o parley.RestoreOptions
	flags := flag.NewFlagSet("restore", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.From, "from", "", "the backup, or a directory of backups, of which the newest is meant")
	flags.StringVar(&o.Data, "data", cmp.Or(os.Getenv("PARLEY_DATA"), "./data"), "data directory to make, or PARLEY_DATA in the environment; it must be empty or not there")
	flags.StringVar(&o.Key, "master-key-file", "", "file with the master key, for a backup without it; it is copied into the data directory")
	flags.BoolVar(&o.WithoutKey, "without-key", false, "put no master key into the data directory")
	flags.Usage = func() {
		fmt.Fprint(out, "Usage: parley restore --from directory [--data directory] [--master-key-file file | --without-key]\n\n"+
			"Puts a backup into a data directory that is empty or not there. The whole backup is verified before\n"+
			"anything is written, and that the master key is the right one.\n\n")
		flags.PrintDefaults()
	}
	if err := parseAll(flags, args); err != nil {
		return err
	}
	if o.From == "" {
		return errors.New("say --from, the backup to restore")
	}
	return parley.Restore(ctx, o, out)
}

// parseAll parses flags, and refuses what is none.
func parseAll(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s takes no argument %q; see parley %s --help", flags.Name(), flags.Arg(0), flags.Name())
	}
	return nil
}
