package local_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"parley/events"
	"parley/events/local"
)

// childDir is the environment variable that makes this test binary the child
// of TestKill and names the log's directory.
const childDir = "PARLEY_LOCAL_CHILD_DIR"

// mark is what a record of the child says: which one of an append it is.
type mark struct {
	Append string
	Index  int
	Count  int
}

// acknowledgement is what the child reports, one JSON line each.
type acknowledgement struct {
	Stream   events.Stream
	Append   string
	Count    int
	Revision events.Revision
	Position events.Position
}

// TestKill kills a process that appends, again and again on the same log, and
// checks after each time what is there.
func TestKill(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		appendForever(t, dir)
	}
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	k := &killed{dir: t.TempDir(), heads: make(map[events.Stream]events.Revision)}
	for range rounds {
		acknowledged := k.round(t, time.Duration(rand.Int64N(int64(250*time.Millisecond))))
		k.check(t, acknowledged)
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d kills, %d acknowledged appends, %d stored, %d events", rounds, k.acknowledged, k.stored, k.last)
	if k.acknowledged == 0 {
		t.Error("nothing was acknowledged in any round")
	}
}

// killed is a log whose writers are killed, and what it was seen to hold.
type killed struct {
	dir   string
	last  events.Position
	heads map[events.Stream]events.Revision

	acknowledged, stored int
}

// round lets a child append for a while, kills it, and returns what it had
// reported by then.
func (k *killed) round(t *testing.T, life time.Duration) []acknowledgement {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), childDir+"="+k.dir)
	var complaints bytes.Buffer
	child.Stderr = &complaints
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(life, func() { _ = child.Process.Kill() }) // Wait tells how it ended
	var acknowledged []acknowledgement
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var a acknowledgement
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Errorf("the child says %q", lines.Text())
			break
		}
		acknowledged = append(acknowledged, a)
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v\n%s", err, complaints.String())
	}
	return acknowledged
}

// check opens the log and compares what was added with what was acknowledged.
func (k *killed) check(t *testing.T, acknowledged []acknowledgement) {
	t.Helper()
	s, err := local.Open(k.dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	found := make(map[string]acknowledgement)
	var open mark // the append whose records are being read
	for page := k.next(t, s); len(page) > 0; page = k.next(t, s) {
		for _, e := range page {
			open = k.checkEvent(t, e, open)
			if open.Index == open.Count {
				found[open.Append] = acknowledgement{e.Stream, open.Append, open.Count, e.Revision, e.Position}
			}
		}
	}
	if open.Index != open.Count {
		t.Errorf("append %s is cut: %d of %d records are there", open.Append, open.Index, open.Count)
	}
	for _, a := range acknowledged {
		if found[a.Append] != a {
			t.Errorf("acknowledged %+v, found %+v", a, found[a.Append])
		}
	}
	k.acknowledged += len(acknowledged)
	k.stored += len(found)
}

// next reads what was not seen yet.
func (k *killed) next(t *testing.T, s *local.Store) []events.Recorded {
	t.Helper()
	page, err := s.ReadAll(t.Context(), k.last+1, events.Forwards, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// checkEvent checks an event against those before it, and returns how far its
// append has come: as many records as Index says.
func (k *killed) checkEvent(t *testing.T, e events.Recorded, open mark) mark {
	t.Helper()
	var m mark
	if err := json.Unmarshal(e.Data, &m); err != nil {
		t.Fatalf("position %d holds %q", e.Position, e.Data)
	}
	if e.Position <= k.last {
		t.Errorf("position %d comes after %d", e.Position, k.last)
	}
	head, exists := k.heads[e.Stream]
	if !exists {
		head = events.NoStream
	}
	if e.Revision != head+1 {
		t.Errorf("stream %s goes from revision %d to %d", e.Stream, head, e.Revision)
	}
	continues := open.Index < open.Count
	if continues && (m.Append != open.Append || m.Index != open.Index) || !continues && m.Index != 0 {
		t.Errorf("position %d holds record %d of append %s; before it stood %d of %d of append %s",
			e.Position, m.Index, m.Append, open.Index, open.Count, open.Append)
	}
	k.last, k.heads[e.Stream] = e.Position, e.Revision
	m.Index++
	return m
}

// appendForever is the child: it appends from many goroutines, each to streams
// of its own, and reports every acknowledgement on standard output.
func appendForever(t *testing.T, dir string) {
	s, err := local.Open(dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for worker := range 24 {
		wg.Go(func() {
			for {
				stream := events.Stream(fmt.Sprintf("worker-%d.%d", worker, rand.IntN(20)))
				a, err := appendMarked(s, stream)
				if err != nil {
					t.Error(err)
					return
				}
				line, err := json.Marshal(a)
				if err != nil {
					t.Error(err)
					return
				}
				out.Lock()
				_, err = os.Stdout.Write(append(line, '\n'))
				out.Unlock()
				if err != nil {
					return // the parent is gone
				}
			}
		})
	}
	wg.Wait()
	os.Exit(1)
}

// appendMarked appends one to five records to a stream, wherever it ends.
func appendMarked(s *local.Store, stream events.Stream) (acknowledgement, error) {
	ctx := context.Background()
	newest, err := s.Read(ctx, stream, events.StreamEnd, events.Backwards, 1)
	if err != nil {
		return acknowledgement{}, err
	}
	expected := events.NoStream
	if len(newest) > 0 {
		expected = newest[0].Revision
	}
	name := uuid.NewString()
	records := makeRecords(1+rand.IntN(5), "")
	for i := range records {
		if records[i].Data, err = json.Marshal(mark{Append: name, Index: i, Count: len(records)}); err != nil {
			return acknowledgement{}, err
		}
	}
	at, err := s.Append(ctx, stream, expected, records...)
	return acknowledgement{stream, name, len(records), at.Revision, at.Position}, err
}
