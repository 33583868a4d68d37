package bucket_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/media"
	"parley/media/bucket"
	"parley/media/s3test"
)

// What makes this test binary the child of TestKill: the bucket, and where its
// drafts are.
const (
	childAddress = "PARLEY_BUCKET_CHILD_ADDRESS"
	childDrafts  = "PARLEY_BUCKET_CHILD_DRAFTS"
)

// P1, P4: a process that puts contents is killed again and again.
func TestKill(t *testing.T) {
	if address := os.Getenv(childAddress); address != "" {
		putForever(address, os.Getenv(childDrafts))
	}
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	service, drafts, acknowledged := s3test.Start(t), t.TempDir(), map[string]bool{}
	for range rounds {
		for _, hash := range killed(t, service.Address("p/"), drafts) {
			acknowledged[hash] = true
		}
	}
	there := map[string]bool{}
	for _, key := range service.Keys(t) {
		name := strings.Split(key, "/")[2]
		there[name] = true
		if content := service.Read(t, key); media.Hash(sha256.Sum256(content)).String() != name {
			t.Errorf("%s holds %d bytes that are something else", key, len(content))
		}
	}
	for hash := range acknowledged {
		if !there[hash] {
			t.Errorf("%s was acknowledged and is not there", hash)
		}
	}
	left := 0
	entries, err := os.ReadDir(drafts)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries { // one may lose its name a moment too late, but it has no bytes yet
		if info, err := e.Info(); err != nil || info.Size() > 0 {
			t.Errorf("a draft is left: %s, %v", e.Name(), err)
		}
		left++
	}
	t.Logf("%d kills, %d contents acknowledged, %d there, %d empty drafts left", rounds, len(acknowledged), len(there), left)
	if len(acknowledged) == 0 {
		t.Error("no round put anything")
	}
}

// killed lets a child put contents for a while, kills it, and gives the hashes
// it had reported by then.
func killed(t *testing.T, address, drafts string) (hashes []string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), childAddress+"="+address, childDrafts+"="+drafts)
	var complaints bytes.Buffer
	child.Stderr = &complaints
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "open" {
			time.AfterFunc(rand.N(200*time.Millisecond), func() { _ = child.Process.Kill() }) // Wait tells how it ended
			continue
		}
		hashes = append(hashes, lines.Text())
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v\n%s", err, complaints.String())
	}
	return hashes
}

// putForever is the child: it puts contents from many goroutines and reports
// every hash on standard output.
func putForever(address, drafts string) {
	s, err := bucket.Open(context.Background(), bucket.Config{Address: address, Drafts: drafts})
	if err != nil {
		panic(err)
	}
	fmt.Println("open")
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for {
				content := binary.AppendUvarint(nil, rand.Uint64())
				content = bytes.Repeat(content, 1+rand.IntN(50_000))
				o, err := s.Put(context.Background(), bytes.NewReader(content), media.Limits{})
				if err != nil {
					panic(err)
				}
				fmt.Println(o.Hash)
			}
		})
	}
	work.Wait()
}
