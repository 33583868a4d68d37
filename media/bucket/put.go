package bucket

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"parley/media"
)

// maxBytes is the largest content that is put in one piece. Several pieces
// would stay in the bucket, unseen and paid for, when a crash comes between.
// Source: Amazon S3 user guide, "Uploading objects", a single PUT.
const maxBytes = 5 << 30

// Put keeps a content. See [media.Store].
//
// The content waits in a file of this machine until its hash is known. That
// file can be sent again if need be, and is not sent at all if the bucket has
// the content already.
func (s *Store) Put(ctx context.Context, content io.Reader, limits media.Limits) (media.Object, error) {
	o, err := s.put(ctx, content, limits)
	if err != nil {
		return media.Object{}, fmt.Errorf("put media: %w", err)
	}
	return o, nil
}

func (s *Store) put(ctx context.Context, content io.Reader, limits media.Limits) (o media.Object, err error) {
	if s.closed.Load() {
		return media.Object{}, media.ErrClosed
	}
	draft, err := s.draft()
	if err != nil {
		return media.Object{}, err
	}
	defer func() { err = errors.Join(err, draft.Close()) }()
	limits.Bytes = min(limits.Bytes, maxBytes)
	if o, err = media.Take(ctx, draft, content, limits); err != nil {
		return media.Object{}, err
	}
	return o, s.keep(ctx, draft, o)
}

// draft makes a file that has no name any more: however the process ends, its
// bytes go with it.
func (s *Store) draft() (*os.File, error) {
	f, err := os.CreateTemp(s.drafts, "")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// keep makes an edition of a content that nobody has discarded before it is
// there. Then the older ones may go.
func (s *Store) keep(ctx context.Context, draft *os.File, o media.Object) error {
	all, err := s.editions(ctx, o.Hash)
	if err != nil {
		return err
	}
	key := s.key(folder, o.Hash.String(), rand.Text())
	if len(all) == 0 {
		return s.send(ctx, key, draft, o)
	}
	switch e := all[len(all)-1]; {
	case e.size != o.Size: // somebody has spoilt it
		err = s.send(ctx, key, draft, o)
	case s.isShared(e):
		return nil
	default:
		if s.bucket.Copy(ctx, key, e.key, nil) != nil { // it only saves the way
			err = s.send(ctx, key, draft, o)
		}
	}
	if err == nil {
		s.drop(ctx, all)
	}
	return err
}

// drop removes what is not needed any more. What stays costs little, and goes
// with the next put or when the content is discarded.
func (s *Store) drop(ctx context.Context, all []edition) {
	for _, e := range all {
		_ = s.bucket.Delete(ctx, e.key)
	}
}

// send brings a draft into the bucket, whole or not at all: the bucket compares
// it with its hash. It goes past gocloud, which would read up to 16 MB of it
// into memory and the rest in pieces.
func (s *Store) send(ctx context.Context, key string, draft *os.File, o media.Object) error {
	if _, err := draft.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in := &s3.PutObjectInput{
		Bucket: aws.String(s.name), Key: aws.String(key), Body: draft, ContentLength: aws.Int64(o.Size), ContentType: aws.String(o.Type),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(o.Hash[:])), ServerSideEncryption: s.settings.EncryptionType,
	}
	if s.settings.KMSEncryptionID != "" {
		in.SSEKMSKeyId = aws.String(s.settings.KMSEncryptionID)
	}
	if _, err := s.client.PutObject(ctx, in); err != nil {
		return failed(ctx, "send media", err)
	}
	return nil
}
