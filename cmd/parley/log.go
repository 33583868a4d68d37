package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"parley"
)

// logUsage says what can be done with a log.
const logUsage = `Usage: parley log serve|verify|export|import [--setting value …]
       parley log copy --from log --to log

serve    serve the log of a data directory to others, as an EventStoreDB is (at 127.0.0.1:2113;
         --log-listen, --log-user, --log-reader, --log-tls-cert and --log-tls-key say where
         and to whom).
         A server that runs on the directory does the same with --log-listen
verify   read everything: every event can be decoded, none is missing, the order is right
export   write the whole log to standard output, one JSON object a line
import   put what was exported into a log, from standard input; again, if it was interrupted
copy     copy a log into another that is empty, or that an earlier copy left unfinished or behind,
         and compare the two

The log is the one of --data, which no server may be using meanwhile, or of --events.
A log moves with: parley log copy --from ./data --to esdb://…

`

// eventLog does something with the log itself.
func eventLog(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(out, logUsage)
		return errors.New("say what to do with the log")
	}
	switch args[0] {
	case "serve":
		return serveLog(ctx, args[1:], out)
	case "copy":
		return copyLog(ctx, args[1:], out)
	case "verify", "export", "import":
		return logTool(ctx, args[0], args[1:], os.Stdin, out)
	case "help", "-h", "--help":
		fmt.Fprint(out, logUsage)
		return nil
	}
	fmt.Fprint(out, logUsage)
	return fmt.Errorf("there is no command log %q", args[0])
}

// serveLog serves a log until it is told to stop.
func serveLog(ctx context.Context, args []string, out io.Writer) error {
	config, err := parley.LoadConfig("log serve", args, os.Getenv, out)
	if err != nil {
		return err
	}
	easeCollector()
	node, err := parley.StartLog(ctx, config, config.NewLogger(os.Stderr))
	if err != nil {
		return err
	}
	return untilStopped(ctx, node.Failed(), node.Stop)
}

// logTool does what has an end.
func logTool(ctx context.Context, tool string, args []string, in io.Reader, out io.Writer) error {
	config, err := parley.LoadConfig("log "+tool, args, os.Getenv, out)
	if err != nil {
		return err
	}
	config.LogLevel = max(config.LogLevel, slog.LevelWarn)
	logger := config.NewLogger(os.Stderr)
	n := 0
	switch tool {
	case "verify":
		return parley.VerifyLog(ctx, config, logger, out)
	case "export":
		n, err = parley.ExportLog(ctx, config, logger, out)
	case "import":
		n, err = parley.ImportLog(ctx, config, logger, in)
	}
	if err == nil || n > 0 {
		fmt.Fprintf(os.Stderr, "%s: %d events\n", tool, n)
	}
	return err
}
