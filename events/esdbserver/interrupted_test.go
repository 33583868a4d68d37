package esdbserver_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"parley/events"
	"parley/events/esdbserver"
	"parley/events/memory"
)

// between is a store in which something happens before an append to a stream's
// metadata or before erasing, or that fails once to erase or to append.
type between struct {
	events.Store
	before, erasing func()
	erase, append   error
}

func (b *between) Append(ctx context.Context, s events.Stream, at events.Revision, rs ...events.Record) (events.Appended, error) {
	if do := b.before; do != nil && strings.HasPrefix(string(s), "$$") {
		b.before = nil
		do()
	}
	if err := b.append; err != nil && rs[0].Type == "B" && at >= events.StreamStart {
		b.append = nil
		return events.Appended{}, err
	}
	return b.Store.Append(ctx, s, at, rs...)
}

func (b *between) Truncate(ctx context.Context, s events.Stream, before events.Revision) error {
	if do := b.erasing; do != nil {
		b.erasing = nil
		do()
	}
	if err := b.erase; err != nil {
		b.erase = nil
		return err
	}
	return b.Store.Truncate(ctx, s, before)
}

func openBetween(t *testing.T) (*db, *between) {
	t.Helper()
	d := open(t)
	b := &between{Store: memory.New()}
	d.store = b
	d.address = d.serve(esdbserver.Options{})
	d.Client = dial(t, "esdb://"+d.address+"?tls=false")
	return d, b
}

// add puts an event into the store, past the server.
func (d *db) add(s events.Stream, at events.Revision, data string) {
	d.t.Helper()
	r := events.Record{ID: uuid.New(), Type: "X", Data: []byte(data)}
	if strings.HasPrefix(string(s), "$$") {
		r.Type, r.JSON = "$metadata", true
	}
	if _, err := d.store.Append(d.ctx, s, at, r); err != nil {
		d.t.Fatal(err)
	}
}

func TestDeletingWhileOthersWrite(t *testing.T) {
	t.Run("an event that came behind the expected revision is not lost", func(t *testing.T) {
		d, b := openBetween(t)
		d.put("a-1", many("A", 3)...)
		b.before = func() { d.add("a-1", 2, "later") }
		err := d.delete("a-1", client.Revision(2))
		if read, e := d.forwards("a-1"); e != nil || len(read) == 0 || read[len(read)-1] != 3 {
			t.Errorf("%v, %v; deleting: %v", read, e, err)
		}
	})
	t.Run("metadata that others set meanwhile are kept", func(t *testing.T) {
		d, b := openBetween(t)
		d.put("a-1", many("A", 3)...)
		b.before = func() { d.add("$$a-1", events.NoStream, `{"owner":"eve"}`) }
		if err := d.delete("a-1", client.Any{}); err != nil {
			t.Fatal(err)
		}
		if meta, err := d.GetStreamMetadata(d.ctx, "a-1", client.ReadStreamOptions{}); err != nil || meta.CustomProperty("owner") != "eve" {
			t.Errorf("%+v, %v", meta, err)
		}
	})
	t.Run("what is appended while the stream is erased begins it anew", func(t *testing.T) {
		d, b := openBetween(t)
		d.put("a-1", many("A", 3)...)
		other := dial(t, "esdb://"+d.address+"?tls=false")
		appended := make(chan error, 1)
		b.erasing = func() {
			go func() {
				_, err := other.AppendToStream(d.ctx, "a-1", client.AppendToStreamOptions{ExpectedRevision: client.Revision(2)}, event("B"))
				appended <- err
			}()
			for head := events.Position(0); head < 5; { // three events, the metadata and this one
				head, _ = b.Head(d.ctx)
			}
		}
		if err := errors.Join(d.delete("a-1", client.Revision(2)), <-appended); err != nil {
			t.Fatal(err)
		}
		if read, err := d.forwards("a-1"); err != nil || !cmp.Equal(read, []uint64{3}) {
			t.Errorf("%v, %v", read, err)
		}
		if meta, err := d.GetStreamMetadata(d.ctx, "a-1", client.ReadStreamOptions{}); err != nil || *meta.TruncateBefore() != 3 {
			t.Errorf("%+v, %v", meta, err)
		}
	})
	t.Run("metadata whose erasing failed are obeyed by the next try", func(t *testing.T) {
		for what, at := range map[string]client.ExpectedRevision{"anywhere": client.Any{}, "no stream": client.NoStream{}} {
			d, b := openBetween(t)
			d.put("a-1", many("A", 3)...)
			b.erase = errors.New("the disk is away")
			truncate := client.EventData{EventID: uuid.New(), EventType: "$metadata", ContentType: client.ContentTypeJson, Data: []byte(`{"$tb":2}`)}
			if _, err := d.try("$$a-1", at, truncate); err == nil {
				t.Fatal("it did not fail")
			}
			d.putAt("$$a-1", at, truncate)
			if left, err := d.store.Read(d.ctx, "a-1", 0, events.Forwards, 9); err != nil || len(left) != 1 {
				t.Errorf("%s: %d events are left, %v", what, len(left), err)
			}
		}
	})
	t.Run("a deleted stream stays so when an append to it fails", func(t *testing.T) {
		d, b := openBetween(t)
		d.put("a-1", many("A", 3)...)
		if err := d.delete("a-1", client.Any{}); err != nil {
			t.Fatal(err)
		}
		b.append = events.ErrFull
		if _, err := d.try("a-1", client.NoStream{}, event("B")); err == nil {
			t.Fatal("it did not fail")
		}
		if done := d.putAt("a-1", client.NoStream{}, event("B")); done.NextExpectedVersion != 3 {
			t.Errorf("%+v", done)
		}
	})
	t.Run("a tombstone whose erasing failed is finished by the next try", func(t *testing.T) {
		d, b := openBetween(t)
		d.put("a-1", many("A", 3)...)
		b.erase = errors.New("the disk is away")
		if err := d.bury("a-1", client.Any{}); err == nil {
			t.Fatal("it did not fail")
		}
		if read, err := d.forwards("a-1"); code(err) != client.ErrorCodeStreamDeleted || len(read) > 3 {
			t.Errorf("reading: %v, %v", read, err)
		}
		if err := d.bury("a-1", client.Any{}); code(err) != client.ErrorCodeStreamDeleted {
			t.Errorf("again: %v", err)
		}
		if left, err := d.store.Read(d.ctx, "a-1", 0, events.Forwards, 9); err != nil || len(left) != 1 {
			t.Errorf("%d events are left, %v", len(left), err)
		}
	})
}

func TestARevivedStreamStaysSo(t *testing.T) {
	for rule, c := range map[string]struct {
		before int
		at     client.ExpectedRevision
	}{
		"at its last revision":               {3, client.Revision(2)},
		"where there was none":               {0, client.NoStream{}},
		"where it was deleted, and none now": {3, client.NoStream{}},
	} {
		t.Run("metadata that are read, changed and written delete nothing: "+rule, func(t *testing.T) {
			d := open(t)
			if c.before > 0 {
				d.put("a-1", many("A", c.before)...)
			}
			if err := d.delete("a-1", client.Any{}); err != nil {
				t.Fatal(err)
			}
			d.putAt("a-1", c.at, event("B"))
			meta, err := d.GetStreamMetadata(d.ctx, "a-1", client.ReadStreamOptions{})
			if err != nil {
				t.Fatal(err)
			}
			meta.SetMaxCount(9)
			if _, err := d.SetStreamMetadata(d.ctx, "a-1", client.AppendToStreamOptions{}, *meta); err != nil {
				t.Fatal(err)
			}
			if read, err := d.forwards("a-1"); err != nil || !cmp.Equal(read, []uint64{uint64(c.before)}) {
				t.Errorf("%v, %v", read, err)
			}
		})
	}
}

func TestMetadataStreamsWithOtherEvents(t *testing.T) {
	d := open(t)
	d.put("a-1", many("A", 3)...)
	d.put("$$a-1", event("Note"))
	if err := d.delete("a-1", client.Any{}); err != nil {
		t.Errorf("deleting: %v", err)
	}
	if _, err := d.forwards("a-1"); code(err) != client.ErrorCodeResourceNotFound {
		t.Errorf("error %v", err)
	}
}
