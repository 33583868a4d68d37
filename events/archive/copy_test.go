package archive_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/events/archive"
	"parley/events/esdb"
	"parley/events/esdbserver"
	"parley/events/memory"
)

func copied(t *testing.T, from, to events.Store) archive.Copied {
	t.Helper()
	c, err := archive.Copy(t.Context(), from, to, func(archive.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// served gives a log as others have it over the network.
func served(t *testing.T, log events.Store) events.Store {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := esdbserver.New(log, esdbserver.Options{})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	store, err := esdb.Open(events.NewSecret("esdb://"+listener.Addr().String()+"?tls=false"), esdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		err := store.Close()
		server.Stop(ctx)
		if err := errors.Join(err, <-ended); err != nil {
			t.Error(err)
		}
	})
	return store
}

// moved leaves out what does not move.
func moved(es []events.Recorded) (kept []events.Recorded) {
	for _, e := range es {
		if !strings.HasPrefix(string(e.Stream), "$") {
			e.Position, e.Stored = 0, 0
			kept = append(kept, e)
		}
	}
	return kept
}

func checkCopy(t *testing.T, from, to events.Store) {
	t.Helper()
	if diff := cmp.Diff(moved(all(t, from)), moved(all(t, to)), cmp.Comparer(func(a, b []byte) bool { return string(a) == string(b) })); diff != "" {
		t.Errorf("the logs differ (-from +to):\n%s", diff)
	}
}

func TestCopy(t *testing.T) {
	from := life(t)
	put(t, from, "$$c-1", -1)
	put(t, from, "gone-1", -1)
	if err := from.Truncate(t.Context(), "gone-1", events.StreamEnd); err != nil {
		t.Fatal(err)
	}
	there, back := embedded(t), embedded(t)
	over := served(t, there)
	for _, way := range []struct {
		name     string
		from, to events.Store
	}{
		{"into memory", from, memory.New()},
		{"into an EventStoreDB", from, over},
		{"from there into the embedded log", over, back},
		{"from the embedded log into another", back, embedded(t)},
	} {
		t.Run("everything goes "+way.name+", once", func(t *testing.T) {
			first, again := copied(t, way.from, way.to), copied(t, way.from, way.to)
			report, err := archive.Verify(t.Context(), way.to)
			if want := (archive.Copied{New: 505, Events: 505, Sum: report.Sum}); err != nil || first != want {
				t.Errorf("%+v, %v, expected %+v", first, err, want)
			}
			if want := (archive.Copied{New: 0, Events: 505, Sum: report.Sum}); again != want {
				t.Errorf("again: %+v", again)
			}
			checkCopy(t, from, way.to)
		})
	}
	t.Run("what an EventStoreDB notes for itself is passed over", func(t *testing.T) {
		put(t, there, "$$other", -1)
		if c := copied(t, from, there); c.New != 0 || c.Events != 505 {
			t.Errorf("%+v", c)
		}
	})
	t.Run("the embedded log keeps the times of storing", func(t *testing.T) {
		to := embedded(t)
		copied(t, from, to)
		were := map[events.ID]events.Instant{}
		for _, e := range all(t, from) {
			were[e.ID] = e.Stored
		}
		for _, e := range all(t, to) {
			if e.Stored != were[e.ID] {
				t.Fatalf("event %d of %s was stored at %d, not %d", e.Revision, e.Stream, were[e.ID], e.Stored)
			}
		}
	})
	t.Run("streams count on where they were", func(t *testing.T) {
		for _, log := range []events.Store{there, back} {
			put(t, log, "c-1", 1199)
			put(t, log, "a-1", 2)
		}
	})
}

func TestACopyIsGoneOnWith(t *testing.T) {
	erased := memory.New() // at its very beginning
	for n := range 3 {
		put(t, erased, "a-1", events.Revision(n-1))
	}
	truncate(t, erased, "a-1", 2)
	logs := []events.Store{life(t), erased}
	for name, target := range map[string]func() events.Store{
		"memory": func() events.Store { return memory.New() }, "the embedded log": func() events.Store { return embedded(t) },
	} {
		t.Run("when the log has grown, and has erased and overwritten what was copied, in "+name, func(t *testing.T) {
			log, to := life(t), target()
			put(t, log, "late-1", -1)
			put(t, log, "late-2", -1)
			put(t, log, "late-2", 0)
			copied(t, log, to)
			for stream, n := range map[events.Stream]events.Revision{"late-1": 0, "c-1": 800} {
				if err := log.Overwrite(t.Context(), stream, events.Replacement{Revision: n, Data: []byte("bare")}); err != nil {
					t.Fatal(err)
				}
			}
			if c := copied(t, log, to); c.New != 0 {
				t.Errorf("%d events are new", c.New)
			}
			checkCopy(t, log, to)
			put(t, log, "c-1", 1199)
			put(t, log, "late-2", 1)
			for i := range 4 {
				put(t, log, "late-1", events.Revision(i))
			}
			for stream, before := range map[events.Stream]events.Revision{
				"late-1": 4,                // its end is not where the copy's is
				"late-2": events.StreamEnd, // the newest event that was copied
				"c-2":    1, "b-größe": events.StreamEnd,
			} {
				if err := log.Truncate(t.Context(), stream, before); err != nil {
					t.Fatal(err)
				}
			}
			if c := copied(t, log, to); c.New != 2 {
				t.Errorf("%d events are new", c.New)
			}
			checkCopy(t, log, to)
			put(t, to, "late-1", 4)
		})
		t.Run("wherever it was interrupted, in "+name, func(t *testing.T) {
			for n, from := range append(logs, logs...) {
				after := n >= len(logs) // then it is the answer that is lost
				to := target()
				for writes := 0; ; writes++ {
					ctx, die := context.WithCancel(t.Context())
					_, err := archive.Copy(ctx, from, mortal(to, writes, after, die), func(archive.Progress) {})
					die()
					if err == nil {
						break
					}
					if !errors.Is(err, context.Canceled) {
						t.Fatalf("after %d writes: %v", writes, err)
					}
				}
				checkCopy(t, from, to)
			}
		})
	}
}

// dying is a log whose user dies at a write.
type dying struct {
	events.Store
	writes int
	after  bool
	die    func()
}

type taker interface {
	Take(ctx context.Context, es []events.Recorded) error
}

// mortal lets the user of a log die after so many writes, before or after the
// next one is done.
func mortal(log events.Store, writes int, after bool, die func()) events.Store {
	d := &dying{log, writes, after, die}
	if t, ok := log.(taker); ok {
		return struct {
			*dying
			dyingTaker
		}{d, dyingTaker{d, t}}
	}
	return d
}

func (d *dying) write(ctx context.Context, do func() error) error {
	if d.writes--; d.writes >= 0 {
		return do()
	}
	if d.after {
		if err := do(); err != nil {
			return err
		}
	}
	d.die()
	return ctx.Err()
}

// Append implements [events.Store].
func (d *dying) Append(ctx context.Context, stream events.Stream, at events.Revision, rs ...events.Record) (done events.Appended, err error) {
	return done, d.write(ctx, func() error {
		done, err = d.Store.Append(ctx, stream, at, rs...)
		return err
	})
}

// Truncate implements [events.Store].
func (d *dying) Truncate(ctx context.Context, stream events.Stream, before events.Revision) error {
	return d.write(ctx, func() error { return d.Store.Truncate(ctx, stream, before) })
}

type dyingTaker struct {
	d *dying
	t taker
}

// Take is a write like the others.
func (d dyingTaker) Take(ctx context.Context, es []events.Recorded) error {
	return d.d.write(ctx, func() error { return d.t.Take(ctx, es) })
}

func TestAnEventStoreDBCannotFollowWhatIsOverwritten(t *testing.T) {
	from, to := memory.New(), served(t, memory.New())
	put(t, from, "a-1", -1)
	copied(t, from, to)
	if err := from.Overwrite(t.Context(), "a-1", events.Replacement{Data: []byte("bare")}); err != nil {
		t.Fatal(err)
	}
	_, err := archive.Copy(t.Context(), from, to, func(archive.Progress) {})
	if !errors.Is(err, events.ErrFixed) || !strings.Contains(err.Error(), "event 0 of a-1 was overwritten since it was copied") {
		t.Errorf("error %v", err)
	}
}

func TestATargetWithSomethingElse(t *testing.T) {
	for rule, c := range map[string]struct {
		stream string // that is named
		before func(to events.Store)
		after  func(to events.Store) // a copy
	}{
		"another stream":              {"other-1", func(to events.Store) { put(t, to, "other-1", -1) }, nil},
		"a stream of the same name":   {"a-1", func(to events.Store) { put(t, to, "a-1", -1) }, nil},
		"an erased one of that name":  {"b-größe", func(to events.Store) { put(t, to, "b-größe", -1); truncate(t, to, "b-größe", 1) }, nil},
		"more behind the copy":        {"c-2", nil, func(to events.Store) { put(t, to, "c-2", 1) }},
		"another stream behind it":    {"other-1", nil, func(to events.Store) { put(t, to, "other-1", -1) }},
		"less than was copied":        {"a-1", nil, func(to events.Store) { truncate(t, to, "a-1", 2) }},
		"something erased behind it":  {"c-2", nil, func(to events.Store) { put(t, to, "c-2", 1); put(t, to, "c-2", 2); truncate(t, to, "c-2", 2) }},
		"other events of one stream":  {"c-2", func(to events.Store) { put(t, to, "c-2", -1); put(t, to, "c-2", 0) }, nil},
		"an older stream, and a copy": {"other-1", func(to events.Store) { put(t, to, "other-1", -1) }, func(events.Store) {}},
	} {
		for name, to := range map[string]events.Store{"memory": memory.New(), "the embedded log": embedded(t)} {
			t.Run(rule+" in "+name, func(t *testing.T) {
				from := life(t)
				if c.before != nil {
					c.before(to)
				}
				if c.after != nil {
					if c.before != nil {
						var file strings.Builder
						if _, err := archive.Export(t.Context(), from, &file); err != nil {
							t.Fatal(err)
						}
						imported(t, to, []byte(file.String()))
					} else {
						copied(t, from, to)
					}
					c.after(to)
				}
				held := len(all(t, to))
				_, err := archive.Copy(t.Context(), from, to, func(archive.Progress) {})
				if !errors.Is(err, archive.ErrForeign) || !strings.Contains(err.Error(), "its stream "+c.stream+" ") {
					t.Errorf("error %v does not name %s", err, c.stream)
				}
				if now := len(all(t, to)); c.before == nil && now != held || now < held {
					t.Errorf("it held %d events, and %d now", held, now)
				}
			})
		}
	}
}

func truncate(t *testing.T, log events.Store, stream events.Stream, before events.Revision) {
	t.Helper()
	if err := log.Truncate(t.Context(), stream, before); err != nil {
		t.Fatal(err)
	}
}

// keeper is a log that shows what is erased to those who read all of it, as an
// EventStoreDB does until a scavenge.
type keeper struct{ *memory.Store }

// Lingers says so.
func (keeper) Lingers() bool { return true }

// lingering keeps everything in a second log, too.
type lingering struct {
	keeper
	everything *memory.Store
}

// Append implements [events.Store].
func (l lingering) Append(ctx context.Context, stream events.Stream, at events.Revision, rs ...events.Record) (events.Appended, error) {
	done, err := l.keeper.Append(ctx, stream, at, rs...)
	if err == nil {
		_, err = l.everything.Append(ctx, stream, at, rs...)
	}
	return done, err
}

// ReadAll implements [events.Store].
func (l lingering) ReadAll(ctx context.Context, from events.Position, dir events.Direction, limit int) ([]events.Recorded, error) {
	return l.everything.ReadAll(ctx, from, dir, limit)
}

// What is erased in an EventStoreDB, and not gone from its disk, does not come
// to life again elsewhere. P9
func TestWhatLingersIsNotCopied(t *testing.T) {
	from, middle, to := life(t), lingering{keeper{memory.New()}, memory.New()}, memory.New()
	put(t, from, "secret-1", -1)
	copied(t, from, middle)
	if len(all(t, middle)) <= len(all(t, from)) {
		t.Fatal("nothing lingers")
	}
	truncate(t, from, "secret-1", events.StreamEnd)
	put(t, from, "a-1", 2)
	if c := copied(t, from, middle); c.New != 1 || c.Events != 506 {
		t.Errorf("%+v", c)
	}
	if c := copied(t, middle, to); c.New != 506 {
		t.Errorf("%+v", c)
	}
	checkCopy(t, from, to)
	report, err := archive.Verify(t.Context(), middle)
	if err != nil || report.Found != 0 || report.Events != 506 {
		t.Errorf("%+v, %v", report, err)
	}
	var file strings.Builder
	if n, err := archive.Export(t.Context(), middle, &file); err != nil || n != 506 {
		t.Errorf("%d events in the file, %v", n, err)
	}
}
