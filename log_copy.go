package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"parley/events"
	"parley/events/archive"
)

// CopyLog copies a whole log into another, compares the two, and tells what it
// came to; how it goes meanwhile, it tells to progress. A log is named by its
// data directory or by an EventStoreDB's connection string. A copy that was
// interrupted is gone on with by another; see archive.Copy.
func CopyLog(ctx context.Context, from, to string, logger *slog.Logger, out, progress io.Writer) error {
	source, err := logAt(from)
	if err != nil {
		return fmt.Errorf("the log to copy is %w", err)
	}
	target, err := logAt(to)
	if err != nil {
		return fmt.Errorf("the log to copy into is %w", err)
	}
	if source.Data != "" && target.Data != "" && absolute(source.Data) == absolute(target.Data) {
		return errors.New("the log to copy into is the one to copy")
	}
	p := &ticker{out: progress, said: time.Now()}
	return withLog(ctx, source, logger, func(from events.Store) error {
		if err := makeLog(target); err != nil {
			return err
		}
		return withLog(ctx, target, logger, func(to events.Store) error {
			copied, err := archive.Copy(ctx, from, to, p.tell)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%d events copied. Both logs hold the same %d events.\nSHA-256 of them: %s\n", copied.New, copied.Events, copied.Sum)
			return nil
		})
	})
}

// logAt is the log that a data directory or a connection string names.
func logAt(place string) (Config, error) {
	scheme, _, found := strings.Cut(place, "://")
	switch {
	case place == "":
		return Config{}, errors.New("not named: say a data directory, or the connection string of an EventStoreDB")
	case !found:
		return Config{Data: place}, nil
	case !strings.HasPrefix(scheme, "esdb"):
		return Config{}, errors.New("neither a data directory nor an EventStoreDB (esdb://…)") // it may be secret
	}
	c := Config{Events: events.NewSecret(place)}
	if err := checkEvents(c.Events); err != nil {
		return c, fmt.Errorf("not named as it should be: %w", err)
	}
	return c, nil
}

// ticker tells now and then how far a copy has come.
type ticker struct {
	out  io.Writer
	said time.Time
}

// tellEvery is the time between two lines.
const tellEvery = 2 * time.Second

func (t *ticker) tell(at archive.Progress) {
	if time.Since(t.said) < tellEvery {
		return
	}
	t.said = time.Now()
	what := "copied"
	if at.Comparing {
		what = "compared"
	}
	fmt.Fprintf(t.out, "%d events %s, %d %%\n", at.Events, what, 100*at.At/max(at.Head, 1))
}
