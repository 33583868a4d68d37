package parley_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/actors"
	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/events/memory"
	"parley/whatsapp/simulator"
)

// postTo posts an unsigned webhook and gives the status of the answer.
func (h *house) postTo(path, body string) int {
	h.t.Helper()
	return h.do(httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))).status
}

func TestVerifyingACallback(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		verify := func(query string) string {
			a := h.do(httptest.NewRequest(http.MethodGet, h.callback()+"?"+query, nil))
			return fmt.Sprint(a.status, " ", a.text)
		}
		mode, token := "hub.mode=subscribe", "hub.verify_token="+h.verifyToken
		h.rule("the order and the spelling of the parameters do not matter, and no secret is asked for", func(t rule) { // F059
			odd := "hub.verify%5Ftoken=%" + fmt.Sprintf("%X", h.verifyToken[0]) + h.verifyToken[1:]
			for _, query := range []string{
				mode + "&" + token + "&hub.challenge=a+b%26c%3D%C3%BC",
				"hub.challenge=a%20b%26c=%c3%bc&" + token + "&" + mode,
				token + "&other=1&hub.challenge=a%20b%26c%3Dü&hub%2Emode=subscri%62e",
				odd + "&" + mode + "&hub.challenge=a+b%26c%3Dü",
			} {
				if got := verify(query); got != "200 a b&c=ü" {
					t.Errorf("%s: %s", query, got)
				}
			}
		})
		h.rule("it may be verified again, also after somebody guessed", func(t rule) { // F061
			for _, c := range []struct{ token, want string }{{h.verifyToken, "200 7"}, {"guess", "403 "}, {h.verifyToken, "200 7"}} {
				got := verify(mode + "&hub.challenge=7&hub.verify_token=" + c.token)
				if !strings.HasPrefix(got, c.want) {
					t.Errorf("%s: %s", c.token, got)
				}
			}
		})
	})
}

func TestACallbackBelongsToAnIntegration(t *testing.T) { // F082
	inHouse(t, options{}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/update", object{"alias": "shop", "appSecret": nil})
		head := h.head()
		for _, id := range []string{
			"nothing", h.bot, "@shop", h.integration + "x", h.integration[1:], strings.ToUpper(h.integration),
			"a.b", "..%2F" + h.integration, "%00", "ü", "$all", strings.Repeat("x", 2000),
		} {
			path := "/api/v1" + integrations + "/" + id + "/callback"
			a := h.do(httptest.NewRequest(http.MethodGet, path+"?hub.mode=subscribe&hub.challenge=1&hub.verify_token="+h.verifyToken, nil))
			if a.status != 404 || a.body["code"] != "NOT_FOUND" {
				h.t.Errorf("GET %.40s: %d %s", id, a.status, a.text)
			}
			if status := h.postTo(path, text(alice, "wamid.1", "Hello")); status != 404 {
				h.t.Errorf("POST %.40s: %d", id, status)
			}
		}
		h.settle()
		if got := h.texts(alice); len(got) != 0 || h.head() != head {
			h.t.Errorf("alice got %q, and the log grew from %d to %d", got, head, h.head())
		}
	})
}

// silence lets Meta send no webhooks any more, so that those of a test are alone.
func (h *house) silence() {
	h.sim.Connect(simulator.Number{ID: phoneNumber, WABAID: "102290129340398", Display: "15550783881", Token: accessToken})
}

func TestATextIsTakenWordForWord(t *testing.T) { // F067
	said := []string{
		"Hello", "line\nline\n\n\tline\r\n", "  space around  ", "👩‍👩‍👧 é é ﷽ 日本 שלום \u202e\u200b",
		`"quotes" \back\ <b>&amp;</b> *bold* {{x}} %s`, "/newer is no command", strings.Repeat("ж", 4096), strings.Repeat("😀", 4096),
	}
	var heard []string // one turn at a time
	listens := script.Func(func(t engine.Turn) []script.Step {
		for _, m := range t.Unanswered() {
			heard = append(heard, m.Text)
		}
		return []script.Step{script.Say("Yes")}
	})
	inHouse(t, options{engine: listens}, func(h *house) {
		var want []string
		for _, words := range said {
			h.person(alice).Write(words)
			h.settle()
			want = append(want, "user: "+words, "bot: Yes")
		}
		if diff := cmp.Diff(said, heard); diff != "" {
			h.t.Errorf("the model heard: %s", diff)
		}
		if diff := cmp.Diff(want, h.history(h.conversations()[0]["id"].(string))); diff != "" {
			h.t.Errorf("the history says: %s", diff)
		}
	})
}

func TestSignaturesAreAskedForWithAnAppSecretAlone(t *testing.T) { // F078 A04
	inHouse(t, options{}, func(h *house) {
		if status := h.postTo(h.callback(), text(alice, "wamid.1", "With an app secret")); status != 403 {
			h.t.Errorf("with an app secret: %d", status)
		}
		h.post(integrations+"/"+h.integration+"/update", object{"appSecret": nil})
		if status := h.postTo(h.callback(), text(alice, "wamid.2", "Without one")); status != 200 {
			h.t.Errorf("without an app secret: %d", status)
		}
		if status := h.notify(text(alice, "wamid.3", "Signed all the same")); status != 200 {
			h.t.Errorf("signed, without an app secret: %d", status)
		}
		h.settle()
		if diff := cmp.Diff([]string{"You said: Without one", "You said: Signed all the same"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestEveryAcceptedPostIsLogged(t *testing.T) { // F084
	inHouse(t, options{}, func(h *house) {
		h.silence()
		status := strings.Replace(text(alice, "wamid.1", ""), `"messages":[{"from"`, `"statuses":[{"status":"read","recipient_id"`, 1)
		for n, body := range []string{
			text(alice, "wamid.1", "Hello"), text(alice, "wamid.1", "Hello"), text(bob, "wamid.2", "/new"),
			status, status, `{}`, `{"entry":[{"changes":[{"field":"account_update","value":{}}]}]}`,
		} {
			before := h.eventTypes()
			if status := h.notify(body); status != 200 {
				h.t.Errorf("%d: status %d", n, status)
			}
			if got := count(h.eventTypes(), "callback.notification") - count(before, "callback.notification"); got != 1 {
				h.t.Errorf("%d: %d notifications in the log", n, got)
			}
			h.settle()
		}
	})
}

func count(all []string, what string) (n int) {
	for _, s := range all {
		if s == what {
			n++
		}
	}
	return n
}

func TestOtherFieldsStartNoConversation(t *testing.T) { // F085
	inHouse(t, options{}, func(h *house) {
		fields := []string{
			"account_update", "account_alerts", "message_template_status_update", "phone_number_quality_update",
			"history", "smb_message_echoes", "message_echoes", "standby", "Messages", "messages ", "tomorrow's",
		}
		for n, field := range fields {
			body := strings.Replace(text(alice, fmt.Sprint("wamid.", n), "Hello"), `"field":"messages"`, fmt.Sprintf(`"field":%q`, field), 1)
			if status := h.notify(body); status != 200 {
				h.t.Errorf("%s: status %d", field, status)
			}
		}
		h.settle()
		if got := h.conversations(); len(got) != 0 || len(h.sim.Calls()) != 0 {
			h.t.Errorf("%d conversations, and %d calls to Meta", len(got), len(h.sim.Calls()))
		}
		if got := count(h.eventTypes(), "callback.notification"); got != len(fields) {
			h.t.Errorf("%d of %d are in the event log", got, len(fields))
		}
	})
}

// refusing is a Meta that refuses everything in the same way.
type refusing struct {
	status int
	body   string
}

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: r.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(r.body)),
	}, nil
}

func TestTheEventLogSaysWhatWentWrong(t *testing.T) {
	fails := script.Func(func(engine.Turn) []script.Step { return []script.Step{script.Fail(errors.New("the model is gone"))} })
	noPermission := func(http.RoundTripper) http.RoundTripper {
		return refusing{403, `{"error":{"message":"(#200) You do not have the permission","type":"OAuthException","code":200}}`}
	}
	write := func(person string) func(*house) { return func(h *house) { h.person(person).Write("Hello") } }
	after := func(change object) func(*house) {
		return func(h *house) {
			h.post(integrations+"/"+h.integration+"/update", change)
			h.person(alice).Write("Hello")
		}
	}
	for _, c := range []struct {
		name    string
		options options
		happens func(*house)
		event   string
		says    []string
	}{
		{"Meta has a problem", options{}, write("15550000131"), "api.error", []string{"Something went wrong"}}, // F094
		{"what stands before Meta has a problem", options{}, write("15550000500"), "api.error", []string{"not known whether WhatsApp took the message"}},
		{"Meta refuses for good", options{}, write("15550001026"), "message.failed", []string{"undeliverable"}},
		{"Meta takes a message and cannot deliver it", options{}, write("15550002026"), "status.failed", []string{"undeliverable"}},
		{"the token lacks a permission", options{way: noPermission}, write(alice), "api.error", []string{"(#200)", "whatsapp_business_messaging"}}, // F086
		{"the model fails", options{engine: fails}, write(alice), "message.failed", []string{"the model is gone"}},
		{"there is no bot", options{}, after(object{"botId": nil}), "message.skipped", []string{"no bot"}},
		{"the bot was deleted", options{}, func(h *house) { h.post("/bot/"+h.bot+"/delete", nil); write(alice)(h) }, "message.skipped", []string{"no bot"}},
		{"there is no token", options{}, after(object{"accessToken": nil}), "message.failed", []string{"No access token found"}},
		{"there is no phone number ID", options{}, after(object{"phoneNumberId": nil}), "message.failed", []string{"No phone number ID found"}},
		{"the sender may not write", options{}, after(object{"allowFrom": bob}), "blocked", []string{"allowFrom"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHouse(t, c.options, func(h *house) {
				c.happens(h)
				time.Sleep(time.Hour)
				e := h.event(c.event)
				told := fmt.Sprint(e["reason"], e["error"], e["cure"])
				for _, words := range c.says {
					if !strings.Contains(strings.ToLower(told), strings.ToLower(words)) {
						h.t.Errorf("not told: %q, but %v", words, e)
					}
				}
			})
		})
	}
}

func TestTheEventLogOfAnIntegration(t *testing.T) { // F096
	inHouse(t, options{}, func(h *house) {
		other := h.create(integrations, object{"botId": h.bot})
		h.notify(text(alice, "wamid.1", "Hello"))
		h.postTo("/api/v1"+integrations+"/"+other+"/callback", text(bob, "wamid.2", "Hello"))
		h.settle()
		log := func(query string) (ids []string) {
			for _, e := range h.list("/event/log/list?" + query) {
				if e["whatsappIntegrationId"] != nil { // the bot's are of neither
					ids = append(ids, e["id"].(string))
				}
			}
			return ids
		}
		all := log("")
		one, two := log("whatsappIntegrationId="+h.integration), log("whatsappIntegrationId="+other)
		if len(one) == 0 || len(two) == 0 || len(one)+len(two) != len(all) {
			h.t.Errorf("%d and %d of %d events", len(one), len(two), len(all))
		}
		for _, id := range two {
			if slices.Contains(one, id) {
				h.t.Errorf("%s is an event of both", id)
			}
		}
		for _, e := range h.list("/event/log/list?whatsappIntegrationId=" + other) {
			if e["whatsappIntegrationId"] != other {
				h.t.Errorf("an event of another integration: %v", e)
			}
		}
		if diff := cmp.Diff(all, log("whatsappIntegrationId="+h.integration+","+other)); diff != "" {
			h.t.Errorf("both at once: %s", diff)
		}
		received := "&type=integration.whatsapp.message.received"
		if got := log("whatsappIntegrationId=" + other + received); len(got) != 1 || !slices.Contains(two, got[0]) {
			h.t.Errorf("received by the second: %v", got)
		}
		if got := log("whatsappIntegrationId=nothing"); len(got) != 0 {
			h.t.Errorf("events of nothing: %v", got)
		}
	})
}

// metric reads a number at /metrics; 0 is also one that is not there.
func (h *house) metric(name string) float64 {
	h.t.Helper()
	metrics := h.do(httptest.NewRequest(http.MethodGet, "/metrics", nil)).text
	return number([]byte(metrics), `(?m)^parley_`+regexp.QuoteMeta(name)+` (\S+)$`)
}

const inMemory = `actors_active{kind="conversation"}`

func TestAFloodOfWebhooks(t *testing.T) { // F079
	const seconds, rate, people = 15, 200, 1000
	inHouse(t, options{}, func(h *house) {
		h.silence()
		want := map[string][]string{}
		for n := range seconds * rate {
			person, words := fmt.Sprint(15550100000+n%people), fmt.Sprint(n)
			want[person] = append(want[person], words)
			if status := h.notify(text(person, "wamid."+words, words)); status != 200 {
				h.t.Fatalf("webhook %d: status %d", n, status)
			}
			if n%rate == rate-1 {
				time.Sleep(time.Second)
			}
		}
		if h.metric(inMemory) == 0 {
			h.t.Error("no conversation is in memory")
		}
		time.Sleep(30 * time.Minute)
		got := map[string][]string{}
		for _, a := range h.sim.Accepted("") {
			got[a.To] = append(got[a.To], strings.Split(strings.TrimPrefix(a.Text(), "You said: "), " | ")...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			h.t.Errorf("answered: %s", diff)
		}
		for _, name := range []string{inMemory, "actors_tasks_running", "actors_tasks_waiting"} {
			if n := h.metric(name); n != 0 {
				h.t.Errorf("%s is %v when all is over", name, n)
			}
		}
	})
}

// headless is a log whose end can be lost.
type headless struct {
	events.Store
	lost atomic.Bool
}

func (s *headless) Head(ctx context.Context) (events.Position, error) {
	if s.lost.Load() {
		return 0, events.ErrUnavailable
	}
	return s.Store.Head(ctx)
}

func TestHealthAndMetrics(t *testing.T) { // F089
	hangs := script.Func(func(t engine.Turn) []script.Step {
		if t.Unanswered()[0].Text == "Hello" {
			return []script.Step{script.Say("Hello")}
		}
		return []script.Step{script.Hang()}
	})
	store := func() events.Store { return &headless{Store: memory.New()} }
	inHouse(t, options{engine: hangs, store: store, limits: func(l *actors.Limits) { l.Tasks = 1 }}, func(h *house) {
		probe := func(path string) int { return h.do(httptest.NewRequest(http.MethodGet, path, nil)).status }
		h.rule("a probe tells whether the log can be reached", func(t rule) {
			log := h.store.(*headless)
			for _, c := range []struct {
				lost bool
				want int
			}{{false, 200}, {true, 503}, {false, 200}} {
				log.lost.Store(c.lost)
				if alive, ready := probe("/healthz"), probe("/readyz"); alive != 200 || ready != c.want {
					t.Errorf("the log is lost: %v; alive %d, ready %d", c.lost, alive, ready)
				}
			}
		})
		h.rule("errors are counted", func(t rule) {
			const undeliverable = "15550001026"
			h.notify(text(undeliverable, "wamid.0", "Hello"))
			h.postTo(h.callback(), text(alice, "wamid.0", "Unsigned"))
			h.settle()
			for name, want := range map[string]float64{
				`graph_sends_total{code="131026",outcome="refused"}`: 2,
				`http_webhooks_total{outcome="not_authorized"}`:      1,
				`http_requests_total{route="/readyz",status="503"}`:  1,
			} {
				if got := h.metric(name); got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
		})
		h.rule("what waits is counted, and for how long", func(t rule) {
			h.notify(text(alice, "wamid.1", "Think"))
			h.notify(text(bob, "wamid.2", "Think"))
			time.Sleep(20 * time.Second)
			for name, want := range map[string]float64{"tasks_running": 1, "tasks_waiting": 1, "tasks_oldest_wait_seconds": 20} {
				if got := h.metric("actors_" + name); got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
		})
	})
}

// A notification may bring what one of ours said and what is for a number that
// nobody has. What ours said is theirs, and nowhere else: it goes when they ask
// for it.
func TestWhatIsMisdirectedIsKeptByItself(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		ours := strings.TrimSuffix(text(alice, "wamid.ours", "for us"), "]}]}")
		theirs := strings.ReplaceAll(text(bob, "wamid.theirs", "for them"), phoneNumber, "999")
		_, theirs, _ = strings.Cut(theirs, `"changes":[`)
		if status := h.notify(ours + "," + theirs); status != 200 {
			h.t.Fatalf("status %d", status)
		}
		h.settle()
		kept := map[bool]string{}
		all, err := h.store.ReadAll(h.t.Context(), events.LogStart, events.Forwards, 1000)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, r := range all {
			kept[strings.HasPrefix(string(r.Stream), "callback-")] += string(r.Data)
		}
		if strings.Contains(kept[true], "for us") || !strings.Contains(kept[true], "for them") {
			h.t.Errorf("the callback keeps %q", kept[true])
		}
		if !strings.Contains(kept[false], "for us") || strings.Contains(kept[false], "for them") {
			h.t.Errorf("the conversations keep %q", kept[false])
		}
	})
}
