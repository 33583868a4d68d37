package bucket_test

import (
	"crypto/rand"
	"os"
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

// PARLEY_TEST_BUCKET is the address of a bucket of a real service, without a
// prefix: "s3://name?region=…". What the tests put there is left to its owner.
func TestARealBucketKeepsTheContract(t *testing.T) {
	address := os.Getenv("PARLEY_TEST_BUCKET")
	if address == "" {
		t.Skip("skipped: PARLEY_TEST_BUCKET names no bucket")
	}
	addresses := map[media.Store]string{}
	open := func(t testing.TB, address string) media.Store {
		s, err := bucket.Open(t.Context(), bucket.Config{Address: address, Drafts: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		addresses[s] = address
		return s
	}
	storetest.Run(t, storetest.Factory{
		New: func(t testing.TB) media.Store { return open(t, address+"&prefix=test-"+rand.Text()+"/") },
		Reopen: func(t testing.TB, s media.Store) media.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, addresses[s])
		},
	})
}
