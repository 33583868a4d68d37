package parley_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/domain/conversation"
	"parley/engine"
	"parley/engine/script"
	"parley/whatsapp/simulator"
)

// gathering are the rules that people get without asking.
func gathering(r *conversation.Rules) { r.Gather = time.Second }

func TestABurstIsAnsweredAtOnce(t *testing.T) { // F183
	inHouse(t, options{rules: gathering}, func(h *house) {
		began := time.Now()
		for i, words := range []string{"Hello", "I have a question", "Are you open?"} {
			if status := h.notify(text(alice, fmt.Sprint("wamid.", i), words)); status != 200 {
				h.t.Errorf("status %d", status)
			}
			time.Sleep(300 * time.Millisecond)
		}
		if took := time.Since(began); took > time.Second {
			h.t.Errorf("the acknowledgements took %v", took)
		}
		time.Sleep(2 * time.Second)
		if diff := cmp.Diff([]string{"You said: Hello | I have a question | Are you open?"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		history := h.history(h.conversations()[0]["id"].(string))
		if diff := cmp.Diff([]string{
			"user: Hello", "user: I have a question", "user: Are you open?", "bot: You said: Hello | I have a question | Are you open?",
		}, history); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestGatheringSurvivesACrash(t *testing.T) { // P4
	inHouse(t, options{rules: gathering}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Hello"))
		h.crash()
		h.settle()
		if diff := cmp.Diff([]string{"You said: Hello"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestATapIsAnsweredWithoutWaiting(t *testing.T) { // F210
	asks := script.Func(func(t engine.Turn) []script.Step {
		if last := t.History[len(t.History)-1].Text; strings.HasPrefix(last, "[selection") {
			return []script.Step{script.Say(last)}
		}
		return []script.Step{script.Do(engine.Buttons{Body: "Well?", Buttons: []engine.Button{{ID: "y", Title: "Yes"}}})}
	})
	inHouse(t, options{engine: asks, rules: func(r *conversation.Rules) { r.Gather, r.GatherMost = time.Minute, time.Minute }}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		menu := h.sim.Accepted(alice)[0].WAMID
		if _, err := h.person(alice).Tap(menu, "y"); err != nil {
			h.t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if got := h.texts(alice); len(got) != 2 || got[1] != "[selection button id=y] Yes" {
			h.t.Errorf("%q", got)
		}
	})
}

// echo is the body of a webhook with a text that the business wrote on its own
// phone.
func echoed(to, wamid, body string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"smb_message_echoes","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":%q},`+
		`"message_echoes":[{"from":"15550783881","to":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]}}]}]}`,
		phoneNumber, to, wamid, time.Now().Unix(), body)
}

func TestAPersonTakesOver(t *testing.T) {
	slow := script.Func(func(t engine.Turn) []script.Step {
		var heard []string
		for _, m := range t.History {
			heard = append(heard, string(m.Role)+":"+m.Text)
		}
		return []script.Step{script.Wait(10 * time.Second), script.Say(strings.Join(heard, ", "))}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Is it there?"))
		time.Sleep(time.Second)
		for range 2 { // Meta repeats echoes, too
			if status := h.notify(echoed(alice, "wamid.echo", "Yes, come by")); status != 200 {
				h.t.Errorf("status %d", status)
			}
		}
		h.notify(text(alice, "wamid.2", "Great"))
		time.Sleep(30 * time.Minute)
		if got := h.texts(alice); len(got) != 0 {
			h.t.Errorf("the bot talked over a person: %q", got)
		}
		time.Sleep(31 * time.Minute)
		h.notify(text(alice, "wamid.3", "When do you open?"))
		h.settle()
		want := []string{"user:Is it there?, bot:Yes, come by, user:Great, user:When do you open?"}
		if diff := cmp.Diff(want, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		if got := h.event("message.echoed")["whatsappMessageId"]; got != "wamid.echo" {
			h.t.Errorf("the event names %v", got)
		}
	})
}

func TestOwnMessagesAreNotTakenForAPersons(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.notify(text(alice, "wamid.1", "one"))
		h.settle()
		h.notify(echoed(alice, h.sim.Accepted(alice)[0].WAMID, "You said: one"))
		h.notify(text(alice, "wamid.2", "two"))
		h.settle()
		if diff := cmp.Diff([]string{"You said: one", "You said: two"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestAnotherNumbersMessagesGoToItsIntegration(t *testing.T) { // F102
	inHouse(t, options{}, func(h *house) {
		const other = "200000000000001"
		body := strings.ReplaceAll(text(alice, "wamid.1", "Hello"), phoneNumber, other)
		if status := h.notify(body); status != 200 {
			h.t.Errorf("status %d", status)
		}
		h.settle()
		skipped := h.event("message.skipped")
		if skipped["phoneNumberId"] != other || skipped["expectedPhoneNumberId"] != phoneNumber {
			h.t.Errorf("the event says %v", skipped)
		}
		second := h.create(integrations, object{
			"name": "Second", "botId": h.bot, "phoneNumberId": other, "accessToken": accessToken, "appSecret": appSecret,
		})
		h.notify(strings.ReplaceAll(body, "wamid.1", "wamid.2"))
		h.settle()
		if got := h.list("/conversation/list?meta.whatsapp.integrationId=" + second); len(got) != 1 {
			h.t.Errorf("%d conversations of the second integration", len(got))
		}
		if got := h.conversations(); len(got) != 0 {
			h.t.Errorf("%d conversations of the first integration", len(got))
		}
	})
}

func TestProgressIsToldAtOnce(t *testing.T) { // F224
	works := script.Func(func(engine.Turn) []script.Step {
		return []script.Step{
			script.Do(engine.Progress{Text: "Looking …"}), script.Wait(5 * time.Second),
			script.Do(engine.Progress{Text: "Still looking …"}), script.Wait(5 * time.Second), script.Say("Found it"),
		}
	})
	inHouse(t, options{engine: works}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Search"))
		time.Sleep(7 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"Looking …", "Still looking …"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		h.crash() // what was told is not told again
		h.settle()
		if diff := cmp.Diff([]string{"Looking …", "Still looking …", "Found it"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestAnApologyInsteadOfAnAnswer(t *testing.T) { // F241
	fails := script.Func(func(engine.Turn) []script.Step {
		return []script.Step{script.Fail(errors.New("the model is gone"))}
	})
	inHouse(t, options{engine: fails, apology: "Sorry, please try later."}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Hello"))
		time.Sleep(30 * time.Minute)
		if diff := cmp.Diff([]string{"Sorry, please try later."}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		if got := h.event("message.failed")["code"]; got != "engine_failed" {
			h.t.Errorf("the event says %v", got)
		}
	})
}

func TestTypingEndsWithAnEngineThatPanics(t *testing.T) { // F241 F245
	var asked atomic.Int64
	model := script.Func(func(engine.Turn) []script.Step {
		if asked.Add(1) <= 3 {
			panic("a bug in the engine")
		}
		return []script.Step{script.Say("Sorry to keep you waiting.")}
	})
	inHouse(t, options{engine: model}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Hello"))
		h.settle()
		time.Sleep(10 * time.Minute)
		shown := 0
		for _, c := range h.sim.Calls() {
			if c.Kind == "typing" {
				shown++
			}
		}
		if got := h.texts(alice); len(got) != 1 || shown > 4 {
			h.t.Errorf("%q; typing was shown %d times", got, shown)
		}
	})
}

func TestTypingIsShownWhileTheModelThinks(t *testing.T) { // F228 F245 F246
	slow := script.Func(func(engine.Turn) []script.Step {
		return []script.Step{script.Wait(50 * time.Second), script.Say("Here")}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Hello"))
		h.settle()
		var shown []time.Time
		for _, c := range h.sim.Calls() {
			if c.Kind == "typing" {
				shown = append(shown, c.At)
			}
		}
		if len(shown) != 3 {
			h.t.Fatalf("typing was shown %d times in 50 seconds", len(shown))
		}
		for i := 1; i < len(shown); i++ {
			if gap := shown[i].Sub(shown[i-1]); gap < 10*time.Second || gap > 25*time.Second {
				h.t.Errorf("typing was renewed after %v", gap)
			}
		}
	})
}

func TestANewTokenLetsEverythingGoOn(t *testing.T) { // F277 F297 F310
	inHouse(t, options{}, func(h *house) {
		h.connect("EAAG-another-token") // ours is not good any more
		h.notify(text(alice, "wamid.1", "Hello"))
		h.notify(text(bob, "wamid.2", "Hello"))
		time.Sleep(10 * time.Hour)
		if got := h.texts(alice); len(got) != 0 {
			h.t.Fatalf("%q was sent with a token that is not good", got)
		}
		failure := h.event("api.error")
		if failure["waitsForOperator"] != true || failure["cure"] == "" {
			h.t.Errorf("the event says %v", failure)
		}
		h.post(integrations+"/"+h.integration+"/update", object{"accessToken": "EAAG-another-token"})
		time.Sleep(10 * time.Second)
		for _, person := range []string{alice, bob} {
			if diff := cmp.Diff([]string{"You said: Hello"}, h.texts(person)); diff != "" {
				h.t.Error(diff)
			}
		}
	})
}

func TestTheWindowIsLookedAtBeforeMetaRefuses(t *testing.T) {
	slow := script.Func(func(engine.Turn) []script.Step {
		return []script.Step{script.Wait(10 * time.Second), script.Say("Too late")}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		time.Sleep(24*time.Hour - 5*time.Second)
		h.notify(text(alice, "wamid.1", "I wrote a day ago")) // by Meta's clock
		h.settle()
		if got := h.texts(alice); len(got) != 0 {
			h.t.Errorf("%q was sent", got)
		}
		for _, c := range h.sim.Calls() {
			if c.Kind == "send" {
				h.t.Error("Meta was asked")
			}
		}
		failure := h.event("api.error")["error"].(object)
		if failure["code"] != 131047.0 {
			h.t.Errorf("the event says %v", failure)
		}
	})
}

func TestAFalseWindowErrorIsTriedOnceMore(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		const wim = "15550001047" // is always refused so
		h.person(wim).Write("Hello")
		h.settle()
		sends := 0
		for _, c := range h.sim.Calls() {
			if c.Kind == "send" {
				sends++
			}
		}
		if sends != 2 {
			h.t.Errorf("it was sent %d times", sends)
		}
	})
}

func TestInitiate(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		path := integrations + "/" + h.integration + "/initiate"
		h.rule("bad input is refused", func(t rule) { // A06
			for _, bad := range []object{
				{},
				{"to": alice},
				{"text": "Hi"},
				{"to": "123", "text": "Hi"},
				{"to": alice, "text": "  "},
				{"to": alice, "text": "\u200b"}, // nothing of it can be seen, and Meta takes no empty message
				{"to": alice, "text": "Hi", "idempotencyKey": "a b"},
				{"to": 1, "text": "Hi"},
			} {
				if a := h.call(http.MethodPost, path, apiSecret, bad); a.status != 400 {
					t.Errorf("%v answers %d %s", bad, a.status, a.text)
				}
			}
			if a := h.call(http.MethodPost, integrations+"/nobody/initiate", apiSecret, object{"to": alice, "text": "Hi"}); a.status != 404 {
				t.Errorf("an unknown integration answers %d", a.status)
			}
			empty := h.create(integrations, object{})
			if a := h.call(http.MethodPost, integrations+"/"+empty+"/initiate", apiSecret, object{"to": alice, "text": "Hi"}); a.status != 400 ||
				!strings.Contains(a.text, "does not have a bot configured") {
				t.Errorf("without a bot it answers %d %s", a.status, a.text)
			}
		})
		h.rule("the text reaches the number, and the answer goes on with the conversation", func(t rule) { // A07
			answer := h.post(path, object{"to": "+1 (555) 123-0001", "text": " Your order is ready "})
			if answer["id"] != h.integration {
				t.Errorf("answers %v", answer)
			}
			h.settle()
			if diff := cmp.Diff([]string{"Your order is ready"}, h.texts(alice)); diff != "" {
				t.Error(diff)
			}
			h.notify(text(alice, "wamid.1", "Thanks"))
			h.settle()
			all := h.conversations()
			if len(all) != 1 {
				t.Fatalf("%d conversations", len(all))
			}
			about := all[0]["meta"].(object)["whatsapp"].(object)
			if about["initiated"] != true || about["to"] != alice {
				t.Errorf("meta %v", about)
			}
			want := []string{"activity: ", "bot: Your order is ready", "user: Thanks", "bot: You said: Thanks"}
			if diff := cmp.Diff(want, h.history(all[0]["id"].(string))); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("the same key counts once, at once and after a restart", func(t rule) { // A08
			in := object{"to": bob, "text": "Once", "idempotencyKey": "order-7"}
			for range 3 {
				h.post(path, in)
			}
			h.settle()
			h.stop()
			h.start()
			time.Sleep(6 * 24 * time.Hour)
			h.post(path, in)
			h.settle()
			if diff := cmp.Diff([]string{"Once"}, h.texts(bob)); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("a refusal is an event", func(t rule) { // A09
			const wim = "15550001047"
			h.post(path, object{"to": wim, "text": "Hello"})
			h.settle()
			failure := h.event("api.error")
			if failure["operation"] != "messages.initiate" || failure["to"] != wim || failure["reason"] == "" {
				t.Errorf("the event says %v", failure)
			}
		})
	})
}

func TestABusyPersonIsPaced(t *testing.T) {
	chatty := script.Func(func(t engine.Turn) []script.Step {
		var steps []script.Step
		for i := range 20 {
			steps = append(steps, script.Do(engine.AskLocation{Prompt: fmt.Sprint(i)}))
		}
		return steps
	})
	inHouse(t, options{engine: chatty}, func(h *house) {
		for i := range 4 {
			h.notify(text(alice, fmt.Sprint("wamid.", i), "Hello"))
			time.Sleep(time.Second)
		}
		h.notify(text(bob, "wamid.b", "Hello")) // is not held up
		time.Sleep(time.Second)
		if got := len(h.texts(bob)); got != 20 {
			h.t.Errorf("the other one got %d messages", got)
		}
		time.Sleep(20 * time.Minute)
		sent := h.sim.Accepted(alice)
		var times []time.Time
		for _, a := range sent {
			times = append(times, a.At)
		}
		for i := range times { // Meta: 45 at once, then one in 6 seconds
			if j := i + 46; j < len(times) && times[j].Sub(times[i]) < 6*time.Second {
				h.t.Errorf("46 messages in %v", times[j].Sub(times[i]))
			}
		}
		if !slices.IsSortedFunc(times, time.Time.Compare) || len(sent) < 40 {
			h.t.Errorf("%d messages", len(sent))
		}
	})
}

// refusesForm refuses sends to one form of a number as Meta does on test
// numbers, and counts them.
type refusesForm struct {
	http.RoundTripper
	number  string
	refused *atomic.Int64
}

func (r refusesForm) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodPost {
		return r.RoundTripper.RoundTrip(request)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	if !bytes.Contains(body, []byte(`"to":"`+r.number+`"`)) {
		return r.RoundTripper.RoundTrip(request)
	}
	r.refused.Add(1)
	w := httptest.NewRecorder()
	w.WriteHeader(http.StatusBadRequest)
	_, err = w.WriteString(`{"error":{"message":"(#131030) Recipient phone number not in allowed list","code":131030}}`)
	return w.Result(), err
}

func TestTheOtherFormOfANumberIsTriedOnce(t *testing.T) {
	var refused atomic.Int64
	const given, other = "5491150000030", "541150000030"
	way := func(w http.RoundTripper) http.RoundTripper { return refusesForm{w, given, &refused} }
	inHouse(t, options{way: way}, func(h *house) {
		h.notify(text(given, "wamid.1", "Hola"))
		h.settle()
		h.notify(text(given, "wamid.2", "Otra vez"))
		h.settle()
		if diff := cmp.Diff([]string{"You said: Hola", "You said: Otra vez"}, h.texts(other)); diff != "" {
			h.t.Error(diff)
		}
		if refused.Load() != 1 {
			h.t.Errorf("the form that Meta refuses was tried %d times", refused.Load())
		}
	})
}

func TestATextDoesNotOvertakeThePictureBeforeIt(t *testing.T) { // F233
	shows := script.Func(func(engine.Turn) []script.Step {
		return []script.Step{script.Say("![](https://example.org/cat.png)\n\nThat is the cat")}
	})
	inHouse(t, options{engine: shows, faults: &simulator.Faults{Delay: 1, MaxDelay: 10 * time.Second}, seed: 3}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Show me"))
		h.settle()
		sent := h.sim.Accepted(alice)
		if len(sent) != 2 || sent[0].Type != "image" || sent[1].Type != "text" {
			h.t.Fatalf("sent %v", sent)
		}
		if gap := sent[1].At.Sub(sent[0].At); gap < 100*time.Millisecond || gap > 4*time.Second {
			h.t.Errorf("the text came %v after the picture", gap)
		}
	})
}
