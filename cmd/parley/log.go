package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"parley"
)

// logUsage says what can be done with a log.
const logUsage = `Usage: parley log serve [--setting value …]

serve   serve the log of a data directory to others, as an EventStoreDB is (at 127.0.0.1:2113;
        --log-listen, --log-user, --log-tls-cert and --log-tls-key say where and to whom).
        A server that runs on the directory does the same with --log-listen.
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
