// Parley connects AI bots with WhatsApp Business.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"parley"
)

// command is one thing that parley can do.
type command struct {
	name, help string
	run        func(ctx context.Context, args []string, out io.Writer) error
}

var commands = []command{
	{"serve", "run the server", serve},
	{"try", "run everything with a simulated WhatsApp, a demo bot and a chat page; no accounts needed", try},
	{"token", "hand out secrets for the API, list and revoke them, beside a running server or without one", token},
	{"health", "ask the server that runs with the same settings whether it lives; for containers", health},
	{"doctor", "say what is wrong with the connection of a running server's integrations to Meta", doctor},
	{"log", "serve the log to others, verify it, copy it into another, or write it into a file and back", eventLog},
	{"backup", "copy log, media and, if wanted, keys of a data directory, beside a running server or without one", takeBackup},
	{"restore", "put a backup into a new data directory", restore},
	{"bench", "measure how fast webhooks are taken in and turns are done, against the bound of this machine", bench},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "parley:", err)
		os.Exit(codeOf(err))
	}
}

// codeOf is the exit code of a failure: 3 if nothing is wrong with the process
// but that the other nodes took it for gone. Start it anew.
func codeOf(err error) int {
	if errors.Is(err, parley.ErrLost) {
		return 3
	}
	return 1
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		usage(out)
		return errors.New("say what to do")
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(ctx, args[1:], out)
		}
	}
	usage(out)
	switch args[0] {
	case "help", "-h", "--help":
		return nil
	}
	return fmt.Errorf("there is no command %q", args[0])
}

func usage(out io.Writer) {
	fmt.Fprint(out, "Parley connects AI bots with WhatsApp Business.\n\nUsage: parley <command> [--setting value …]\n\n")
	for _, c := range commands {
		fmt.Fprintf(out, "  %-7s %s\n", c.name, c.help)
	}
	fmt.Fprint(out, "\nparley <command> --help lists the settings.\n\n")
}
