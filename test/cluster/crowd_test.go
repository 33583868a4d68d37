//go:build system

package cluster

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"parley/whatsapp"
)

// crowd is many people who write at the same time, each one message after the
// other at a steady pace. A message is repeated until it is acknowledged, as
// Meta does.
type crowd struct {
	w      *world
	people int
	pace   time.Duration // between two messages of a person

	writing sync.WaitGroup
	stopped chan struct{}
	letters []atomic.Int64 // acknowledged, by person

	failed  atomic.Int64 // posts that were not acknowledged
	mutex   sync.Mutex
	last    time.Time     // of an acknowledgement
	gap     time.Duration // the longest without any
	slowest time.Duration // from the first post of a message to its acknowledgement
}

func person(n int) string { return fmt.Sprint(15557000000 + n) }

func letter(person string, n int) string { return fmt.Sprintf("message %d of %s", n, person) }

// newCrowd lets people write until stop.
func (w *world) newCrowd(people int, pace time.Duration) *crowd {
	c := &crowd{w: w, people: people, pace: pace, stopped: make(chan struct{}), letters: make([]atomic.Int64, people), last: time.Now()}
	for i := range people {
		c.writing.Go(func() { c.write(i) })
	}
	return c
}

// stop ends the writing, once what was begun is acknowledged.
func (c *crowd) stop() {
	close(c.stopped)
	c.writing.Wait()
}

func (c *crowd) write(i int) {
	who := person(i)
	select {
	case <-time.After(c.pace * time.Duration(i) / time.Duration(c.people)):
	case <-c.stopped:
		return
	}
	ticker := time.NewTicker(c.pace)
	defer ticker.Stop()
	for n := 0; ; n++ {
		if !c.deliver(text(who, fmt.Sprintf("wamid.%s.%d", who, n), letter(who, n))) {
			return
		}
		c.letters[i].Store(int64(n + 1))
		select {
		case <-ticker.C:
		case <-c.stopped:
			return
		}
	}
}

// deliver posts a webhook until it is acknowledged.
func (c *crowd) deliver(body []byte) bool {
	began := time.Now()
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		status, err := c.post(body)
		switch {
		case err == nil && status == http.StatusOK:
			c.acknowledged(began)
			return true
		case err == nil && status != http.StatusServiceUnavailable:
			c.w.t.Errorf("a webhook is answered %d", status)
			return false
		}
		c.failed.Add(1)
		select {
		case <-time.After(wait):
		case <-c.w.t.Context().Done():
			return false
		}
	}
}

// undisturbed expects that hardly a post had to be made again. On a machine that
// has nothing else to do there is none.
func (c *crowd) undisturbed(what string) {
	c.w.t.Helper()
	failed, written := c.failed.Load(), int64(0)
	for i := range c.letters {
		written += c.letters[i].Load()
	}
	c.w.t.Logf("%d posts of %d messages are not acknowledged %s", failed, written, what)
	if failed*50 > written {
		c.w.t.Errorf("too many posts are not acknowledged %s", what)
	}
}

func (c *crowd) post(body []byte) (status int, err error) {
	r, err := http.NewRequest(http.MethodPost, c.w.callback(), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(whatsapp.SignatureHeader, whatsapp.Sign(appSecret, body))
	response, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close() // read to the end below
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func (c *crowd) acknowledged(began time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	now := time.Now()
	c.gap, c.slowest, c.last = max(c.gap, now.Sub(c.last)), max(c.slowest, now.Sub(began)), now
}

// text is the body of a webhook with one text, as Meta sends it.
func text(from, wamid, body string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":%q},`+
		`"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":%q}],`+
		`"messages":[{"from":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]}}]}]}`,
		phoneNumber, from, from, wamid, time.Now().Unix(), body)
}

// total is how many messages are acknowledged.
func (c *crowd) total() (n int64) {
	for i := range c.letters {
		n += c.letters[i].Load()
	}
	return n
}
