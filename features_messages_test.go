package parley_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"parley/engine"
	"parley/engine/openai"
	"parley/engine/script"
	"parley/whatsapp/simulator"
)

// modelServer is a model behind the chat completions protocol, in the same
// process. It keeps what it is asked.
type modelServer struct {
	t     *testing.T
	reply func(asked) reply

	mutex    sync.Mutex
	requests []asked
}

// asked is a request to the model.
type asked struct {
	Messages []struct {
		Role    string
		Content json.RawMessage
		Calls   []toolCall `json:"tool_calls"`
	}
	Tools []struct{ Function struct{ Name string } }
}

// reply is what the model makes of it: after a time a text and calls, or a
// refusal with an HTTP status.
type reply struct {
	takes  time.Duration
	status int
	text   string
	calls  []toolCall
}

type toolCall struct {
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

func calling(name, arguments string) reply {
	c := toolCall{}
	c.Function.Name, c.Function.Arguments = name, arguments
	return reply{calls: []toolCall{c}}
}

// modelled is the real engine before a model server of our own.
func modelled(t *testing.T, r func(asked) reply) (*modelServer, engine.Engine) {
	t.Helper()
	s := &modelServer{t: t, reply: r}
	e, err := openai.New(openai.Config{BaseURL: "http://model.test/v1", Transport: simulator.Through(s)})
	if err != nil {
		t.Fatal(err)
	}
	return s, e
}

func (s *modelServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var a asked
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || r.URL.Path != "/v1/chat/completions" {
		s.t.Errorf("%s: %v", r.URL.Path, err)
	}
	s.mutex.Lock()
	s.requests = append(s.requests, a)
	s.mutex.Unlock()
	answer := s.reply(a)
	select {
	case <-time.After(answer.takes):
	case <-r.Context().Done():
		return
	}
	if answer.status != 0 {
		http.Error(w, `{"error":{"message":"not now"}}`, answer.status)
		return
	}
	delta, finish := object{"role": "assistant", "content": answer.text}, "stop"
	if len(answer.calls) > 0 {
		var calls []object
		for i, c := range answer.calls {
			calls = append(calls, object{"index": i, "id": fmt.Sprint("call", i), "type": "function", "function": c.Function})
		}
		delta["tool_calls"], finish = calls, "tool_calls"
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, choice := range []object{{"index": 0, "delta": delta}, {"index": 0, "delta": object{}, "finish_reason": finish}} {
		chunk, _ := json.Marshal(object{"id": "c", "object": "chat.completion.chunk", "choices": []object{choice}})
		fmt.Fprintf(w, "data: %s\n\n", chunk)
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}

// asked are the requests so far, oldest first.
func (s *modelServer) asked() []asked {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.requests)
}

// last is the newest request.
func (s *modelServer) last() asked {
	s.t.Helper()
	all := s.asked()
	if len(all) == 0 {
		s.t.Fatal("the model was not asked")
	}
	return all[len(all)-1]
}

// words is what the user said last, "" if a function was called since.
func (a asked) words() string {
	last := a.Messages[len(a.Messages)-1]
	if last.Role != "user" {
		return ""
	}
	return shown(last.Content)
}

// transcript is the request as lines that a person can read.
func (a asked) transcript() []string {
	var lines []string
	for _, m := range a.Messages {
		if text := shown(m.Content); text != "" {
			lines = append(lines, m.Role+": "+text)
		}
		for _, c := range m.Calls {
			lines = append(lines, m.Role+" calls "+c.Function.Name+c.Function.Arguments)
		}
	}
	return lines
}

// shown is a content as text, pictures as their addresses.
func shown(content json.RawMessage) string {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return text
	}
	var parts []struct {
		Text  string
		Image struct{ URL string } `json:"image_url"`
	}
	_ = json.Unmarshal(content, &parts) // no content at all is none
	var all []string
	for _, p := range parts {
		all = append(all, p.Text+p.Image.URL)
	}
	return strings.Join(all, " + ")
}

// repeats is a model that says the same again.
func repeats(a asked) reply { return reply{text: "You said: " + a.words()} }

// bare is a message to Meta without its address.
func bare(t *testing.T, a simulator.Accepted) object {
	t.Helper()
	var payload object
	if err := json.Unmarshal(a.Payload, &payload); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"messaging_product", "recipient_type", "to", "biz_opaque_callback_data"} {
		delete(payload, key)
	}
	return payload
}

func parsed(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// function is a call of the model's, and what has to become of it.
type function struct {
	name, function, arguments string
	// message is what Meta gets; "" is nothing.
	message string
	// result is what the model is told.
	result string
}

const done = `{"status":"done"}`

var functions = []function{
	{
		"one button", "_send_interactive_buttons",
		`{"body":"Shall I go **on**?","buttons":[{"id":"go","title":"Go on"}]}`,
		`{"type":"interactive","interactive":{"type":"button","body":{"text":"Shall I go *on*?"},
			"action":{"buttons":[{"type":"reply","reply":{"id":"go","title":"Go on"}}]}}}`, done,
	},
	{
		"three buttons", "_send_interactive_buttons",
		`{"body":"Which?","footer":"Take your time","buttons":[{"id":"a","title":"A"},{"id":"b","title":"B"},{"id":"c","title":"C"}]}`,
		`{"type":"interactive","interactive":{"type":"button","body":{"text":"Which?"},"footer":{"text":"Take your time"},"action":{"buttons":[
			{"type":"reply","reply":{"id":"a","title":"A"}},{"type":"reply","reply":{"id":"b","title":"B"}},{"type":"reply","reply":{"id":"c","title":"C"}}]}}}`, done,
	},
	{
		"four buttons are a list", "_send_interactive_buttons",
		`{"body":"Which?","footer":"Take your time","buttons":[{"id":"a","title":"A"},{"id":"b","title":"B"},{"id":"c","title":"C"},{"id":"d","title":"D"}]}`,
		`{"type":"interactive","interactive":{"type":"list","body":{"text":"Which?"},"footer":{"text":"Take your time"},"action":{"button":"Menu","sections":[
			{"rows":[{"id":"a","title":"A"},{"id":"b","title":"B"},{"id":"c","title":"C"},{"id":"d","title":"D"}]}]}}}`,
		`{"status":"done","note":"only 3 buttons fit into a message, so a list is shown instead"}`,
	},
	{
		"a list of two sections and five rows", "_send_interactive_list",
		`{"header":"Our menu","body":"What would you like?","footer":"Until 6 pm","buttonText":"Choose","sections":[
			{"title":"Hot","rows":[{"id":"tea","title":"Tea","description":"green or black"},{"id":"soup","title":"Soup"}]},
			{"title":"Cold","rows":[{"id":"ice","title":"Ice"},{"id":"soda","title":"Soda"},{"id":"milk","title":"Milk"}]}]}`,
		`{"type":"interactive","interactive":{"type":"list","header":{"type":"text","text":"Our menu"},"body":{"text":"What would you like?"},
			"footer":{"text":"Until 6 pm"},"action":{"button":"Choose","sections":[
			{"title":"Hot","rows":[{"id":"tea","title":"Tea","description":"green or black"},{"id":"soup","title":"Soup"}]},
			{"title":"Cold","rows":[{"id":"ice","title":"Ice"},{"id":"soda","title":"Soda"},{"id":"milk","title":"Milk"}]}]}}}`, done,
	},
	{
		"a question for the location", "_request_location", `{"prompt":"Where shall we deliver the soup to?"}`,
		`{"type":"interactive","interactive":{"type":"location_request_message","body":{"text":"Where shall we deliver the soup to?"},
			"action":{"name":"send_location"}}}`, done,
	},
	{
		"a place", "_send_location", `{"latitude":37.48,"longitude":-122.15}`,
		`{"type":"location","location":{"latitude":37.48,"longitude":-122.15}}`, done,
	},
	{
		"a place with its labels", "_send_location", `{"latitude":0,"longitude":0,"name":"Shop","address":"1 Main Street"}`,
		`{"type":"location","location":{"latitude":0,"longitude":0,"name":"Shop","address":"1 Main Street"}}`, done,
	},
	{
		"a place with one label", "_send_location", `{"latitude":1,"longitude":2,"address":"1 Main Street"}`,
		`{"type":"location","location":{"latitude":1,"longitude":2,"address":"1 Main Street"}}`, done,
	},
	{"progress", "_report_task_progress", `{"progress":"Looking …"}`, `{"type":"text","text":{"body":"Looking …"}}`, done},
	{"the end of the conversation", "_start_new_conversation", `{}`, "", done},
	{"a place that is not on the earth", "_send_location", `{"latitude":91,"longitude":0}`, "", `{"error":"latitude must be from -90 to 90"}`},
	{"a function that there is not", "_order_pizza", `{}`, "", `{"error":"there is no function \"_order_pizza\""}`},
}

// Each function that the model calls becomes the message that it stands for,
// and stands in the history with its result. F216 F217 F219 F220 F221 F222 F223
func TestFunctionsOfTheModel(t *testing.T) {
	for _, f := range functions {
		t.Run(f.name, func(t *testing.T) {
			model, e := modelled(t, func(a asked) reply {
				if a.words() == "" {
					return reply{text: "There you are"}
				}
				return calling(f.function, f.arguments)
			})
			inHouse(t, options{engine: e}, func(h *house) {
				h.person(alice).Write("Please")
				h.settle()
				got := []any{}
				for _, a := range h.sim.Accepted(alice) {
					got = append(got, bare(h.t, a))
				}
				want := []any{object{"type": "text", "text": object{"body": "There you are"}}}
				if f.message != "" {
					want = append([]any{parsed(h.t, f.message)}, want...)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					h.t.Errorf("Meta got: %s", diff)
				}
				told := model.last().transcript()
				if diff := cmp.Diff([]string{"assistant calls " + f.function + f.arguments, "tool: " + f.result}, told[len(told)-2:]); diff != "" {
					h.t.Errorf("the model was told: %s", diff)
				}
				var calls []any
				for _, m := range h.list("/conversation/" + h.conversations()[0]["id"].(string) + "/message/list") {
					if m["type"] == "activity" {
						calls = append(calls, m["meta"].(object)["activity"].(object)["function"])
					}
				}
				wantCalls := []any{object{"name": f.function, "arguments": parsed(h.t, f.arguments), "result": parsed(h.t, f.result)}}
				if diff := cmp.Diff(wantCalls, calls); diff != "" {
					h.t.Errorf("the history says: %s", diff)
				}
			})
		})
	}
}

// WhatsApp shows three buttons; more become what it can show, and nothing is
// left out. F217
func TestMoreButtonsThanFit(t *testing.T) {
	for n, want := range map[int]string{3: "button", 4: "list", 10: "list", 11: "text"} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			asks := script.Func(func(t engine.Turn) []script.Step {
				menu := engine.Buttons{Body: "Which?"}
				for i := range n {
					menu.Buttons = append(menu.Buttons, engine.Button{ID: fmt.Sprint("id", i), Title: fmt.Sprint("Title ", i)})
				}
				return []script.Step{script.Do(menu)}
			})
			inHouse(t, options{engine: asks}, func(h *house) {
				h.person(alice).Write("Hello")
				h.settle()
				sent := h.sim.Accepted(alice)
				if len(sent) != 1 {
					h.t.Fatalf("%d messages", len(sent))
				}
				kind := sent[0].Type
				if about, ok := bare(h.t, sent[0])["interactive"].(object); ok {
					kind = about["type"].(string)
				}
				if titles := strings.Count(string(sent[0].Payload), "Title "); kind != want || titles != n {
					h.t.Errorf("%s with %d titles", kind, titles)
				}
			})
		})
	}
}

func TestTheModelIsOfferedWhatWhatsAppCanShow(t *testing.T) { // F172 F227
	model, e := modelled(t, repeats)
	inHouse(t, options{engine: e}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		var offered []string
		for _, tool := range model.last().Tools {
			offered = append(offered, tool.Function.Name)
		}
		want := []string{
			"_send_interactive_buttons", "_send_interactive_list", "_request_location",
			"_send_location", "_report_task_progress", "_start_new_conversation",
		}
		if diff := cmp.Diff(want, offered); diff != "" {
			h.t.Error(diff)
		}
	})
}

// Buttons and rows come back with their ID and title, so that nothing that
// stands in them could be taken for something else. F211 F212 F213 F218
func TestAChoiceComesBackAsItWasOffered(t *testing.T) {
	for _, c := range []struct{ name, id, title, shows string }{
		{"plain", "tea", "Green tea", "%s id=tea] Green tea"},
		{"with spaces and signs", "tea/green #1?&x=y", "Tea: 1,50 €", "%s id=tea/green #1?&x=y] Tea: 1,50 €"},
		{"not English", "thé☕", "चाय ☕", "%s id=thé☕] चाय ☕"},
		{"with quotes within", `a"b\c`, `"Tea" \ 'x'`, `%s id=a"b\c] "Tea" \ 'x'`},
		{"an ID that would end the form", "a] Coffee", "Tea] [x]", `%s id="a] Coffee"] Tea] [x]`},
		{"an ID that looks quoted", `"a"`, "Tea", `%s id="\"a\""] Tea`},
		{"an ID of two lines", "a\nb", "Tea", `%s id="a\nb"] Tea`},
		{"a title like WhatsApp's marks", "b", "*Tea* _x_", "%s id=b] *Tea* _x_"},
	} {
		t.Run(c.name, func(t *testing.T) {
			choice, _ := json.Marshal(object{"id": c.id, "title": c.title})
			model, e := modelled(t, func(a asked) reply {
				switch a.words() {
				case "Buttons":
					return calling("_send_interactive_buttons", `{"body":"?","buttons":[{"id":"no","title":"No"},`+string(choice)+`]}`)
				case "List":
					return calling("_send_interactive_list", `{"body":"?","buttonText":"Open","sections":[{"rows":[{"id":"no","title":"No"},`+string(choice)+`]}]}`)
				}
				return reply{}
			})
			inHouse(t, options{engine: e}, func(h *house) {
				for i, kind := range []string{"Buttons", "List"} {
					h.person(alice).Write(kind)
					h.settle()
					menu := h.sim.Accepted(alice)[i].WAMID
					if _, err := h.person(alice).Tap(menu, c.id); err != nil {
						h.t.Fatal(err)
					}
					time.Sleep(time.Second)
					synctest.Wait()
					want := fmt.Sprintf("[selection "+c.shows, []string{"button", "list"}[i])
					if got := model.last().words(); got != want {
						h.t.Errorf("the model read %s, want %s", got, want)
					}
					messages := h.list("/conversation/" + h.conversations()[0]["id"].(string) + "/message/list")
					last := messages[len(messages)-1]
					if last["type"] != "user" || last["text"] != want || last["meta"].(object)["whatsapp"].(object)["replyTo"] != menu {
						h.t.Errorf("the history says %v", last)
					}
				}
			})
		})
	}
}

func TestSharedLocationsReachTheModel(t *testing.T) { // F214 F215
	model, e := modelled(t, repeats)
	inHouse(t, options{engine: e}, func(h *house) {
		for _, c := range []struct {
			latitude, longitude float64
			name, address, want string
		}{
			{37.483307, -122.148981, "Shop", "1 Main Street", `[location lat=37.483307 lon=-122.148981 name="Shop" address="1 Main Street" ]`},
			{-90, 0.5, "", "", `[location lat=-90 lon=0.5 ]`},
			{1, 2, "Shop", "", `[location lat=1 lon=2 name="Shop" ]`},
			{1, 2, "", "1 Main Street", `[location lat=1 lon=2 address="1 Main Street" ]`},
			{1, 2, `The "Old" ] Shop`, "1\\2\nMain Street", `[location lat=1 lon=2 name="The \"Old\" ] Shop" address="1\\2\nMain Street" ]`},
		} {
			h.person(alice).ShareLocation(c.latitude, c.longitude, c.name, c.address)
			h.settle()
			if got := model.last().words(); got != c.want {
				h.t.Errorf("the model read %s, want %s", got, c.want)
			}
			history := h.history(h.conversations()[0]["id"].(string))
			if got := history[len(history)-2]; got != "user: "+c.want {
				h.t.Errorf("the history says %s", got)
			}
		}
	})
}

func TestPicturesAreShownToTheModelIfWanted(t *testing.T) { // F172 F205 F226
	model, e := modelled(t, repeats)
	inHouse(t, options{engine: e}, func(h *house) {
		send := func(person string) []string {
			h.person(person).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "What is this?"})
			h.settle()
			return model.last().transcript()[1:]
		}
		if diff := cmp.Diff([]string{"user: What is this?"}, send(alice)); diff != "" {
			h.t.Errorf("off: %s", diff)
		}
		h.attach()
		got := send(bob)
		picture := "data:image/png;base64," + base64.StdEncoding.EncodeToString(png)
		if len(got) != 3 || !strings.HasPrefix(got[0], "assistant calls uploadAttachment") || got[2] != "user: What is this? + "+picture {
			h.t.Errorf("on: %q", got)
		}
	})
}

func TestProgressOfTheModelComesFirst(t *testing.T) { // F224
	_, e := modelled(t, func(a asked) reply {
		if a.words() == "" {
			return reply{takes: 5 * time.Second, text: "Found it"}
		}
		return calling("_report_task_progress", `{"progress":"Looking …"}`)
	})
	inHouse(t, options{engine: e}, func(h *house) {
		h.person(alice).Write("Search")
		h.settle()
		sent := h.sim.Accepted(alice)
		if diff := cmp.Diff([]string{"Looking …", "Found it"}, h.texts(alice)); diff != "" {
			h.t.Fatal(diff)
		}
		if gap := sent[1].At.Sub(sent[0].At); gap < 5*time.Second {
			h.t.Errorf("progress came %v before the answer", gap)
		}
	})
}

// Every turn is asked with all that was said and done before, also across a
// restart. F187 F195 F225
func TestTheModelIsToldTheWholeConversation(t *testing.T) {
	model, e := modelled(t, func(a asked) reply {
		switch words := a.words(); words {
		case "two":
			return calling("_send_location", `{"latitude":1,"longitude":2,"name":"Shop"}`)
		case "":
			return reply{text: "That is where."}
		default:
			return reply{text: "**" + words + "**, you say"}
		}
	})
	inHouse(t, options{engine: e}, func(h *house) {
		for i, words := range []string{"one", "two", "three", "four", "five"} {
			h.person(alice).Write(words)
			h.settle()
			if i == 2 { // nothing of it is only in memory
				h.stop()
				h.start()
			}
		}
		whole := []string{
			"system: You are kind.",
			"user: one", "assistant: **one**, you say",
			"user: two", "assistant: Shop", `assistant calls _send_location{"latitude":1,"longitude":2,"name":"Shop"}`, "tool: " + done, "assistant: That is where.",
			"user: three", "assistant: **three**, you say",
			"user: four", "assistant: **four**, you say",
			"user: five",
		}
		turns := 0
		for _, a := range model.asked() {
			if a.words() == "" {
				continue // within the second turn
			}
			turns++
			got := a.transcript()
			if diff := cmp.Diff(whole[:min(len(got), len(whole))], got); diff != "" {
				h.t.Error(diff)
			}
		}
		if turns != 5 {
			h.t.Errorf("%d turns", turns)
		}
	})
}

// What the model writes is what WhatsApp shows. F229 F230
func TestMarkdownOfTheModel(t *testing.T) {
	const page, picture = "https://example.org/a_b", "https://example.org/a.png"
	cases := []struct{ name, markdown, text string }{
		{"bold, italic, strike and code", "**bold**, _italic_, ~~gone~~ and `a*b`", "*bold*, _italic_, ~gone~ and `a*b`"},
		{"a block of code", "```go\nx := *y\n```", "```x := *y```"},
		{"a heading", "# Title\n\nText", "*Title*\n\nText"},
		{"lists", "- a\n- b\n\n1. c\n2. d", "- a\n- b\n\n1. c\n2. d"},
		{"a quote", "> said\n\nText", "> said\n\nText"},
		{"a link", "See [the page](" + page + ").", "See the page (" + page + ")."},
		{"paragraphs and hard breaks", "a\n\n\nb\\\nc  \nd\n\ne", "a\n\nb\nc\nd\n\ne"},
		{"plain text", "1 < 2 & 3 * 4 = 12, snake_case_name", "1 < 2 & 3 * 4 = 12, snake_case_name"},
	}
	_, e := modelled(t, func(a asked) reply {
		for _, c := range cases {
			if c.name == a.words() {
				return reply{text: c.markdown}
			}
		}
		return reply{text: "Look:\n\n![A cat](" + picture + ")"}
	})
	inHouse(t, options{engine: e}, func(h *house) {
		for i, c := range cases {
			h.person(alice).Write(c.name)
			h.settle()
			if got := h.texts(alice)[i:]; len(got) != 1 || got[0] != c.text {
				h.t.Errorf("%s: %q", c.name, got)
			}
		}
		h.person(bob).Write("an image")
		h.settle()
		var got []object
		for _, a := range h.sim.Accepted(bob) {
			got = append(got, bare(h.t, a))
		}
		want := []object{{"type": "text", "text": object{"body": "Look:"}}, {"type": "image", "image": object{"link": picture, "caption": "A cat"}}}
		if diff := cmp.Diff(want, got); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestALongAnswerOfTheModelIsSplit(t *testing.T) { // F231
	const family = "👨‍👩‍👧‍👦"
	var long strings.Builder
	for n := 1; long.Len() < 10_000; n++ {
		fmt.Fprintf(&long, "Paragraph %d is about a family %s of many words. It has a second sentence.\n\n", n, family)
	}
	long.WriteString(strings.Repeat(family, 500)) // no place to cut at
	_, e := modelled(t, func(asked) reply { return reply{text: long.String()} })
	inHouse(t, options{engine: e}, func(h *house) {
		h.person(alice).Write("Tell me")
		h.settle()
		parts := h.texts(alice)
		if len(parts) < 3 {
			h.t.Fatalf("%d parts", len(parts))
		}
		for i, p := range parts {
			if n := len(utf16.Encode([]rune(p))); n > 4096 {
				h.t.Errorf("part %d has %d characters", i, n)
			}
			for g := uniseg.NewGraphemes(p); g.Next(); {
				if s := g.Str(); strings.ContainsAny(s, family) && s != family {
					h.t.Errorf("part %d holds a piece of an emoji: %q", i, s)
				}
			}
		}
		if !strings.HasSuffix(parts[0], "sentence.") || !strings.HasPrefix(parts[1], "Paragraph") {
			h.t.Errorf("it is cut between %q and %q", parts[0][len(parts[0])-20:], parts[1][:20])
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if diff := cmp.Diff(squeeze(long.String()), squeeze(strings.Join(parts, " "))); diff != "" {
			h.t.Errorf("something got lost: %s", diff)
		}
	})
}

// Texts that follow one another are one message, and a file stands between
// them. F232 F234
func TestTextsOfATurnAreOneMessage(t *testing.T) {
	const image = "![](https://example.org/a.png)"
	for _, c := range []struct {
		name string
		acts []engine.Act
		want []string
	}{
		{"five paragraphs", []engine.Act{engine.Say{Text: "1\n\n2\n\n3\n\n4\n\n5"}}, []string{"text 1\n\n2\n\n3\n\n4\n\n5"}},
		{"five texts", []engine.Act{
			engine.Say{Text: "1"}, engine.Say{Text: "2"}, engine.Say{Text: "3"}, engine.Say{Text: "4"}, engine.Say{Text: "5"},
		}, []string{"text 1\n\n2\n\n3\n\n4\n\n5"}},
		{"text, text, image, text", []engine.Act{
			engine.Say{Text: "1"}, engine.Say{Text: "2"}, engine.Say{Text: image}, engine.Say{Text: "3"},
		}, []string{"text 1\n\n2", "image ", "text 3"}},
		{"a function call between texts", []engine.Act{
			engine.Say{Text: "1"}, engine.Called{Call: engine.Call{Function: "look", Arguments: []byte(`{}`), Result: []byte(`{}`)}}, engine.Say{Text: "2"},
		}, []string{"text 1\n\n2"}},
		{"a question between texts", []engine.Act{
			engine.Say{Text: "1"}, engine.AskLocation{Prompt: "Where?"}, engine.Say{Text: "2"},
		}, []string{"text 1", "interactive Where?", "text 2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			says := script.Func(func(engine.Turn) []script.Step { return []script.Step{script.Do(c.acts...)} })
			inHouse(t, options{engine: says}, func(h *house) {
				h.person(alice).Write("Hello")
				h.settle()
				var got []string
				for _, a := range h.sim.Accepted(alice) {
					got = append(got, a.Type+" "+a.Text())
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					h.t.Error(diff)
				}
			})
		})
	}
}
