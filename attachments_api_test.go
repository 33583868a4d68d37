package parley_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/whatsapp/simulator"
)

// attachmentNames lists the attachments of a conversation, oldest first.
func (h *house) attachmentNames(conversation string) (names []string) {
	h.t.Helper()
	for _, a := range h.list("/conversation/" + conversation + "/attachment/list") {
		names = append(names, a["name"].(string))
	}
	return names
}

// begin lets alice send something in a new session, and gives its ID.
func (h *house) begin(send func(simulator.Person)) string {
	h.t.Helper()
	known := map[any]bool{}
	for _, c := range h.conversations() {
		known[c["id"]] = true
	}
	h.person(alice).Write("/new")
	h.settle()
	send(h.person(alice))
	h.settle()
	for _, c := range h.conversations() {
		if !known[c["id"]] {
			return c["id"].(string)
		}
	}
	h.t.Fatal("there is no new conversation")
	return ""
}

func picture(p simulator.Person) {
	p.SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "Look"})
}

func greeting(p simulator.Person) { p.Write("Hello") }

func TestAttachmentsOfConversations(t *testing.T) { // A24 F035 F036 F037 F038 F068 F113
	inHouse(t, options{}, func(h *house) {
		without := h.begin(picture)
		h.attach()
		id := h.begin(picture)
		path := "/conversation/" + id
		h.rule("what people send is listed, if attachments are on", func(t rule) {
			items := h.list(path + "/attachment/list")
			want := []object{{
				"name": "image.png", "description": "", "type": "image/png", "size": float64(len(png)), "meta": object{},
			}}
			ignore := cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "id" || strings.HasSuffix(key, "At") })
			if diff := cmp.Diff(want, items, ignore); diff != "" {
				t.Error(diff)
			}
			if got := h.attachmentNames(without); len(got) != 0 {
				t.Errorf("with attachments off there are %v", got)
			}
		})
		attachment := h.list(path + "/attachment/list")[0]["id"].(string)
		h.rule("it can be had by ID and by name, by its owner alone", func(t rule) {
			for _, name := range []string{attachment, "image.png"} {
				a := h.download(path + "/attachment/" + name)
				if a.text != string(png) || a.header.Get("Content-Type") != "image/png" || !strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") {
					t.Errorf("%s: %d %v", name, a.status, a.header)
				}
				for secret, want := range map[string]int{"": 401, "sk-wrong": 401, otherSecret: 404} {
					a := h.call(http.MethodGet, path+"/attachment/"+name+"/download", secret, nil)
					if a.status != want {
						t.Errorf("%s with %q: %d", name, secret, a.status)
					}
				}
			}
			for _, none := range []string{path + "/attachment/none", "/conversation/none/attachment/" + attachment, "/conversation/" + without + "/attachment/" + attachment} {
				if a := h.download(none); a.status != 404 || a.body["code"] != "NOT_FOUND" {
					t.Errorf("%s: %d %s", none, a.status, a.text)
				}
			}
			if a := h.download(path+"/attachment/"+attachment, "Accept", "image/png"); a.status != 200 || a.text != string(png) {
				t.Errorf("as a picture: %d", a.status)
			}
			address := h.download(path+"/attachment/image.png", "Accept", "application/json").body["url"].(string)
			if a := h.call(http.MethodGet, strings.TrimPrefix(address, "http://example.com"), "", nil); a.text != string(png) {
				t.Errorf("by its address: %d %s", a.status, a.text)
			}
		})
		h.rule("files can be attached, also where clients do it by mistake", func(t rule) {
			h.deliver(path+"/attachment", "menu.txt", "text/plain", menu)
			h.deliver("/Attachment/"+id, "../list.txt", "text/plain", menu)
			a := h.call(http.MethodPost, path+"/attachment/upload", apiSecret, object{"file": "data:text/plain;base64,SGVsbG8="})
			if a.status != 200 || a.body["name"] != "file.txt" {
				t.Errorf("%d %s", a.status, a.text)
			}
			if diff := cmp.Diff([]string{"image.png", "menu.txt", "list.txt", "file.txt"}, h.attachmentNames(id)); diff != "" {
				t.Error(diff)
			}
			if got := h.download(path + "/attachment/" + a.body["id"].(string)); got.text != "Hello" {
				t.Errorf("%d %q", got.status, got.text)
			}
		})
		h.rule("they stand in the history as what people send does", func(t rule) {
			var calls []string
			for _, m := range h.list(path + "/message/list") {
				activity, ok := m["meta"].(object)["activity"].(object)
				if m["type"] != "activity" || !ok {
					continue
				}
				function := activity["function"].(object)
				result := function["result"].(object)
				calls = append(calls, fmt.Sprint(function["name"], " ", result["name"], " ", result["type"], " ", result["url"], " ", result["id"] == m["id"]))
			}
			want := []string{
				"uploadAttachment image.png image/png attachment://image.png true", "uploadAttachment menu.txt text/plain attachment://menu.txt true",
				"uploadAttachment list.txt text/plain attachment://list.txt true", "uploadAttachment file.txt text/plain attachment://file.txt true",
			}
			if diff := cmp.Diff(want, calls); diff != "" {
				t.Error(diff)
			}
			if got := h.list("/event/log/list?type=conversation.attachment.uploaded&conversationId=" + id); len(got) != 3 {
				t.Errorf("%d events", len(got))
			}
		})
		h.rule("an older conversation takes them, too, and they do not wander", func(t rule) {
			h.deliver("/conversation/"+without+"/attachment", "late.txt", "text/plain", []byte("late"))
			if diff := cmp.Diff([]string{"late.txt"}, h.attachmentNames(without)); diff != "" {
				t.Error(diff)
			}
			last := h.list("/conversation/" + without + "/message/list")
			if last[len(last)-1]["type"] != "activity" || slices.Contains(h.attachmentNames(id), "late.txt") {
				t.Errorf("the history ends with %v", last[len(last)-1])
			}
		})
		h.rule("they stay when the integration is deleted", func(t rule) {
			h.post(integrations+"/"+h.integration+"/delete", nil)
			h.settle()
			h.crash()
			if a := h.download(path + "/attachment/" + attachment); a.text != string(png) {
				t.Errorf("%d %s", a.status, a.text)
			}
			h.deliver(path+"/attachment", "after.txt", "text/plain", []byte("after"))
			if got := h.attachmentNames(id); len(got) != 5 {
				t.Errorf("%v", got)
			}
		})
	})
}

func TestTicketsOfAttachments(t *testing.T) { // A24 F037
	inHouse(t, options{}, func(h *house) {
		id, other := h.begin(greeting), h.begin(greeting)
		path := "/conversation/" + id + "/attachment"
		address, headers := h.offer(path, "a.txt", "text/plain", 5)
		for range 3 {
			if a := h.send(address, headers, []byte("hello")); a.status != 200 {
				t.Errorf("%d %s", a.status, a.text)
			}
		}
		if a := h.send(address, headers, []byte("other")); a.status != 409 {
			t.Errorf("other bytes: %d %s", a.status, a.text)
		}
		h.crash()
		if a := h.send(address, headers, []byte("other")); a.status != 409 {
			t.Errorf("other bytes after a crash: %d %s", a.status, a.text)
		}
		if diff := cmp.Diff([]string{"a.txt"}, h.attachmentNames(id)); diff != "" {
			t.Error(diff)
		}
		if got := h.attachmentNames(other); len(got) != 0 {
			t.Errorf("the other conversation has %v", got)
		}
		h.deliver(path, "a.txt", "text/plain", []byte("newer"))
		if a := h.download(path + "/a.txt"); a.text != "newer" {
			t.Errorf("the newest of a name is %q", a.text)
		}
		late, headers := h.offer(path, "a.txt", "text/plain", 5)
		time.Sleep(15 * time.Minute)
		if a := h.send(late, headers, []byte("later")); a.status != 403 {
			t.Errorf("too late: %d %s", a.status, a.text)
		}
		for _, c := range []struct{ path, secret string }{{path, otherSecret}, {"/conversation/none/attachment", apiSecret}, {"/Attachment/" + id, otherSecret}} {
			a := h.call(http.MethodPost, c.path+"/upload", c.secret, object{"file": object{"type": "a/b", "size": 1}})
			if a.status != 404 || a.body["message"] != "Conversation not found" {
				t.Errorf("%s: %d %s", c.path, a.status, a.text)
			}
		}
		if a := h.call(http.MethodGet, path+"/list", otherSecret, nil); a.status != 404 {
			t.Errorf("another account's list: %d %s", a.status, a.text)
		}
	})
}

// What a file lets go of stays if a conversation refers to it, whoever sent it.
// A23 F113
func TestContentsOfAttachmentsStay(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.attach()
		id := h.begin(picture)
		h.deliver("/conversation/"+id+"/attachment", "menu.txt", "text/plain", menu)
		for _, content := range [][]byte{png, menu, []byte("a file's own")} {
			file := h.create("/file", object{})
			h.deliver("/file/"+file, "x", "", content)
			h.post("/file/"+file+"/delete", nil)
		}
		time.Sleep(48 * time.Hour) // discarded by then, and swept
		synctest.Wait()
		for name, want := range map[string][]byte{"image.png": png, "menu.txt": menu} {
			if a := h.download("/conversation/" + id + "/attachment/" + name); a.text != string(want) {
				t.Errorf("%s: %d %s", name, a.status, a.text)
			}
		}
		if n := h.contents(); n != 2 {
			t.Errorf("%d contents", n)
		}
	})
}
