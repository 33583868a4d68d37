package perform

import (
	"context"
	"fmt"
	"time"

	"parley/actors"
	"parley/domain/file"
	"parley/media"
)

// Contents removes contents that nobody refers to from the media store. Many
// may refer to one content, and somebody may be about to: one that was put not
// long ago stays in any case.
type Contents struct {
	Files interface {
		Discard(ctx context.Context, h media.Hash, putBefore time.Time) error
		Walk(ctx context.Context, visit func(h media.Hash, put time.Time) error) error
	}
	// Refers reports that something refers to a content, as of all that is in
	// the log now.
	Refers func(ctx context.Context, hash string) (bool, error)
}

// Discard removes a content that somebody let go, unless somebody else refers
// to it or has put it anew. It is put off until the content is not fresh any
// more (see file.Fresh): who lets go of it earlier waits so long. Doing it
// twice changes nothing.
func (c Contents) Discard(ctx context.Context, hash string) error {
	h, err := media.ParseHash(hash)
	if err != nil {
		return nil // it is nobody's content
	}
	return c.discard(ctx, h, file.Fresh)
}

// orphaned is how old a content is, at least, that is swept. Meanwhile whoever
// put it may have been kept from saying so, by a log that cannot be written.
const orphaned = 24 * time.Hour

// Sweep removes all contents that nobody refers to, though not before a day is
// over: what was put by an upload that did not come to its end.
func (c Contents) Sweep(ctx context.Context) error {
	old := time.Now().Add(-orphaned)
	return c.Files.Walk(ctx, func(h media.Hash, put time.Time) error {
		if !put.Before(old) {
			return nil
		}
		return c.discard(ctx, h, orphaned)
	})
}

func (c Contents) discard(ctx context.Context, h media.Hash, age time.Duration) error {
	putBefore := time.Now().Add(-age) // who puts it from here on is to find it
	refers, err := c.Refers(ctx, h.String())
	if err != nil || refers {
		return err
	}
	return c.Files.Discard(ctx, h, putBefore)
}

// File performs what files owe: that what they let go of is discarded.
type File struct{ Contents Contents }

// Perform implements actors.Performer.
func (p *File) Perform(ctx context.Context, w actors.Work) error {
	task, ok := w.Task.Body.(file.Discard)
	if !ok {
		return fmt.Errorf("no performer for %T", w.Task.Body)
	}
	if err := p.Contents.Discard(ctx, task.Hash); err != nil {
		return err
	}
	return w.Report(ctx, "", file.ReportDiscarded(task))
}
