package perform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"parley/actors"
	"parley/domain"
	"parley/domain/conversation"
	"parley/engine"
	"parley/events"
	"parley/media"
	"parley/whatsapp"
)

// Files keeps what people send.
type Files interface {
	Put(ctx context.Context, content io.Reader, limits media.Limits) (media.Object, error)
	Open(ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error)
}

// fetch brings a message's file from Meta into the media store, and has it
// written down if it was spoken.
func (p *Conversation) fetch(ctx context.Context, w actors.Work, file events.OpenFetch) error {
	l, err := p.line(ctx, w)
	var refusal *domain.Error
	if errors.As(err, &refusal) {
		return w.Report(ctx, file.Message, conversation.ReportUnfetched{Message: file.Message, Reason: refusal.Message})
	}
	if err != nil {
		return err
	}
	attachment, err := p.store(ctx, l.credentials, file)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the node stops; the file is still owed
	}
	if err != nil {
		p.log(w).Warn("file not fetched", "session", file.Session, "message", file.Message, "err", err)
		return w.Report(ctx, file.Message, unfetched(file, err))
	}
	p.log(w).Debug("file stored", "session", file.Session, "message", file.Message, "type", attachment.Type, "size", attachment.Size)
	return w.Report(ctx, file.Message, conversation.ReportFetched{
		Message: file.Message, Attachment: attachment, Transcript: p.transcribe(ctx, file, attachment),
	})
}

// unfetched turns an error into a report.
func unfetched(file events.OpenFetch, err error) conversation.ReportUnfetched {
	advice := whatsapp.AdviseMedia(err)
	retry, wait := wait(advice, file.Attempts+1)
	return conversation.ReportUnfetched{
		Message: file.Message, Reason: err.Error(), Wait: wait,
		Retry: retry && advice.Action != whatsapp.Stop && !errors.Is(err, media.ErrEmpty) && !errors.Is(err, media.ErrTooLarge),
	}
}

func (p *Conversation) store(ctx context.Context, c whatsapp.Credentials, file events.OpenFetch) (a events.Attachment, err error) {
	download, err := p.Graph.Download(ctx, c, file.Media.ID, 0)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, download.Close()) }()
	object, err := p.Files.Put(ctx, download, media.Limits{Bytes: whatsapp.MaxMedia})
	if err != nil {
		return a, fmt.Errorf("store the file: %w", err)
	}
	claimed := file.Media.Type
	if claimed == "" {
		claimed = download.MIME
	}
	typ, agree := media.Settle(claimed, object.Type)
	if !agree {
		p.Logger.Info("file is not what it claims to be", "message", file.Message, "claimed", claimed, "seen", object.Type)
	}
	name := file.Media.Name
	if name == "" {
		name = file.Kind
	}
	return events.Attachment{
		ID: events.DeriveKey(file.Message, "attachment"), Hash: object.Hash.String(), Name: media.SafeName(name, typ),
		Type: typ, Size: object.Size,
	}, nil
}

// The bounds of a recording that is written down. OpenAI: audio transcriptions.
const maxRecording = 25 << 20

// transcribe writes down what was spoken, if somebody can. A failure costs
// only the words: the file is stored.
func (p *Conversation) transcribe(ctx context.Context, file events.OpenFetch, a events.Attachment) string {
	if p.Transcriber == nil || !strings.HasPrefix(a.Type, "audio/") || a.Size > maxRecording {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, p.TurnTime)
	defer cancel()
	data, err := p.content(ctx, a)
	if err == nil {
		var words string
		if words, err = p.Transcriber.Transcribe(ctx, engine.Recording{Name: a.Name, Type: a.Type, Data: data}); err == nil {
			return words
		}
	}
	p.Logger.Warn("recording not written down", "message", file.Message, "err", err)
	return ""
}

// content reads a stored file.
func (p *Conversation) content(ctx context.Context, a events.Attachment) (data []byte, err error) {
	hash, err := media.ParseHash(a.Hash)
	if err != nil {
		return nil, err
	}
	content, _, err := p.Files.Open(ctx, hash)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	return io.ReadAll(content)
}

// The pictures that an engine is shown: the newest ones, none that is huge.
const (
	maxPictures = 5
	maxPicture  = 5 << 20
)

// picture reads a file for engines that can see.
func (p *Conversation) picture(ctx context.Context, a *events.Attachment) []engine.Image {
	switch {
	case a == nil, a.Size > maxPicture:
		return nil
	case a.Type != "image/jpeg" && a.Type != "image/png" && a.Type != "image/webp" && a.Type != "image/gif":
		return nil
	}
	data, err := p.content(ctx, *a)
	if err != nil {
		p.Logger.Warn("picture cannot be read", "attachment", a.ID, "err", err)
		return nil
	}
	return []engine.Image{{Type: a.Type, Data: data}}
}
