package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// finding is what one check of a live setup came to.
type finding struct {
	Check, Status, Message, Cure string
}

// The server's words for how serious a finding is, and what a person sees.
const (
	statusOK      = "ok"
	statusWarning = "warning"
	statusError   = "error"
)

var signs = map[string]string{statusOK: "✓", statusWarning: "!", statusError: "✗"}

// examination is one run of the doctor.
type examination struct {
	server server
	out    io.Writer
	// hidden are never printed: the API secret, and the verify tokens.
	hidden []string
}

// doctor examines integrations of a running server and says what is wrong with
// their connection to Meta. What it prints can be pasted in public. It is an
// error if anything does not work.
func doctor(ctx context.Context, args []string, out io.Writer) error {
	var address, secret string
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&address, "url", "http://127.0.0.1:8080", "address of the running server")
	flags.StringVar(&secret, "secret", "", "API secret; PARLEY_SECRET in the environment is not seen by others")
	flags.Usage = func() {
		fmt.Fprint(out, "Usage: parley doctor [--url address] [--secret secret] [integration]\n\n"+
			"Examines one integration, by its ID or @alias, or all of them.\n\n")
		flags.PrintDefaults()
	}
	names, err := parseAnywhere(flags, args)
	if err != nil {
		return err
	}
	if len(names) > 1 {
		return errors.New("doctor takes one integration, or none for all; see parley doctor --help")
	}
	secret = cmp.Or(secret, os.Getenv("PARLEY_SECRET"))
	if secret == "" {
		return errors.New("tell the API secret: PARLEY_SECRET in the environment, or --secret")
	}
	e := &examination{server: newServer(address, secret), out: out, hidden: []string{secret}}
	return e.run(ctx, names)
}

// parseAnywhere reads flags also after the arguments, which it returns.
func parseAnywhere(flags *flag.FlagSet, args []string) (names []string, err error) {
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) > 0 {
			names, args = append(names, args[0]), args[1:]
		}
	}
	return names, nil
}

// run examines what is named, or everything.
func (e *examination) run(ctx context.Context, names []string) error {
	var found []integration
	var err error
	if len(names) == 1 {
		found = make([]integration, 1)
		found[0], err = e.server.integration(ctx, names[0])
	} else {
		found, err = e.server.integrations(ctx)
	}
	if err != nil {
		return e.clean(err)
	}
	if len(found) == 0 {
		e.say("There are no integrations yet.\n")
		return nil
	}
	ill := 0
	for _, i := range found {
		e.hidden = append(e.hidden, i.VerifyToken)
		healthy, err := e.examine(ctx, i)
		if err != nil {
			return e.clean(err)
		}
		if !healthy {
			ill++
		}
	}
	if ill > 0 {
		return fmt.Errorf("something is wrong with %d of %d integrations", ill, len(found))
	}
	e.say("Nothing is wrong; what has a ! is worth a look.\n")
	return nil
}

// examine prints what is found of one integration, and reports whether all of
// it works.
func (e *examination) examine(ctx context.Context, i integration) (healthy bool, err error) {
	setup, err := e.server.setup(ctx, i.ID)
	if err != nil {
		return false, err
	}
	findings := append(setup.Findings, reachable(ctx, setup.Callback, i.VerifyToken))
	name := cmp.Or(i.Name, i.Alias, "without a name")
	e.say("%s (%s)\n", name, i.ID)
	healthy = true
	for _, f := range findings {
		healthy = healthy && f.Status != statusError
		e.say("  %s %-14s  %s\n", cmp.Or(signs[f.Status], "?"), f.Check, f.Message)
		if f.Cure != "" {
			e.say("%s→ %s\n", strings.Repeat(" ", 20), f.Cure)
		}
	}
	e.say("\n")
	return healthy, nil
}

// say prints what may be seen. What the server sent is not trusted with the
// terminal.
func (e *examination) say(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = printable(e.mask(text))
		}
	}
	fmt.Fprintf(e.out, format, args...)
}

func (e *examination) mask(text string) string {
	for _, secret := range e.hidden {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "********")
		}
	}
	return text
}

// clean gives an error that may be seen.
func (e *examination) clean(err error) error { return errors.New(printable(e.mask(err.Error()))) }

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
}
