package media_test

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
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley/media"
)

// childDir is the environment variable that makes this test binary the child
// of TestKill and names the directory.
const childDir = "PARLEY_MEDIA_CHILD_DIR"

// P1, P4: a process that puts contents is killed again and again.
func TestKill(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		putForever(dir)
	}
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	dir, all, left := t.TempDir(), 0, 0
	acknowledged := map[string]bool{}
	for range rounds {
		for _, hash := range killed(t, dir, time.Duration(rand.Int64N(int64(200*time.Millisecond)))) {
			acknowledged[hash] = true
		}
		_, drafts := files(t, dir)
		left += len(drafts)
		all = checkDirectory(t, dir, acknowledged)
	}
	t.Logf("%d kills, %d contents acknowledged, %d there, %d drafts left and removed", rounds, len(acknowledged), all, left)
	if len(acknowledged) == 0 || left == 0 {
		t.Error("no round put anything, or none was killed in the middle")
	}
}

// killed lets a child put contents for a while, kills it, and gives the hashes
// it had reported by then.
func killed(t *testing.T, dir string, life time.Duration) (hashes []string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), childDir+"="+dir)
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
			time.AfterFunc(life, func() { _ = child.Process.Kill() }) // Wait tells how it ended
			continue
		}
		hashes = append(hashes, lines.Text())
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v\n%s", err, complaints.String())
	}
	return hashes
}

// checkDirectory opens the store and checks that all that was acknowledged is
// there, that nothing is half there, and that no draft is left.
func checkDirectory(t *testing.T, dir string, acknowledged map[string]bool) int {
	t.Helper()
	d := openDirectory(t, dir)
	contents, drafts := files(t, dir)
	if len(drafts) > 0 {
		t.Errorf("drafts are left: %v", drafts)
	}
	there := map[string]bool{}
	for _, name := range contents {
		there[name] = true
		content, err := os.ReadFile(filepath.Join(dir, "sha256", name[:1], name))
		if err != nil {
			t.Fatal(err)
		}
		if hash := media.Hash(sha256.Sum256(content)); hash.String() != name {
			t.Errorf("%s holds %d bytes whose hash is %s", name, len(content), hash)
		}
	}
	for hash := range acknowledged {
		if !there[hash] {
			t.Errorf("%s was acknowledged and is not there", hash)
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	return len(contents)
}

// putForever is the child: it puts contents from many goroutines and reports
// every hash on standard output.
func putForever(dir string) {
	d, err := media.OpenDirectory(dir)
	if err != nil {
		panic(err)
	}
	fmt.Println("open")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				content := binary.AppendUvarint(nil, rand.Uint64())
				content = bytes.Repeat(content, 1+rand.IntN(50_000))
				o, err := d.Put(context.Background(), bytes.NewReader(content), media.Limits{})
				if err != nil {
					panic(err)
				}
				fmt.Println(o.Hash)
			}
		})
	}
	wg.Wait()
}
