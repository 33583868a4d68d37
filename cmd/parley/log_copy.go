package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"parley"
)

// copyLog copies a log into another.
func copyLog(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("log copy", flag.ContinueOnError)
	flags.SetOutput(out)
	from := flags.String("from", "", "log to copy, or PARLEY_LOG_FROM in the environment")
	to := flags.String("to", "", "log to copy into, or PARLEY_LOG_TO in the environment")
	flags.Usage = func() {
		fmt.Fprint(out, "Usage: parley log copy --from log --to log\n\n"+
			"Copies a log: streams, revisions, order, IDs and every byte. A log is a data directory, whose server\n"+
			"is stopped, or the connection string of an EventStoreDB (esdb://…), which may be in use where it is\n"+
			"copied from: what comes meanwhile is left for another run. The target is empty, or what an earlier\n"+
			"run left there. A copy that was interrupted, by whatever, is gone on with by the same command. At\n"+
			"the end both logs are read whole and compared. A data directory keeps the times at which events were\n"+
			"stored; an EventStoreDB has its own, and what happened when stands in the events.\n\n")
		flags.PrintDefaults()
	}
	if err := parseAll(flags, args); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	err := parley.CopyLog(ctx, cmp.Or(*from, os.Getenv("PARLEY_LOG_FROM")), cmp.Or(*to, os.Getenv("PARLEY_LOG_TO")), logger, out, os.Stderr)
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("%w; the same command goes on with it", err)
	}
	return err
}
