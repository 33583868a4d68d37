//go:build system

package system

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/test/process"
)

// text is the body of a webhook with one text, as Meta sends it.
func text(from, wamid, body string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":%q},`+
		`"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":%q}],`+
		`"messages":[{"from":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]}}]}]}`,
		phoneNumber, from, from, wamid, time.Now().Unix(), body)
}

// crowd is many people who write at the same time, each one message after the
// other. Each message is repeated until it is acknowledged, as Meta does, and
// some are repeated afterwards, too.
type crowd struct {
	w               *world
	people, letters int

	// mortal says that the process is killed, so that answers may be cut off.
	mortal bool

	writing                sync.WaitGroup
	acknowledged, repeated atomic.Int64
	known                  sync.Map // the wamids that are acknowledged
	// unanswered counts the posts that got no answer: the process was down.
	unanswered atomic.Int64
	// unavailable counts those that were told to come again.
	unavailable atomic.Int64
}

func (w *world) crowd(people, letters int) *crowd {
	return &crowd{w: w, people: people, letters: letters}
}

func person(n int) string { return fmt.Sprint(15557000000 + n) }

func letter(person string, n int) string { return fmt.Sprintf("message %d of %s", n, person) }

// write lets everybody write. done waits for the end.
func (c *crowd) write(random *rand.Rand) (done func()) {
	for i := range c.people {
		own := rand.New(rand.NewPCG(random.Uint64(), 0))
		c.writing.Go(func() { c.writeAll(person(i), own) })
	}
	return c.writing.Wait
}

func (c *crowd) writeAll(person string, random *rand.Rand) {
	var bodies [][]byte
	for n := range c.letters {
		wamid := fmt.Sprintf("wamid.%s.%d", person, n)
		bodies = append(bodies, text(person, wamid, letter(person, n)))
		if !c.deliver(bodies[n]) {
			return
		}
		c.known.Store(wamid, true)
		c.acknowledged.Add(1)
		if random.IntN(4) == 0 { // once more, also one from before a restart
			c.repeated.Add(1)
			if !c.deliver(bodies[random.IntN(n+1)]) {
				return
			}
		}
	}
}

// deliver posts a webhook until it is acknowledged.
func (c *crowd) deliver(body []byte) bool {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		a, err := c.w.notify(appSecret, body)
		switch {
		case err == nil && a.status == http.StatusOK:
			return true
		case err == nil && a.status != http.StatusServiceUnavailable:
			c.w.t.Errorf("a webhook is answered %d %s", a.status, a.text)
			return false
		case err != nil && !c.mortal && (errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "malformed")):
			c.w.t.Errorf("an answer is cut off: %v", err)
			return false
		case err != nil:
			c.unanswered.Add(1)
		default:
			c.unavailable.Add(1)
		}
		select {
		case <-time.After(wait):
		case <-c.w.t.Context().Done():
			return false
		}
	}
}

// await waits until so many messages are acknowledged.
func (c *crowd) await(t *testing.T, n int64) {
	t.Helper()
	process.Eventually(t, time.Minute, fmt.Sprintf("%d messages are acknowledged", n), func() bool { return c.acknowledged.Load() >= n })
}

// answered waits until everybody has as many answers as they wrote messages,
// and checks that they are the right ones, each one once and in order.
func (c *crowd) answered(t *testing.T, within time.Duration) {
	t.Helper()
	missing := 0
	defer func() {
		if t.Failed() {
			t.Logf("%d of %d messages are not answered", missing, c.people*c.letters)
		}
	}()
	process.Eventually(t, within, "every message is answered", func() bool {
		missing = c.people*c.letters - len(c.w.sent(""))
		return missing <= 0
	})
	c.w.quiet()
	for i := range c.people {
		var want []string
		for n := range c.letters {
			want = append(want, "You said "+letter(person(i), n))
		}
		if diff := cmp.Diff(want, c.w.sent(person(i))); diff != "" {
			t.Errorf("%s got: %s", person(i), diff)
		}
	}
	c.checkEchoes(t)
}

// checkEchoes finds parts that were accepted twice. P5
func (c *crowd) checkEchoes(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for _, a := range c.w.meta.Accepted("") {
		if a.Opaque == "" || seen[a.Opaque] {
			t.Errorf("Meta accepted %q with the ID %q, which it had before", a.Text(), a.Opaque)
		}
		seen[a.Opaque] = true
	}
}

// checkHistories compares what the API tells with what was written.
func (c *crowd) checkHistories(t *testing.T) {
	t.Helper()
	conversations := c.w.list("/conversation/list")
	if len(conversations) != c.people {
		t.Errorf("%d conversations with %d people", len(conversations), c.people)
	}
	for _, conversation := range conversations {
		var user, bot []string
		for _, line := range c.w.history(conversation) {
			if said, ok := strings.CutPrefix(line, "user: "); ok {
				user = append(user, said)
			} else {
				bot = append(bot, strings.TrimPrefix(line, "bot: You said "))
			}
		}
		_, who, _ := strings.Cut(strings.Join(user[:min(len(user), 1)], ""), " of ")
		var want []string
		for n := range c.letters {
			want = append(want, letter(who, n))
		}
		if diff := cmp.Diff([][]string{want, want}, [][]string{user, bot}); diff != "" {
			t.Errorf("the history of %s: %s", who, diff)
		}
	}
}
