package contact

import (
	"parley/domain"
	"parley/events"
)

// Bare is the task of making the facts before a deletion bare in the log. The
// deletions of a contact are counted from 1, for it may be made again.
type Bare struct{ Deletions int }

// ReportBared says that the facts before a deletion are bare, or that the log is
// one that keeps them.
type ReportBared struct {
	Deletions int  `msgpack:"n"`
	Kept      bool `msgpack:"ke"`
}

func bared(s State, body ReportBared) []events.Event {
	if body.Deletions <= s.Bared || body.Deletions > s.Deletions {
		return nil
	}
	return []events.Event{events.ContactBared(body)}
}

// pending is the task of making bare what was before the last deletion.
func pending(s State) []domain.Task {
	if s.Bared >= s.Deletions {
		return nil
	}
	return []domain.Task{{Lane: "bare", Body: Bare{Deletions: s.Deletions}}}
}
