package parley_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/script"
	"parley/media"
	"parley/whatsapp/simulator"
)

// A small PNG, and something that is an Ogg file as far as anybody can tell.
var (
	png   = append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"), 1, 2, 3, 4)
	voice = append([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00OpusHead"), make([]byte, 40)...)
)

// sees answers with what it was shown.
func sees() engine.Engine {
	return script.Func(func(t engine.Turn) []script.Step {
		var saw []string
		for _, m := range t.Unanswered() {
			for _, i := range m.Images {
				saw = append(saw, i.Type)
				if !bytes.Equal(i.Data, png) {
					saw = append(saw, "(another picture)")
				}
			}
			saw = append(saw, m.Text)
		}
		return []script.Step{script.Say(strings.Join(saw, "; "))}
	})
}

// words writes every recording down in the same way.
type words struct {
	text string
	err  error
}

func (w words) Transcribe(_ context.Context, r engine.Recording) (string, error) {
	if !bytes.Equal(r.Data, voice) || !strings.HasPrefix(r.Type, "audio/") {
		return "", errors.New("this is not what was sent")
	}
	return w.text, w.err
}

// attach switches attachments on.
func (h *house) attach() {
	h.t.Helper()
	h.post(integrations+"/"+h.integration+"/update", object{"attachments": true})
}

func TestPicturesReachTheModel(t *testing.T) { // F005 F010 F203 F204 F205 F206 F004
	inHouse(t, options{engine: sees()}, func(h *house) {
		h.attach()
		h.person(alice).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "What is this?"})
		h.settle()
		if diff := cmp.Diff([]string{"image/png; What is this?"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		messages := h.list("/conversation/" + h.conversations()[0]["id"].(string) + "/message/list")
		activity := messages[1]["meta"].(object)["activity"].(object)["function"].(object)
		if activity["name"] != "uploadAttachment" || activity["result"].(object)["type"] != "image/png" {
			h.t.Errorf("the history says %v", activity)
		}
		stored := h.storedFiles()
		if len(stored) != 1 || stored[0].Type != "image/png" || stored[0].Size != int64(len(png)) {
			h.t.Errorf("stored %v", stored)
		}
		for _, c := range h.sim.Calls() {
			if (c.Kind == "media" || c.Kind == "download") && !c.WithToken {
				h.t.Errorf("%s was asked for without the token", c.Kind)
			}
		}
	})
}

// A file that follows words in the same turn does not take their place.
func TestWordsBeforeAFileAreAnswered(t *testing.T) {
	inHouse(t, options{rules: gathering}, func(h *house) {
		h.attach()
		h.person(alice).Write("Look at this")
		h.person(alice).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "Is it mine?"})
		h.settle()
		if diff := cmp.Diff([]string{"You said: Look at this | Is it mine?"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
	})
}

// storedFiles are the contents that the event log tells of.
func (h *house) storedFiles() []media.Object {
	h.t.Helper()
	var all []media.Object
	for _, e := range h.list("/event/log/list?type=integration.whatsapp.attachment.stored") {
		meta := e["meta"].(object)
		all = append(all, media.Object{Type: meta["type"].(string), Size: int64(meta["size"].(float64))})
	}
	return all
}

func TestWithoutAttachmentsNothingIsFetched(t *testing.T) { // F226
	inHouse(t, options{engine: sees()}, func(h *house) {
		h.person(alice).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "What is this?"})
		h.person(alice).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png"})
		h.settle()
		if diff := cmp.Diff([]string{"What is this?"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		for _, c := range h.sim.Calls() {
			if c.Kind == "media" || c.Kind == "download" {
				h.t.Errorf("%s was asked for", c.Kind)
			}
		}
	})
}

func TestVoiceMessagesAreWrittenDown(t *testing.T) { // F207 F208 F209
	for _, c := range []struct {
		name string
		by   engine.Transcriber
		want string
	}{
		{"by a model", words{text: "Are you open today?"}, "Are you open today?"},
		{"or announced", nil, `[audio "audio.oga"]`},
		{"or announced when the model fails", words{err: errors.New("no")}, `[audio "audio.oga"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHouse(t, options{engine: sees(), transcriber: c.by}, func(h *house) {
				h.attach()
				h.person(alice).SendFile(simulator.File{Kind: "voice", Bytes: voice})
				h.settle()
				if diff := cmp.Diff([]string{c.want}, h.texts(alice)); diff != "" {
					h.t.Error(diff)
				}
				if stored := h.storedFiles(); len(stored) != 1 || !strings.HasPrefix(stored[0].Type, "audio/") {
					h.t.Errorf("stored %v", stored)
				}
			})
		})
	}
}

func TestAFileThatCannotBeHadCostsOnlyTheFile(t *testing.T) { // F237
	for _, role := range simulator.FileCast() {
		t.Run(role.Does, func(t *testing.T) {
			inHouse(t, options{engine: sees()}, func(h *house) {
				h.attach()
				h.person(role.Number).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "Look"})
				time.Sleep(30 * time.Minute)
				got := h.texts(role.Number)
				if len(got) != 1 || !strings.HasSuffix(got[0], "Look") && !strings.HasSuffix(got[0], "[image could not be loaded]") {
					h.t.Errorf("answered %q", got)
				}
				for _, c := range h.sim.Calls() {
					if c.Kind == "private" {
						h.t.Error("a private address was asked")
					}
				}
				if !strings.Contains(got[0], "could not") {
					return // it could be had in the end
				}
				if reason := h.event("attachment.failed")["reason"]; reason == "" {
					h.t.Error("no event says why")
				}
			})
		})
	}
}

func TestACrashBetweenFetchAndTurn(t *testing.T) { // P4
	inHouse(t, options{engine: sees()}, func(h *house) {
		h.attach()
		h.person("15550003408").SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "Look"})
		time.Sleep(time.Second)
		h.crash()
		time.Sleep(time.Hour)
		if got := h.texts("15550003408"); len(got) != 1 {
			h.t.Errorf("answered %q", got)
		}
	})
}

func TestWhoWritesBecomesAContact(t *testing.T) { // F003
	inHouse(t, options{}, func(h *house) {
		h.notify(text(bob, "wamid.0", "Before it was asked for"))
		h.post(integrations+"/"+h.integration+"/update", object{"contactCollection": true})
		h.notify(text(alice, "wamid.1", "Hello"))
		h.settle()
		h.notify(text(alice, "wamid.2", "/new"))
		h.notify(text(alice, "wamid.3", "Hello again"))
		h.settle()
		contacts := map[any]int{}
		for _, c := range h.conversations() {
			contacts[c["contactId"]]++
		}
		if len(contacts) != 2 || contacts[nil] != 1 {
			h.t.Errorf("contacts of the conversations: %v", contacts)
		}
	})
}

func TestAContactStaysTheSameWhenTheNumberChanges(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/update", object{"contactCollection": true})
		const old, now = "15551230007", "15551230008"
		const oldID, newID = "US.10101010101010101010", "US.13491208655302741918"
		say := func(from, id, wamid, words string) {
			h.notify(strings.Replace(text(from, wamid, words), `"type":"text"`, `"from_user_id":"`+id+`","type":"text"`, 1))
			h.settle()
		}
		say(old, oldID, "wamid.1", "Hello")
		first := h.conversations()[0]["contactId"]
		h.notify(strings.Replace(strings.Replace(text(old, "wamid.2", ""), `"type":"text","text":{"body":""}`,
			`"type":"system","system":{"type":"user_changed_number","body":"changed","wa_id":"`+now+`","user_id":"`+newID+`"}`, 1),
			`"contacts":[{"profile":{"name":"Alice"},"wa_id":"`+old+`"}],`, "", 1))
		h.settle()
		say(now, newID, "wamid.3", "My new number")
		contacts := map[any]int{}
		for _, c := range h.conversations() {
			contacts[c["contactId"]]++
		}
		if first == nil || len(contacts) != 1 || contacts[first] != 2 {
			h.t.Errorf("contacts of the conversations: %v", contacts)
		}
		if got := h.event("contact.changed"); got["phone"] != now || got["userId"] != newID {
			h.t.Errorf("the event says %v", got)
		}
	})
}

func TestAContactStaysTheSameWhenTheUserIDChanges(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/update", object{"contactCollection": true})
		const before, after = "US.10101010101010101010", "US.20202020202020202020"
		hidden := func(id, wamid string) string {
			body := strings.Replace(text("", wamid, "Hello"), `"from":"",`, `"from_user_id":"`+id+`",`, 1)
			return strings.Replace(body, `"wa_id":""`, `"user_id":"`+id+`"`, 1)
		}
		h.notify(hidden(before, "wamid.1"))
		h.settle()
		first := h.conversations()[0]["contactId"]
		h.notify(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"user_id_update","value":{` +
			`"metadata":{"phone_number_id":"` + phoneNumber + `"},` +
			`"user_id_update":[{"detail":"x","user_id":{"previous":"` + before + `","current":"` + after + `"},"timestamp":"1"}]}}]}]}`)
		h.settle()
		h.notify(hidden(after, "wamid.2"))
		h.settle()
		contacts := map[any]int{}
		for _, c := range h.conversations() {
			contacts[c["contactId"]]++
		}
		if first == nil || len(contacts) != 1 || contacts[first] != 2 {
			h.t.Errorf("contacts of the conversations: %v", contacts)
		}
	})
}
