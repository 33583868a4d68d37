package projections_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/projections"
)

func TestFilesAndAttachments(t *testing.T) { // A23 A24 P8
	f := start(t)
	f.fill()
	ctx := t.Context()
	file := func(hash string) events.FileUploaded {
		return events.FileUploaded{
			Content: events.Content{Hash: hash, Name: "a.txt", Type: "text/plain", Size: 5}, Meta: []byte(`{"contentType":"text/plain"}`), Ticket: "t", At: f.at,
		}
	}
	f.put("file-f1", 0, events.FileCreated{Account: "acme", Settings: events.FileSettings{Name: "Menu", Alias: "menu", Visibility: "private"}})
	f.put("file-f1", 0, file("aa"))
	f.put("file-f2", 0, events.FileCreated{Account: "other", Settings: events.FileSettings{Alias: "menu", Visibility: "public"}}, file("bb"))
	attachment := func(id, hash string) events.Attachment {
		return events.Attachment{ID: id, Hash: hash, Name: "a.png", Type: "image/png", Size: 7}
	}
	f.put("conversation-i1.1555", 0,
		events.AttachmentStored{Session: "s1", Message: "m1", Attachment: attachment("a1", "cc")},
		events.AttachmentUploaded{Session: "s1", Attachment: attachment("a2", "bb")},
		events.AttachmentStored{Session: "gone", Message: "m9", Attachment: attachment("a3", "dd")})

	t.Run("a file is found with what it holds, by its owner", func(t *testing.T) {
		for _, id := range []string{"f1", "@menu"} {
			got, err := f.model.File(ctx, "acme", id)
			if err != nil || got.Content.Hash != "aa" || got.Settings.Name != "Menu" || string(got.Settings.Meta) != `{"contentType":"text/plain"}` || got.Updated <= got.Created {
				t.Errorf("%+v, %v", got, err)
			}
		}
		for _, c := range [][2]string{{"other", "f1"}, {"acme", "f2"}, {"acme", "@"}, {"acme", "none"}} {
			if _, err := f.model.File(ctx, c[0], c[1]); !errors.Is(err, projections.ErrNotFound) {
				t.Errorf("%v: %v", c, err)
			}
		}
	})
	t.Run("a public one is found by everybody, by its ID", func(t *testing.T) {
		if got, err := f.model.PublicFile(ctx, "f2"); err != nil || got.Account != "other" {
			t.Errorf("%+v, %v", got, err)
		}
		for _, id := range []string{"f1", "@menu", "none"} {
			if _, err := f.model.PublicFile(ctx, id); !errors.Is(err, projections.ErrNotFound) {
				t.Errorf("%s: %v", id, err)
			}
		}
	})
	t.Run("attachments are listed by their conversation, and found by ID before name", func(t *testing.T) {
		got, err := f.model.Attachments(ctx, "acme", "s1", all)
		var ids []string
		for _, a := range got {
			ids = append(ids, a.ID+" "+a.Hash)
		}
		if diff := cmp.Diff([]string{"a1 cc", "a2 bb"}, ids); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		for name, want := range map[string]string{"a1": "a1", "a2": "a2", "a.png": "a2"} {
			if got, err := f.model.Attachment(ctx, "acme", "s1", name); err != nil || got.ID != want {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		for _, c := range [][3]string{{"other", "s1", "a1"}, {"acme", "s2", "a1"}, {"acme", "s1", "a3"}, {"acme", "gone", "a3"}} {
			if _, err := f.model.Attachment(ctx, c[0], c[1], c[2]); !errors.Is(err, projections.ErrNotFound) {
				t.Errorf("%v: %v", c, err)
			}
		}
		if _, err := f.model.Attachments(ctx, "other", "s1", all); !errors.Is(err, projections.ErrNotFound) {
			t.Errorf("another account's: %v", err)
		}
	})
	refers := func(want string) {
		t.Helper()
		var got []string
		for _, hash := range []string{"aa", "bb", "cc", "dd", "ee", ""} {
			is, err := f.model.Refers(ctx, hash)
			if err != nil {
				t.Fatal(err)
			}
			if is {
				got = append(got, hash)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("referred to are %v, want %s", got, want)
		}
	}
	t.Run("it is known who refers to a content, whoever they are", func(t *testing.T) {
		refers("aa bb cc")
		f.put("file-f1", 0, file("ee"))
		refers("bb cc ee")
		f.put("file-f2", 0, events.FileDeleted{Account: "other", At: f.at})
		refers("bb cc ee") // an attachment has it, too
		f.put("file-f1", 0, events.FileDeleted{Account: "acme", At: f.at})
		refers("bb cc")
	})
	t.Run("a fold from the start comes to the same", func(t *testing.T) { // P6
		live, err := f.model.Fingerprint(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f.stop()
		f.path += ".again"
		f.open()
		if err := f.model.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		if again, err := f.model.Fingerprint(ctx); err != nil || again != live {
			t.Errorf("%v, %s and %s", err, live, again)
		}
	})
}
