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
	"text/tabwriter"
	"time"

	"parley"
)

// token hands out secrets for the API, lists and withdraws them; beside a
// running server as well as without one.
func token(ctx context.Context, args []string, out io.Writer) error {
	var o tokenOptions
	flags := flag.NewFlagSet("token", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.data, "data", cmp.Or(os.Getenv("PARLEY_DATA"), "./data"), "data directory of the server, or PARLEY_DATA in the environment")
	flags.StringVar(&o.account, "account", "", "account that the secret is for; default if none is named, and all of them in a list")
	flags.StringVar(&o.name, "name", "", "what the secret is for, as the list shows it")
	flags.Usage = func() {
		fmt.Fprint(out, "Usage: parley token create [--account account] [--name name]\n"+
			"       parley token list [--account account]\n       parley token revoke <id>\n\n"+
			"Secrets for the API. A secret is shown once, when it is created. It need not matter whether\n"+
			"the server runs; the command must be run as the user that it runs as. Secrets in PARLEY_TOKENS\n"+
			"are not among them.\n\n")
		flags.PrintDefaults()
	}
	words, err := parseAnywhere(flags, args)
	if err != nil {
		return err
	}
	do, err := o.task(words)
	if err != nil {
		return err
	}
	desk, err := parley.OpenDesk(ctx, o.data, os.Getenv("PARLEY_EVENTS"), slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	return errors.Join(do(ctx, desk, out), desk.Close(within))
}

// tokenOptions are what is said after the words.
type tokenOptions struct{ data, account, name string }

// firstAccount is the account of those who name none: the one that the server's
// first start makes.
const firstAccount = "default"

// task is what the words ask for.
func (o tokenOptions) task(words []string) (func(context.Context, *parley.Desk, io.Writer) error, error) {
	switch {
	case len(words) == 1 && words[0] == "create":
		return o.create, nil
	case len(words) == 1 && words[0] == "list":
		return o.list, nil
	case len(words) == 2 && words[0] == "revoke":
		return func(ctx context.Context, desk *parley.Desk, out io.Writer) error {
			return revoke(ctx, desk, words[1], out)
		}, nil
	}
	return nil, errors.New("say create, list, or revoke and an ID; see parley token --help")
}

// create prints nothing but the secret on out, for a script to keep.
func (o tokenOptions) create(ctx context.Context, desk *parley.Desk, out io.Writer) error {
	t, secret, err := desk.Create(ctx, cmp.Or(o.account, firstAccount), o.name)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "Token %s of the account %s. Its secret, shown this once:\n", t.ID, t.Account)
	fmt.Fprintln(out, secret)
	return nil
}

func (o tokenOptions) list(ctx context.Context, desk *parley.Desk, out io.Writer) error {
	all, err := desk.List(ctx, o.account)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tACCOUNT\tCREATED\tNAME")
	for _, t := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.ID, printable(t.Account), t.Created.UTC().Format(time.DateTime), printable(t.Name))
	}
	return w.Flush()
}

func revoke(ctx context.Context, desk *parley.Desk, id string, out io.Writer) error {
	t, err := desk.Revoke(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Token %s of the account %s is revoked.\n", t.ID, printable(t.Account))
	return nil
}
