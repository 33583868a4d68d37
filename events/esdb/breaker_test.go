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
}
