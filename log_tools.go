package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"parley/events"
	"parley/events/archive"
	"parley/events/local"
)

// VerifyLog reads a whole log, the data directory's or an EventStoreDB's, and
// tells what it found. An error says that something is wrong with it.
func VerifyLog(ctx context.Context, c Config, logger *slog.Logger, out io.Writer) error {
	return withLog(ctx, c, logger, func(log events.Store) error {
		r, err := archive.Verify(ctx, log)
		if err != nil {
			return fmt.Errorf("after %d events, at position %d: %w", r.Events, r.Last, err)
		}
		fmt.Fprintf(out, "%d events in %d streams, the last at position %d.\nSHA-256 of them: %s\n", r.Events, r.Streams, r.Last, r.Sum)
		if r.Begun > 0 {
			fmt.Fprintf(out, "%d streams begin later, since what was before is erased.\n", r.Begun)
		}
		if r.Unknown > 0 {
			fmt.Fprintf(out, "%d events are of types that this version does not know.\n", r.Unknown)
		}
		for _, p := range r.Problems {
			fmt.Fprintln(out, "✗", p)
		}
		if r.Found > 0 {
			return fmt.Errorf("%d things are wrong with the log", r.Found)
		}
		fmt.Fprintln(out, "Nothing is wrong.")
		return nil
	})
}

// ExportLog writes a whole log as a file that ImportLog reads, and gives the
// number of events.
func ExportLog(ctx context.Context, c Config, logger *slog.Logger, to io.Writer) (n int, err error) {
	err = withLog(ctx, c, logger, func(log events.Store) error {
		n, err = archive.Export(ctx, log, to)
		return err
	})
	return n, err
}

// ImportLog puts what ExportLog wrote into a log, and gives the number of
// events. An import that was interrupted is gone on with by another.
func ImportLog(ctx context.Context, c Config, logger *slog.Logger, from io.Reader) (n int, err error) {
	if err := makeLog(c); err != nil {
		return 0, err
	}
	err = withLog(ctx, c, logger, func(log events.Store) error {
		n, err = archive.Import(ctx, log, from)
		return err
	})
	return n, err
}

// makeLog makes the place of a log that may be new.
func makeLog(c Config) error {
	if !isLocal(c.Events) {
		return nil
	}
	return local.MakeDir(filepath.Join(c.Data, "log"))
}

// withLog opens a log that is there, and nothing else.
func withLog(ctx context.Context, c Config, logger *slog.Logger, do func(events.Store) error) error {
	if isLocal(c.Events) {
		if _, err := os.Stat(filepath.Join(c.Data, "log")); err != nil {
			return fmt.Errorf("there is no log in %s", c.Data)
		}
	}
	n, background := newNode(c, logger, nil)
	err := n.bring(ctx, []step{
		{"log", func(ctx context.Context) error { return n.openStore(ctx, background, Parts{}) }},
	})
	if err != nil {
		return err
	}
	err = do(n.store)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, n.Stop(stop))
}
