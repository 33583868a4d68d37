package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"
)

// Store keeps contents. Its methods may be called concurrently, and all but
// Close any number of times for the same content with the same result. Package
// media/storetest is this contract as tests.
type Store interface {
	// Put reads a content to its end and keeps it. Until it returns, nobody
	// can see the content; from then on it survives a crash of the machine. A
	// content that is there already is kept once.
	//
	// The errors are ErrEmpty, ErrTooLarge, ErrUnavailable, ErrClosed, the
	// context's, whatever the reader returned (errors.As finds it), or the disk's.
	// After one of them nothing may be said of the content but that no half of it is there.
	// The reader is not closed, and only it can end a Read that hangs.
	Put(ctx context.Context, content io.Reader, limits Limits) (Object, error)

	// Open gives a content, which the caller closes. It can be read once from
	// its beginning, or at any place after a Seek. The context must last until
	// then: it may end the reading. The errors are ErrNotFound, ErrUnavailable
	// and ErrClosed, or the disk's.
	Open(ctx context.Context, h Hash) (io.ReadSeekCloser, Object, error)

	// Stat says what is known of a content. Errors are Open's.
	Stat(ctx context.Context, h Hash) (Object, error)

	// Delete removes a content for everybody. One that is not there is no
	// error. Readers that have it open may or may not read on.
	Delete(ctx context.Context, h Hash) error

	// Discard removes a content that was last put before an instant. One that
	// was put since then stays: whoever put it is about to refer to it. When it
	// is put at this very moment, either it stays or it is put anew. One that is
	// not there is no error.
	Discard(ctx context.Context, h Hash, putBefore time.Time) error

	// Walk visits every content with the time at which it was last put, in no
	// order. What comes or goes meanwhile may be visited or not. It ends with
	// the first error of visit, which it returns.
	Walk(ctx context.Context, visit func(h Hash, put time.Time) error) error

	// Close gives the store back. Every later call answers ErrClosed.
	Close() error
}

// Object is what a store knows of a content.
type Object struct {
	Hash Hash
	// Size is in bytes, never 0.
	Size int64
	// Type is what the content looks like, for example "image/jpeg", whatever
	// anybody called it; "application/octet-stream" if it looks like nothing.
	// See Settle.
	Type string
}

// Limits bound what Put takes.
type Limits struct {
	// Bytes is the most that a content may have; 0 means DefaultBytes.
	Bytes int64
}

// DefaultBytes is the limit where none is set.
// Meta: media, a document has 100 MB at most.
const DefaultBytes = 100 << 20

// Errors of a Store.
var (
	// ErrNotFound says that there is no such content.
	ErrNotFound = errors.New("no such content")
	// ErrEmpty says that a content had no bytes, which is always a mistake.
	ErrEmpty = errors.New("the content is empty")
	// ErrTooLarge says that a content has more bytes than the limit.
	ErrTooLarge = errors.New("the content is larger than the limit")
	// ErrUnavailable says that the store cannot be reached, or will not do now
	// what it is asked for. What was asked for may be tried again.
	ErrUnavailable = errors.New("the media store is not available")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("the media store is closed")
)

// Open opens the store at an address: "file:///var/lib/parley/media" for a
// directory, which is made if need be, "file://./media" for one below the
// working directory, or "mem://" for memory. The error names what is wrong
// with the address. What is in a bucket is opened by package media/bucket.
func Open(address string) (Store, error) {
	path, err := DirectoryOf(address)
	switch {
	case err != nil:
		return nil, err
	case path == "":
		return NewMemory(), nil
	}
	return OpenDirectory(path)
}

// DirectoryOf gives the directory of the store at an address, or "" for memory.
// Errors are those of Open for what is no address.
func DirectoryOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("media address: %w", err)
	}
	switch {
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return "", fmt.Errorf("media address %s: only a scheme and a path are known", u.Redacted())
	case u.Scheme == "mem":
		return "", nil
	case u.Scheme == "file" && u.Path != "" && (u.Host == "" || u.Host == "localhost"):
		return u.Path, nil
	case u.Scheme == "file" && u.Path != "" && u.Host == ".":
		return "." + u.Path, nil
	}
	return "", fmt.Errorf("media address %s: none of file:///a/directory, s3://bucket and mem://", u.Redacted())
}
