//go:build system

package system

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/test/process"
)

// trial is a parley try, seen through its page.
type trial struct{ *world }

func newTrial(t *testing.T) *trial {
	t.Helper()
	tr := &trial{&world{t: t, options: options{data: t.TempDir()}, address: freeAddress(t)}}
	tr.start()
	return tr
}

var secretInWelcome = regexp.MustCompile(`Bearer (\S+)'`)

// start starts the process and reads its welcome.
func (tr *trial) start() {
	tr.t.Helper()
	var said process.Record
	tr.process = launch(tr.t, &said, nil, "try", "--data", tr.options.data, "--listen", tr.address, "--settle", "2s")
	process.Eventually(tr.t, 20*time.Second, "it welcomes people", func() bool {
		return strings.Contains(said.String(), "Stop it with Ctrl-C")
	})
	if !strings.Contains(said.String(), "http://"+tr.address+"/try\n") {
		tr.t.Errorf("the welcome does not name the page: %s", said.String())
	}
	tr.secret = secretInWelcome.FindStringSubmatch(said.String())[1]
}

// entry is what the page shows of one thing that happened.
type entry struct {
	N                    int
	Kind, ID, Text, Menu string
	Choices              []struct{ ID, Title string }
	AskLocation          bool
}

// say posts what somebody does on the page.
func (tr *trial) say(action string, form object) {
	tr.t.Helper()
	encoded, err := json.Marshal(form)
	if err != nil {
		tr.t.Fatal(err)
	}
	response, err := client.Post(tr.base()+"/try/"+action, "application/json", bytes.NewReader(encoded))
	if err != nil {
		tr.t.Fatal(err)
	}
	defer response.Body.Close() // read to the end below
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		tr.t.Fatalf("%s: %v, %d %s", action, err, response.StatusCode, text)
	}
}

// see polls as the page does until somebody sees something.
func (tr *trial) see(person, what string, is func(entry) bool) entry {
	tr.t.Helper()
	var all []entry
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		query := url.Values{"person": {person}, "after": {fmt.Sprint(len(all))}}
		response, err := client.Get(tr.base() + "/try/poll?" + query.Encode())
		if err != nil {
			tr.t.Fatal(err)
		}
		var news struct{ Entries []entry }
		err = json.NewDecoder(response.Body).Decode(&news)
		_ = response.Body.Close()
		if err != nil {
			tr.t.Fatal(err)
		}
		all = append(all, news.Entries...)
		if i := slices.IndexFunc(all, is); i >= 0 {
			return all[i]
		}
	}
	tr.t.Fatalf("%s does not see %s, only %+v", person, what, all)
	return entry{}
}

func (tr *trial) seeBot(person, text string) entry {
	tr.t.Helper()
	return tr.see(person, text, func(e entry) bool { return e.Kind == "bot" && strings.Contains(e.Text, text) })
}

func (tr *trial) tap(person string, e entry, title string) {
	tr.t.Helper()
	for _, c := range e.Choices {
		if c.Title == title {
			tr.say("tap", object{"person": person, "id": e.ID, "choice": c.ID})
			return
		}
	}
	tr.t.Fatalf("there is no %q on %+v", title, e)
}

// A newcomer starts the program, opens the page and chats with a bot that uses
// what WhatsApp has: buttons, a list, a location, and ticks.
func TestTry(t *testing.T) {
	tr := newTrial(t)
	for path, holds := range map[string]string{
		"/try": "<title>Parley", "/try/": "<title>Parley", "/try/chat.js": "poll", "/try/format.js": "function",
		"/try/chat.css": "{", "/try/people": "Tim Out",
	} {
		response, err := client.Get(tr.base() + path)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(page), holds) {
			t.Errorf("%s: %v, %d %.200s", path, err, response.StatusCode, page)
		}
	}
	tr.say("send", object{"person": alice, "text": "Hello!"})
	hello := tr.seeBot(alice, "welcome")
	tr.see(alice, "that the bot writes", func(e entry) bool { return e.Kind == "typing" })
	for _, tick := range []string{"sent", "delivered", "read"} {
		tr.see(alice, tick, func(e entry) bool { return e.Kind == "status" && e.ID == hello.ID && e.Text == tick })
	}
	tr.tap(alice, hello, "See the menu")
	menu := tr.seeBot(alice, "What would you like?")
	if menu.Menu != "Our menu" || len(menu.Choices) != 4 {
		t.Errorf("the menu is %+v", menu)
	}
	tr.tap(alice, menu, "Tea")
	if where := tr.seeBot(alice, "One tea, lovely!"); !where.AskLocation {
		t.Errorf("nobody asks where: %+v", where)
	}
	tr.say("location", object{"person": alice, "latitude": 52.5, "longitude": 13.4, "name": "Home"})
	tr.seeBot(alice, "Your tea will be with you")
	tr.process.Terminate()
}

// A trial that is killed goes on with the chat when it is started again. P4
func TestTryRemembers(t *testing.T) {
	tr := newTrial(t)
	tr.say("send", object{"person": alice, "text": "my name is Lena"})
	tr.seeBot(alice, "Nice to meet you")
	tr.process.Kill()
	tr.start()
	tr.say("send", object{"person": alice, "text": "What's my name?"})
	tr.seeBot(alice, "You are Lena, of course.")
	tr.process.Terminate()
}

// A trial that is killed while it answers many people answers what had reached
// it when it is started again. P4
func TestTryGoesOn(t *testing.T) {
	tr := newTrial(t)
	const people = 200
	var writing sync.WaitGroup
	for i := range people {
		writing.Go(func() { tr.say("send", object{"person": person(i), "text": "Hello"}) })
	}
	writing.Wait()
	tr.see(person(0), "an answer", func(e entry) bool { return e.Kind == "bot" })
	tr.process.Kill()
	killed := time.Now().UnixMilli()
	tr.start()
	after := 0
	process.Eventually(t, 40*time.Second, "what had reached it is answered, and the answers are sent", func() bool {
		counts := map[string]int{}
		after = 0
		for _, e := range tr.list("/event/log/list") {
			kind := strings.TrimPrefix(e["type"].(string), "integration.whatsapp.")
			counts[kind]++
			if kind == "message.sent" && int64(e["createdAt"].(float64)) > killed {
				after++
			}
		}
		return counts["message.processed"] == counts["message.received"] && counts["message.sent"] == counts["message.received"]
	})
	t.Logf("%d answers were sent after the kill", after)
	if after == 0 {
		t.Error("nothing was cut off")
	}
	tr.process.Terminate()
}
