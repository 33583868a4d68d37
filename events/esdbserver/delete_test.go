package esdbserver_test

import (
	"math"
	"testing"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"

	"parley/events"
)

func (d *db) delete(stream string, at client.ExpectedRevision) error {
	_, err := d.DeleteStream(d.ctx, stream, client.DeleteStreamOptions{ExpectedRevision: at})
	return err
}

func (d *db) bury(stream string, at client.ExpectedRevision) error {
	_, err := d.TombstoneStream(d.ctx, stream, client.TombstoneStreamOptions{ExpectedRevision: at})
	return err
}

func TestDeletedStreams(t *testing.T) {
	d := open(t)
	d.put("a-1", many("A", 3)...)
	t.Run("only where it is expected", func(t *testing.T) {
		if err := d.delete("a-1", client.Revision(1)); err == nil {
			t.Error("it was deleted")
		}
	})
	if err := d.delete("a-1", client.Revision(2)); err != nil {
		t.Fatal(err)
	}
	t.Run("it is not found, and its bytes are gone", func(t *testing.T) {
		if _, err := d.forwards("a-1"); code(err) != client.ErrorCodeResourceNotFound {
			t.Errorf("error %v", err)
		}
		if left, err := d.store.Read(t.Context(), "a-1", 0, events.Forwards, 10); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	t.Run("who expects it to exist learns that it was deleted", func(t *testing.T) {
		if _, err := d.try("a-1", client.StreamExists{}, event("B")); code(err) != client.ErrorCodeStreamDeleted {
			t.Errorf("error %v", err)
		}
	})
	t.Run("it begins again where it ended", func(t *testing.T) {
		if done := d.putAt("a-1", client.NoStream{}, many("B", 2)...); done.NextExpectedVersion != 4 {
			t.Errorf("%+v", done)
		}
		if read, err := d.forwards("a-1"); err != nil || !cmp.Equal(read, []uint64{3, 4}) {
			t.Errorf("%v, %v", read, err)
		}
		meta, err := d.GetStreamMetadata(d.ctx, "a-1", client.ReadStreamOptions{})
		if err != nil || meta.TruncateBefore() == nil || *meta.TruncateBefore() != 3 {
			t.Errorf("metadata %+v, %v", meta, err)
		}
		if _, err := d.try("a-1", client.NoStream{}, event("C")); code(err) != client.ErrorCodeWrongExpectedVersion {
			t.Errorf("it begins once more: %v", err)
		}
	})
}

func TestTombstones(t *testing.T) {
	d := open(t)
	d.put("a-1", many("A", 3)...)
	if err := d.bury("a-1", client.Any{}); err != nil {
		t.Fatal(err)
	}
	tries := map[string]func() error{
		"reading": func() error { _, err := d.forwards("a-1"); return err },
		"reading backwards": func() error {
			_, err := d.revisions("a-1", client.Backwards, client.End{})
			return err
		},
		"an append anywhere": func() error { _, err := d.try("a-1", client.Any{}, event("B")); return err },
		"an append to none":  func() error { _, err := d.try("a-1", client.NoStream{}, event("B")); return err },
		"an append behind":   func() error { _, err := d.try("a-1", client.Revision(2), event("B")); return err },
		"deleting":           func() error { return d.delete("a-1", client.Any{}) },
		"a second tombstone": func() error { return d.bury("a-1", client.Any{}) },
		"a subscription": func() error {
			_, err := d.SubscribeToStream(d.ctx, "a-1", client.SubscribeToStreamOptions{})
			return err
		},
	}
	for what, try := range tries {
		t.Run(what+" learns that it is deleted", func(t *testing.T) {
			if err := try(); code(err) != client.ErrorCodeStreamDeleted {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("the log shows the tombstone at the largest revision", func(t *testing.T) {
		all, err := d.ReadAll(d.ctx, client.ReadAllOptions{Direction: client.Backwards, From: client.End{}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer all.Close()
		if e, err := all.Recv(); err != nil || e.Event.EventType != "$streamDeleted" || e.Event.EventNumber != math.MaxInt64 {
			t.Errorf("%+v, %v", e, err)
		}
	})
}

func TestStreamMetadata(t *testing.T) {
	d := open(t)
	d.put("a-1", many("A", 6)...)
	set := func(m func(*client.StreamMetadata)) {
		t.Helper()
		var meta client.StreamMetadata
		m(&meta)
		if _, err := d.SetStreamMetadata(d.ctx, "a-1", client.AppendToStreamOptions{}, meta); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(t *testing.T, want ...uint64) {
		t.Helper()
		if read, err := d.forwards("a-1"); err != nil || !cmp.Equal(read, want) {
			t.Errorf("%v, %v; expected %v", read, err, want)
		}
		for i, j := 0, len(want)-1; i < j; i, j = i+1, j-1 {
			want[i], want[j] = want[j], want[i]
		}
		if read, err := d.revisions("a-1", client.Backwards, client.End{}); err != nil || !cmp.Equal(read, want) {
			t.Errorf("backwards %v, %v; expected %v", read, err, want)
		}
	}
	t.Run("$maxCount", func(t *testing.T) {
		set(func(m *client.StreamMetadata) { m.SetMaxCount(2) })
		expect(t, 4, 5)
	})
	t.Run("the newest metadata are read, and count alone", func(t *testing.T) {
		set(func(m *client.StreamMetadata) { m.SetMaxCount(3) })
		meta, err := d.GetStreamMetadata(d.ctx, "a-1", client.ReadStreamOptions{})
		if err != nil || *meta.MaxCount() != 3 {
			t.Errorf("%+v, %v", meta, err)
		}
		expect(t, 3, 4, 5)
		if read, err := d.forwards("$$a-1"); err != nil || !cmp.Equal(read, []uint64{1}) {
			t.Errorf("the metadata stream holds %v, %v", read, err)
		}
	})
	t.Run("$tb erases", func(t *testing.T) {
		set(func(m *client.StreamMetadata) { m.SetTruncateBefore(2) })
		expect(t, 2, 3, 4, 5)
		if left, err := d.store.Read(t.Context(), "a-1", 0, events.Forwards, 10); err != nil || len(left) != 4 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	t.Run("metadata that cannot be obeyed are refused", func(t *testing.T) {
		bad := client.EventData{EventType: "$metadata", ContentType: client.ContentTypeJson, Data: []byte(`{"$tb":"x"}`)}
		if _, err := d.try("$$a-1", client.Any{}, bad); err == nil {
			t.Error("they are stored")
		}
		expect(t, 2, 3, 4, 5)
	})
}
