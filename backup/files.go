package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copyFile copies a file to a new one, which is its owner's alone and on the disk
// afterwards, and gives its size and SHA-256.
func copyFile(ctx context.Context, from, to string) (size int64, sum string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return 0, "", err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, "", err
	}
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(out, hash), patient{ctx, in})
	if err == nil {
		err = out.Sync()
	}
	return size, hex.EncodeToString(hash.Sum(nil)), errors.Join(err, out.Close())
}

// sumFile gives a file's size and SHA-256.
func sumFile(ctx context.Context, path string) (size int64, sum string, err error) {
	in, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	hash := sha256.New()
	size, err = io.Copy(hash, patient{ctx, in})
	return size, hex.EncodeToString(hash.Sum(nil)), errors.Join(err, in.Close())
}

// writeFile writes a small file that is on the disk afterwards.
func writeFile(path string, content []byte) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(content)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// patient is a reader that ends with a context, between two reads.
type patient struct {
	ctx context.Context
	io.Reader
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.Reader.Read(b)
}

// syncDir brings the names in a directory to the disk.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// syncDirs does so for a directory and all below it.
func syncDirs(path string) error {
	return filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return syncDir(path)
	})
}

// filesBelow lists the files of a directory, by their paths within it; none if
// there is no such directory.
func filesBelow(dir string) (paths []string, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case path == dir && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || !entry.Type().IsRegular():
			return err
		}
		within, err := filepath.Rel(dir, path)
		paths = append(paths, within)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look into %s: %w", dir, err)
	}
	return paths, nil
}
