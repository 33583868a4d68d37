package parley_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/events/memory"
)

// readCounter counts how often conversations are read.
type readCounter struct {
	events.Store
	conversations *atomic.Int64
}

func (c readCounter) Read(ctx context.Context, s events.Stream, from events.Revision, d events.Direction, most int) ([]events.Recorded, error) {
	if strings.HasPrefix(string(s), "conversation-") {
		c.conversations.Add(1)
	}
	return c.Store.Read(ctx, s, from, d, most)
}

func TestAConversationIsReadOnceForAllItsTurns(t *testing.T) {
	var reads atomic.Int64
	remembers := script.Func(func(t engine.Turn) []script.Step {
		return []script.Step{script.Say(fmt.Sprint(len(t.History)))}
	})
	inHouse(t, options{engine: remembers, store: func() events.Store { return readCounter{memory.New(), &reads} }}, func(h *house) {
		turns := func(n int, words string) {
			h.t.Helper()
			for i := range n {
				h.person(alice).Write(fmt.Sprint(words, i))
				h.settle()
			}
			for i, said := range h.texts(alice) {
				if said != fmt.Sprint(2*i+1) {
					h.t.Errorf("turn %d is given %s messages", i, said)
				}
			}
		}
		turns(5, "first ") // which is less than is read at a time
		if got := reads.Load(); got > 1 {
			h.t.Errorf("a new conversation of five turns is read %d times", got)
		}
		time.Sleep(time.Second)
		h.crash()
		h.settle()
		reads.Store(0)
		turns(10, "second ")
		if got := reads.Load(); got > 1 {
			h.t.Errorf("after a start ten turns read their conversation %d times", got)
		}
	})
}
