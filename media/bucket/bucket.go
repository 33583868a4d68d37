package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"

	"parley/media"
)

// Config says which bucket, and what is needed to use it.
type Config struct {
	// Address names the bucket: "s3://name?region=eu-central-1&prefix=parley/".
	// The parameters are those of gocloud.dev/blob/s3blob, and prefix.
	// Credentials come from where AWS's tools look for them.
	Address string
	// Drafts is the directory in which contents wait while they are put. It is
	// made if need be. Nothing in it outlives the process.
	Drafts string
	// Dial connects with the service; nil is over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Store is a store in a bucket. See [media.Store].
type Store struct {
	name, prefix string
	drafts       string
	settings     s3blob.Options
	client       *s3.Client
	bucket       *blob.Bucket
	clock        *clock
	network      *http.Client
	closed       atomic.Bool
}

// Open makes a store of a bucket, without asking the bucket anything: see
// [Store.Check]. The error says what is wrong with the address or the drafts.
func Open(ctx context.Context, c Config) (*Store, error) {
	at, err := parse(c.Address)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Drafts, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of drafts: %w", err)
	}
	s := &Store{name: at.name, prefix: at.prefix, drafts: c.Drafts}
	if err := s.connect(ctx, at, c.Dial); err != nil {
		return nil, fmt.Errorf("media address s3://%s: %w", at.name, err)
	}
	return s, nil
}

// key is the name of an object in the bucket.
func (s *Store) key(parts ...string) string { return s.prefix + strings.Join(parts, "/") }

// Close gives the bucket back. What is being put goes on, or fails. See
// [media.Store].
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.network.CloseIdleConnections()
	return s.bucket.Close()
}

// failed is the error of something that the bucket did not do.
func failed(ctx context.Context, doing string, err error) error {
	if ended := context.Cause(ctx); ended != nil {
		return fmt.Errorf("%s: %w", doing, ended)
	}
	switch {
	case errors.Is(err, media.ErrNotFound):
		return err
	case errors.Is(err, io.EOF): // nobody may take it for the end of a content
		return fmt.Errorf("%s: %w: %v", doing, media.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, media.ErrUnavailable, err)
}
