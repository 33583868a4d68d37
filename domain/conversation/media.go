package conversation

import (
	"slices"

	"parley/events"
)

// fetching reports that a message that waits has a file which is still being
// fetched.
func (s State) fetching() bool {
	return slices.ContainsFunc(s.Fetches, func(f events.OpenFetch) bool {
		return slices.ContainsFunc(s.Inbox, func(w events.Waiting) bool { return w.Message == f.Message })
	})
}

func (s State) fetchIndex(message string) int {
	return slices.IndexFunc(s.Fetches, func(f events.OpenFetch) bool { return f.Message == message })
}

// settled ends the fetching of a file.
func (s State) settled(message string) State {
	i := s.fetchIndex(message)
	if i < 0 {
		return s
	}
	s.Fetches = slices.Delete(slices.Clone(s.Fetches), i, i+1)
	if len(s.Fetches) == 0 {
		s.Fetches = nil
	}
	return s
}

func (s State) fetchDelayed(fact events.FetchDelayed) State {
	i := s.fetchIndex(fact.Message)
	if i < 0 {
		return s
	}
	s.Fetches = slices.Clone(s.Fetches)
	s.Fetches[i].Attempts, s.Fetches[i].Due = fact.Attempt, fact.Due
	return s
}

func (d *draft) fetched(body ReportFetched) {
	i := d.state.fetchIndex(body.Message)
	if i < 0 {
		return
	}
	d.record(events.AttachmentStored{
		Session: d.state.Fetches[i].Session, Message: body.Message,
		Attachment: body.Attachment, Transcript: body.Transcript,
	})
	d.startTurn()
}

func (d *draft) unfetched(body ReportUnfetched) {
	i := d.state.fetchIndex(body.Message)
	if i < 0 {
		return
	}
	f := d.state.Fetches[i]
	due := d.at.Add(body.Wait)
	if body.Retry && f.Attempts+1 < d.rules.FetchAttempts && due.Sub(f.Since) <= d.rules.FetchBound {
		d.record(events.FetchDelayed{
			Session: f.Session, Message: f.Message, Attempt: f.Attempts + 1, Reason: body.Reason, Due: due,
		})
		return
	}
	d.record(events.AttachmentFailed{Session: f.Session, Message: f.Message, Kind: f.Kind, Reason: body.Reason})
	d.startTurn()
}
