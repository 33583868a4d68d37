package esdb

import (
	"log/slog"
	"testing"
	"time"
)

func TestBreaker(t *testing.T) {
	b := &breaker{logger: slog.New(slog.DiscardHandler)}
	now := time.Now()
	admits := func(rule string, after time.Duration, want bool) {
		t.Helper()
		if got := b.admits(now.Add(after)); got != want {
			t.Errorf("%s: %v, expected %v", rule, got, want)
		}
	}
	admits("at first calls are made", 0, true)
	b.note(false, now)
	admits("for a moment everybody tries again", grace-1, true)
	admits("then one tries", grace, true)
	admits("and no other", grace, false)
	admits("until it is time for the next one", grace+probeEvery-1, false)
	admits("which tries", grace+probeEvery, true)
	b.note(false, now.Add(grace+probeEvery))
	admits("its failure does not give more time", grace+probeEvery+1, false)
	b.note(true, now.Add(grace+probeEvery+2))
	admits("one answer lets everybody in", grace+probeEvery+3, true)
	admits("and each of them", grace+probeEvery+3, true)
	b.note(false, now.Add(time.Hour))
	admits("a new outage is counted from its own beginning", time.Hour+grace-1, true)
	b.note(true, now.Add(2*time.Hour))
	b.left(now.Add(2*time.Hour+1), now.Add(2*time.Hour+grace))
	admits("who leaves soon says nothing of the server", 3*time.Hour, true)
	b.left(now.Add(2*time.Hour-1), now.Add(3*time.Hour))
	admits("nor who waited while others were answered", 3*time.Hour, true)
	b.left(now.Add(3*time.Hour), now.Add(3*time.Hour+grace))
	admits("who waits in vain and leaves does", 3*time.Hour+grace, true)
	admits("and then one at a time tries", 3*time.Hour+grace, false)
}
