package s3test

import (
	"bytes"
	"testing"

	"github.com/johannesboyne/gofakes3"
)

// Keys are those of all objects, in order.
func (s *Server) Keys(t testing.TB) (keys []string) {
	t.Helper()
	all, err := s.backend.ListBucket(Bucket, nil, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all.Contents {
		keys = append(keys, o.Key)
	}
	return keys
}

// Read gives the bytes of an object.
func (s *Server) Read(t testing.TB, key string) []byte {
	t.Helper()
	o, err := s.backend.GetObject(Bucket, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	content, err := gofakes3.ReadAll(o.Contents, o.Size)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Write puts an object past the protocol.
func (s *Server) Write(t testing.TB, key string, content []byte) {
	t.Helper()
	if _, err := s.backend.PutObject(Bucket, key, map[string]string{}, bytes.NewReader(content), int64(len(content)), nil); err != nil {
		t.Fatal(err)
	}
}
