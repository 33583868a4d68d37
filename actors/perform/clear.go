package perform

import (
	"context"
	"fmt"
	"slices"

	"parley/actors"
	"parley/domain/conversation"
	"parley/events"
)

// clear removes the files of an erased session from the media store, unless
// others refer to the same contents. Doing it twice changes nothing.
func (p *Conversation) clear(ctx context.Context, w actors.Work, task conversation.Clear) error {
	hashes, err := p.contentsOf(ctx, w.Address.Stream(), task.Session)
	if err != nil {
		return fmt.Errorf("find the files of an erased session: %w", err)
	}
	for _, hash := range hashes {
		if err := p.Contents.Discard(ctx, hash); err != nil {
			return fmt.Errorf("remove a file of an erased session: %w", err)
		}
	}
	return w.Report(ctx, "", conversation.ReportCleared(task))
}

// contentsOf gives the hashes of the files of a session, each once.
func (p *Conversation) contentsOf(ctx context.Context, stream events.Stream, session string) (hashes []string, err error) {
	for from := events.StreamStart; ; {
		page, err := p.Store.Read(ctx, stream, from, events.Forwards, historyPage)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			from = r.Revision + 1
			hash, err := contentIn(r, session)
			if err != nil {
				return nil, err
			}
			if hash != "" && !slices.Contains(hashes, hash) {
				hashes = append(hashes, hash)
			}
		}
		if len(page) < historyPage {
			return hashes, nil
		}
	}
}

// contentIn gives the hash of the file that a fact brought into a session, ""
// if it brought none.
func contentIn(r events.Recorded, session string) (string, error) {
	if r.Type != attachmentStored && r.Type != attachmentUploaded {
		return "", nil
	}
	fact, err := events.Decode(r.Type, r.Data)
	if err != nil || events.SessionOf(fact) != session {
		return "", err
	}
	switch f := fact.(type) {
	case events.AttachmentStored:
		return f.Attachment.Hash, nil
	case events.AttachmentUploaded:
		return f.Attachment.Hash, nil
	}
	return "", nil
}

var (
	attachmentStored   = events.AttachmentStored{}.EventType()
	attachmentUploaded = events.AttachmentUploaded{}.EventType()
)
