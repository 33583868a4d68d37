package archive_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"parley/events"
	"parley/events/archive"
	"parley/events/local"
	"parley/events/memory"
)

// put appends a record that is like no other.
func put(t *testing.T, log events.Store, stream events.Stream, at events.Revision, change ...func(*events.Record)) {
	t.Helper()
	r := events.Record{ID: uuid.New(), Type: "Fact", Data: []byte(uuid.NewString()), Metadata: []byte(`{"command":"c"}`)}
	for _, c := range change {
		c(&r)
	}
	if _, err := log.Append(t.Context(), stream, at, r); err != nil {
		t.Fatal(err)
	}
}

// life is a log with everything that a log may have.
func life(t *testing.T) *memory.Store {
	log := memory.New()
	put(t, log, "a-1", -1)
	put(t, log, "b-größe", -1, func(r *events.Record) { r.JSON, r.Data = true, []byte(`{"a": 1 }`) })
	put(t, log, "a-1", 0, func(r *events.Record) { r.Data = []byte{0, 255, '\n'} })
	put(t, log, "a-1", 1, func(r *events.Record) { r.Data, r.Metadata = nil, nil })
	for i := range 1200 {
		put(t, log, "c-1", events.Revision(i-1))
	}
	put(t, log, "c-2", -1, func(r *events.Record) { r.Data = bytes.Repeat([]byte("x"), events.MaxAppend-100) })
	put(t, log, "c-2", 0, func(r *events.Record) { r.Data = bytes.Repeat([]byte("x"), events.MaxAppend-100) })
	for stream, before := range map[events.Stream]events.Revision{"c-1": 700, "a-1": 1} {
		if err := log.Truncate(t.Context(), stream, before); err != nil {
			t.Fatal(err)
		}
	}
	return log
}

func all(t *testing.T, log events.Store) []events.Recorded {
	t.Helper()
	es, err := log.ReadAll(t.Context(), events.LogStart, events.Forwards, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return es
}

func export(t *testing.T, log events.Store) []byte {
	t.Helper()
	var file bytes.Buffer
	n, err := archive.Export(t.Context(), log, &file)
	if err != nil || n != len(all(t, log)) {
		t.Fatalf("%d events, %v", n, err)
	}
	return file.Bytes()
}

func imported(t *testing.T, log events.Store, file []byte) {
	t.Helper()
	if _, err := archive.Import(t.Context(), log, bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
}

func checkSame(t *testing.T, want, got events.Store) {
	t.Helper()
	ignore := cmpopts.IgnoreFields(events.Recorded{}, "Position", "Stored")
	if diff := cmp.Diff(all(t, want), all(t, got), ignore, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("the logs differ (-from +to):\n%s", diff)
	}
}

func embedded(t *testing.T) events.Store {
	t.Helper()
	log, err := local.Open(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return log
}

func TestMoving(t *testing.T) {
	from := life(t)
	file := export(t, from)
	for name, log := range map[string]events.Store{"memory": memory.New(), "the embedded log": embedded(t)} {
		t.Run("everything arrives in "+name+", also if it is put in again", func(t *testing.T) {
			for range 2 {
				imported(t, log, file)
				checkSame(t, from, log)
			}
		})
		t.Run("streams count on in "+name, func(t *testing.T) {
			put(t, log, "c-1", 1199)
			put(t, log, "a-1", 2)
		})
	}
	t.Run("the same log makes the same file", func(t *testing.T) {
		if !bytes.Equal(file, export(t, from)) {
			t.Error("it does not")
		}
	})
	t.Run("an import that was interrupted is gone on with", func(t *testing.T) {
		lines := bytes.SplitAfter(file, []byte("\n"))
		for _, n := range []int{1, 2, 5, 300} {
			log := memory.New()
			if _, err := archive.Import(t.Context(), log, bytes.NewReader(bytes.Join(lines[:n], nil))); !errors.Is(err, archive.ErrBroken) {
				t.Errorf("%d lines: error %v", n, err)
			}
			imported(t, log, file)
			checkSame(t, from, log)
		}
	})
	t.Run("a log that has one of the streams is left as it is there", func(t *testing.T) {
		for _, stream := range []events.Stream{"b-größe", "c-1"} { // c-1 begins later in the file
			log := memory.New()
			put(t, log, stream, -1)
			_, err := archive.Import(t.Context(), log, bytes.NewReader(file))
			if wrong := (*events.WrongRevision)(nil); !errors.As(err, &wrong) || !strings.Contains(err.Error(), string(stream)) {
				t.Errorf("error %v", err)
			}
			if left, err := log.Read(t.Context(), stream, events.StreamStart, events.Forwards, 1); err != nil || len(left) != 1 || left[0].Type != "Fact" {
				t.Errorf("%s was changed: %v, %v", stream, left, err)
			}
		}
	})
}

func TestBrokenFiles(t *testing.T) {
	log := memory.New()
	put(t, log, "a-1", -1)
	put(t, log, "a-1", 0)
	file := export(t, log)
	lines := bytes.SplitAfter(file, []byte("\n"))
	for rule, broken := range map[string][]byte{
		"nothing":               {},
		"something else":        []byte("PK\x03\x04"),
		"without its beginning": bytes.Join(lines[1:], nil),
		"without its end":       bytes.Join(lines[:3], nil),
		"without an event":      bytes.Join([][]byte{lines[0], lines[1], lines[3]}, nil),
		"with more behind":      append(bytes.Clone(file), lines[1]...),
		"an event changed":      bytes.Replace(file, []byte(`"Fact"`), []byte(`"Fiction"`), 1),
		"a line of nonsense":    bytes.Replace(file, lines[1], []byte("{\n"), 1),
		"cut in a line":         file[:len(file)-5],
	} {
		t.Run(rule, func(t *testing.T) {
			if _, err := archive.Import(t.Context(), memory.New(), bytes.NewReader(broken)); !errors.Is(err, archive.ErrBroken) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("of a later version", func(t *testing.T) {
		later := bytes.Replace(file, []byte(`"version":1`), []byte(`"version":2`), 1)
		if _, err := archive.Import(t.Context(), memory.New(), bytes.NewReader(later)); err == nil || !strings.Contains(err.Error(), "version 2") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a writer that fails", func(t *testing.T) {
		r, w := io.Pipe()
		_ = r.CloseWithError(errors.New("disk full"))
		if _, err := archive.Export(t.Context(), log, w); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("error %v", err)
		}
	})
}

// bent is a log that shows its events as something bends them.
type bent struct {
	*memory.Store
	bend func([]events.Recorded) []events.Recorded
}

func (b bent) ReadAll(ctx context.Context, from events.Position, dir events.Direction, limit int) ([]events.Recorded, error) {
	es, err := b.Store.ReadAll(ctx, from, dir, limit)
	if dir == events.Forwards {
		es = b.bend(es)
	}
	return es, err
}

func TestVerify(t *testing.T) {
	t.Run("nothing is wrong", func(t *testing.T) {
		r, err := archive.Verify(t.Context(), life(t))
		want := archive.Report{Events: 505, Streams: 4, Last: 1206, Begun: 2, Unknown: 505, Sum: r.Sum}
		if diff := cmp.Diff(want, r); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
	t.Run("an empty log", func(t *testing.T) {
		if r, err := archive.Verify(t.Context(), memory.New()); err != nil || r.Events != 0 || r.Found != 0 {
			t.Errorf("%+v %v", r, err)
		}
	})
	for says, bend := range map[string]func([]events.Recorded) []events.Recorded{
		"position 4, event 3 of a-1: the one before it in the log is 1": func(es []events.Recorded) []events.Recorded { return append(es[:2], es[3:]...) },
		"position 2, event 2 of a-1: it comes behind position 2": func(es []events.Recorded) []events.Recorded {
			es[2].Position = 2
			return es
		},
		"position 3, event 2 of a-1: decode": func(es []events.Recorded) []events.Recorded {
			es[2].Type, es[2].Data = "BotCreated", []byte{0xc1}
			return es
		},
		"position 3, event 2 of a-1: decode metadata": func(es []events.Recorded) []events.Recorded {
			es[2].Metadata = []byte("{")
			return es
		},
		"position 4, event 3 of a-1: the stream does not have it": func(es []events.Recorded) []events.Recorded {
			es[3].ID = uuid.New()
			return es
		},
	} {
		t.Run(says, func(t *testing.T) {
			log := memory.New()
			for i := range 4 {
				put(t, log, "a-1", events.Revision(i-1))
			}
			r, err := archive.Verify(t.Context(), bent{log, bend})
			if err != nil || r.Found == 0 || !strings.HasPrefix(r.Problems[0], says) {
				t.Errorf("%+v %v", r, err)
			}
		})
	}
}

func TestWhatAFileCanHold(t *testing.T) {
	t.Run("a type of which JSON makes six times as much", func(t *testing.T) {
		from, to := memory.New(), memory.New()
		put(t, from, "a-1", -1, func(r *events.Record) {
			r.Type, r.Data, r.Metadata = strings.Repeat("<", events.MaxAppend), nil, nil
		})
		imported(t, to, export(t, from))
		checkSame(t, from, to)
	})
	for what, log := range map[string]func(log events.Store){
		"a stream": func(log events.Store) { put(t, log, "a-\xff", -1) },
		"a type":   func(log events.Store) { put(t, log, "a-1", -1, func(r *events.Record) { r.Type = "A\xff" }) },
	} {
		t.Run("the name of "+what+" that is no UTF-8 is not changed without a word", func(t *testing.T) {
			from := memory.New()
			log(from)
			if _, err := archive.Export(t.Context(), from, io.Discard); err == nil {
				t.Error("it is written as another")
			}
		})
	}
}
