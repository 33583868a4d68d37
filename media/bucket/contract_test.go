package bucket_test

import (
	"testing"

	"parley/media"
	"parley/media/bucket"
	"parley/media/s3test"
	"parley/media/storetest"
)

func open(t testing.TB, server *s3test.Server, prefix string) *bucket.Store {
	t.Helper()
	s, err := bucket.Open(t.Context(), bucket.Config{Address: server.Address(prefix), Drafts: t.TempDir(), Dial: server.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestABucketKeepsTheContract(t *testing.T) {
	servers := map[media.Store]*s3test.Server{}
	storetest.Run(t, storetest.Factory{
		New: func(t testing.TB) media.Store {
			server := s3test.Start(t)
			s := open(t, server, "somewhere/")
			servers[s] = server
			return s
		},
		Reopen: func(t testing.TB, s media.Store) media.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, servers[s], "somewhere/")
		},
	})
}
