package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"gocloud.dev/blob"

	"parley/media"
)

// checkTime bounds a check.
const checkTime = 15 * time.Second

// Check tries out whether contents can be kept: it lists, writes, reads and
// removes. An error that is media.ErrUnavailable may pass by itself; any other
// is for an operator, and says what is wrong: no credentials, no such bucket,
// or no permission.
func (s *Store) Check(ctx context.Context) error {
	if s.closed.Load() {
		return media.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if c := s.client.Options().Credentials; !aws.IsCredentialsProvider(c, aws.AnonymousCredentials{}) {
		if _, err := c.Retrieve(ctx); err != nil {
			return fmt.Errorf("bucket %s: there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or any other way that AWS's tools know: %w", s.name, err)
		}
	}
	key := s.key("check", rand.Text())
	for _, step := range []struct {
		doing string
		do    func() error
	}{
		{"list", func() error { return s.listOne(ctx) }},
		{"write", func() error {
			return s.bucket.WriteAll(ctx, key, []byte("parley"), &blob.WriterOptions{ContentType: "text/plain"})
		}},
		{"read", func() error { _, err := s.bucket.ReadAll(ctx, key); return err }},
		{"remove", func() error { return s.bucket.Delete(ctx, key) }},
	} {
		if err := step.do(); err != nil {
			return s.refused(ctx, step.doing, err)
		}
	}
	return nil
}

func (s *Store) listOne(ctx context.Context) error {
	_, _, err := s.bucket.ListPage(ctx, blob.FirstPageToken, 1, &blob.ListOptions{Prefix: s.key(folder)})
	return err
}

// refused tells what will not pass by itself from what may.
func (s *Store) refused(ctx context.Context, doing string, err error) error {
	var answer *awshttp.ResponseError
	var said smithy.APIError
	code := ""
	if errors.As(err, &said) {
		code = said.ErrorCode()
	}
	if !errors.As(err, &answer) || ctx.Err() != nil {
		return fmt.Errorf("%s in bucket %s: %w: %w", doing, s.name, media.ErrUnavailable, err)
	}
	switch status := answer.HTTPStatusCode(); {
	case status == 0, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return fmt.Errorf("%s in bucket %s: %w: %w", doing, s.name, media.ErrUnavailable, err)
	case code == "NoSuchBucket", status == http.StatusNotFound:
		return fmt.Errorf("there is no bucket %s where the media address says: %w", s.name, err)
	case status < 400: // somewhere else
		return fmt.Errorf("bucket %s is in another region than the media address says: %w", s.name, err)
	}
	return fmt.Errorf("bucket %s does not let these credentials %s: %w", s.name, doing, err)
}
