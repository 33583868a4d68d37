package load

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// crowd follows every turn under way: the webhook with what a person wrote must
// be answered 200, the answer must reach Meta once, and what became of it must
// be taken in. It writes down whatever else happens.
type crowd struct {
	model time.Duration // the time that the model takes
	mail  *mail

	mutex sync.Mutex
	turns map[string]*turn // by sender
	added []time.Duration
	count struct{ over, statuses, troubles int }
	first string // trouble
}

// turn is one message on its way. The crowd's mutex guards it.
type turn struct {
	sender, text string
	due          time.Time
	waits        int // for the 200, and for each of the statuses
	answered     bool
	added        time.Duration // from due until Meta had the answer, without the model's time
	over         chan struct{} // closed when nothing is waited for
}

// words are the statuses of an answer, in their order.
var words = []string{"sent", "delivered", "read"}

// status is one of the words about one message.
type status struct {
	turn          *turn
	wamid, opaque string
	step          int
}

func (s status) word() string { return words[s.step] }

func (c *crowd) begin(sender, text string, due time.Time) *turn {
	t := &turn{sender: sender, text: text, due: due, waits: 1 + len(words), over: make(chan struct{})}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.turns[sender] = t
	return t
}

// hear takes note of what Meta accepted. It must be the answer to what its
// receiver wrote, and the first one.
func (c *crowd) hear(a accepted) {
	c.mutex.Lock()
	t := c.turns[a.to]
	switch {
	case t == nil || t.text != a.text:
		c.troubleLocked("nobody waits for %q at %s", a.text, a.to)
	case t.answered:
		c.troubleLocked("%q was answered twice", a.text)
	default:
		t.answered, t.added = true, a.at.Sub(t.due)-c.model
		defer c.mail.put(status{turn: t, wamid: a.wamid, opaque: a.opaque})
	}
	c.mutex.Unlock()
}

// took notes that statuses were taken in, and posts those that follow them.
func (c *crowd) took(all []status) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.count.statuses += len(all)
	for _, s := range all {
		if s.step++; s.step < len(words) {
			c.mail.put(s)
		}
		c.passedLocked(s.turn)
	}
}

// passed notes that a turn waits for one thing less.
func (c *crowd) passed(t *turn) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.passedLocked(t)
}

func (c *crowd) passedLocked(t *turn) {
	if t.waits--; t.waits > 0 || c.turns[t.sender] != t {
		return
	}
	delete(c.turns, t.sender)
	c.added = append(c.added, t.added)
	c.count.over++
	close(t.over)
}

// lose gives a turn up.
func (c *crowd) lose(t *turn, format string, args ...any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.turns[t.sender] == t {
		delete(c.turns, t.sender)
		c.troubleLocked(format, args...)
	}
}

// giveUp is for a turn that takes too long.
func (c *crowd) giveUp(t *turn) {
	c.mutex.Lock()
	missing := "answer"
	if t.answered {
		missing = "statuses' end"
	}
	c.mutex.Unlock()
	c.lose(t, "%q waited in vain for its %s", t.text, missing)
}

func (c *crowd) trouble(format string, args ...any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.troubleLocked(format, args...)
}

func (c *crowd) troubleLocked(format string, args ...any) {
	if c.count.troubles++; c.first == "" {
		c.first = fmt.Sprintf(format, args...)
	}
}

// quantiles gives quantiles of the times added to turns, in milliseconds.
func (c *crowd) quantiles(qs ...float64) []float64 {
	slices.Sort(c.added)
	found := make([]float64, len(qs))
	for i, q := range qs {
		if n := len(c.added); n > 0 {
			found[i] = float64(c.added[min(int(q*float64(n)), n-1)].Microseconds()) / 1000
		}
	}
	return found
}
