//go:build system

package system

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"parley/events"
	"parley/events/esdb"
	"parley/test/process"
)

// appended is an append that was acknowledged, and where it was expected.
type appended struct {
	at      events.Revision
	records []events.Record
	done    events.Appended
}

// A process that serves a log is killed again and again while many append
// through EventStoreDB's client. What was acknowledged is there, and an append
// that is tried again is recognised, also by a process that never saw it. P1
func TestAServedLogKeepsWhatItAcknowledged(t *testing.T) {
	random := dice(t)
	var said process.Record
	dir, address := t.TempDir(), freeAddress(t)
	serve := func() *process.Process {
		return launch(t, &said, nil, "log", "serve", "--data", dir, "--log-listen", address)
	}
	serving := serve()
	store, err := esdb.Open(events.NewSecret("esdb://"+address+"?tls=false"), esdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	const writers, kills = 16, 4
	all := make([][]appended, writers)
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	for i := range writers {
		done.Go(func() { all[i] = appendUntil(ctx, t, store, streamOf(i)) })
	}
	for range kills {
		time.Sleep(500*time.Millisecond + time.Duration(random.Int64N(int64(time.Second))))
		serving.Kill()
		serving = serve()
	}
	time.Sleep(2 * time.Second)
	stop()
	done.Wait()
	serving.Kill()
	serve()
	count := 0
	for i, acknowledged := range all {
		count += len(acknowledged)
		checkAppended(t, store, streamOf(i), acknowledged)
	}
	if count < 10*writers {
		t.Errorf("only %d appends were acknowledged:\n%s", count, said.Tail())
	}
	t.Logf("%d kills, %d acknowledged appends", kills+1, count)
}

func streamOf(i int) events.Stream { return events.Stream(fmt.Sprintf("kept-%d", i)) }

// appendUntil appends one or two records at a time until the context ends, each
// until it is acknowledged.
func appendUntil(ctx context.Context, t *testing.T, store events.Store, stream events.Stream) (all []appended) {
	for at := events.NoStream; ctx.Err() == nil; {
		records := []events.Record{{ID: uuid.New(), Type: "Fact"}, {ID: uuid.New(), Type: "Fact"}}[:1+len(all)%2]
		done, err := store.Append(ctx, stream, at, records...)
		for err != nil && ctx.Err() == nil {
			if wrong := (*events.WrongRevision)(nil); errors.As(err, &wrong) {
				t.Errorf("a retry is not recognised: %v", err)
				return all
			}
			time.Sleep(20 * time.Millisecond)
			done, err = store.Append(ctx, stream, at, records...)
		}
		if err == nil {
			all, at = append(all, appended{at, records, done}), done.Revision
		}
	}
	return all
}

// checkAppended looks for each append in its place, and tries it once more.
func checkAppended(t *testing.T, store events.Store, stream events.Stream, all []appended) {
	t.Helper()
	for _, a := range all {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		again, err := store.Append(ctx, stream, a.at, a.records...)
		for errors.Is(err, events.ErrUnavailable) && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
			again, err = store.Append(ctx, stream, a.at, a.records...)
		}
		if err != nil || again != a.done {
			t.Errorf("%s: tried again it is at %+v, and was at %+v: %v", stream, again, a.done, err)
		}
		read, err := store.Read(ctx, stream, a.at+1, events.Forwards, len(a.records))
		cancel()
		if err != nil || len(read) != len(a.records) || read[0].ID != a.records[0].ID || read[len(read)-1].ID != a.records[len(a.records)-1].ID {
			t.Errorf("%s at %d: %d of %d records are there, %v", stream, a.done.Revision, len(read), len(a.records), err)
			return
		}
	}
}
