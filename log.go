package parley

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"time"

	"parley/events"
	"parley/events/esdb"
	"parley/events/esdbserver"
	"parley/events/local"
	"parley/http/certs"
)

// isLocal reports that the log is in the data directory.
func isLocal(log events.Secret) bool { return log.IsZero() || log.Reveal() == "local" }

func checkEvents(log events.Secret) error {
	if isLocal(log) {
		return nil
	}
	if err := esdb.Check(log); err != nil {
		return fmt.Errorf("must be local or an EventStoreDB: %w", err)
	}
	return nil
}

// openStore opens the log: the one it is given, the data directory's, or that
// of an EventStoreDB.
func (n *Node) openStore(ctx, background context.Context, p Parts) error {
	switch {
	case p.Store != nil:
		n.store = p.Store
		return nil
	case isLocal(n.config.Events):
		return n.openLocal(background)
	}
	return n.openRemote(ctx)
}

func (n *Node) openLocal(background context.Context) error {
	if err := checkWhole(n.config.Data); err != nil {
		return err
	}
	store, err := local.Open(filepath.Join(n.config.Data, "log"), local.Options{Logger: n.logger, Metrics: n.metrics})
	if err != nil {
		return err
	}
	n.store = store
	n.parts.Go(func() {
		select {
		case <-background.Done():
		case <-store.Failed():
			n.fail(fmt.Errorf("the log cannot be written any more: %w", store.Err()))
		}
	})
	return nil
}

// remoteSlack is how far reads may be behind a log that is elsewhere: asking it
// costs a journey.
const remoteSlack = 100 * time.Millisecond

// askAgain is the time between looks for a log that is away when a node starts.
const askAgain = 500 * time.Millisecond

// openRemote opens the log of an EventStoreDB, and waits until it is there.
func (n *Node) openRemote(ctx context.Context) error {
	store, err := esdb.Open(n.config.Events, esdb.Options{Logger: n.logger, Metrics: n.metrics})
	if err != nil {
		return err
	}
	n.store, n.slack = store, remoteSlack
	for first := true; ; first = false {
		position, err := store.Head(ctx)
		if err == nil {
			n.logger.Info("event store reached", "position", uint64(position))
			return nil
		}
		if !errors.Is(err, events.ErrUnavailable) {
			return err
		}
		if first {
			n.logger.Warn("waiting for the event store", "err", err)
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// lockModel takes the read model for this process. With a local log the data
// directory is taken already.
func (n *Node) lockModel() (err error) {
	if !isLocal(n.config.Events) {
		n.dataLock, err = local.Lock(filepath.Join(n.config.Data, "read"))
	}
	return err
}

// LogDoor says where a local log is served to others, and to whom.
type LogDoor struct {
	Listen string
	// User may do everything, Reader may only read.
	User, Reader LogUser
	// Cert and Key are files in PEM; without them there is no TLS.
	Cert, Key string
}

// LogUser is who uses a log. Without a password it is nobody.
type LogUser struct {
	Name     string
	Password events.Secret
}

func (u *LogUser) set(v string) error {
	name, password, ok := strings.Cut(v, ":")
	if v != "" && (!ok || name == "" || password == "") {
		return errors.New("must be user:password") // the value is secret
	}
	*u = LogUser{name, events.NewSecret(password)}
	return nil
}

// check looks at what the settings say together.
func (d *LogDoor) check(log events.Secret) error {
	switch {
	case (d.Cert == "") != (d.Key == ""):
		return errors.New("PARLEY_LOG_TLS_CERT and PARLEY_LOG_TLS_KEY belong together")
	case d.Reader.Name != "" && d.Reader.Name == d.User.Name:
		return errors.New("PARLEY_LOG_USER and PARLEY_LOG_READER must be different users")
	case d.Listen != "" && !isLocal(log):
		return errors.New("PARLEY_LOG_LISTEN serves a local log; with PARLEY_EVENTS elsewhere there is none")
	}
	return nil
}

// serveLog opens the log to others, if that is set.
func (n *Node) serveLog(background context.Context) error {
	d := n.config.LogDoor
	if d.Listen == "" {
		return nil
	}
	options := esdbserver.Options{
		User: d.User.Name, Password: d.User.Password, Reader: d.Reader.Name, ReaderPassword: d.Reader.Password, Logger: n.logger,
	}
	if d.Cert != "" {
		files, err := certs.Open(d.Cert, d.Key, n.logger)
		if err != nil {
			return err
		}
		n.parts.Go(func() { files.Run(background) })
		options.TLS = files.Config()
	}
	server := esdbserver.New(n.store, options)
	if d.Cert == "" && d.User.Name+d.Reader.Name != "" {
		n.logger.Warn("clients send a password by TLS alone, so they cannot connect: set PARLEY_LOG_TLS_CERT and PARLEY_LOG_TLS_KEY, or no password")
	}
	listener, err := net.Listen("tcp", d.Listen)
	if err != nil {
		return fmt.Errorf("PARLEY_LOG_LISTEN: %w", err)
	}
	if err := server.Check(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	n.logDoor = server
	n.parts.Go(func() {
		if err := server.Serve(listener); err != nil {
			n.fail(err)
		}
	})
	return nil
}

// defaultLogListen is where EventStoreDB's clients look.
const defaultLogListen = "127.0.0.1:2113"

// StartLog serves the log of a data directory to others and does nothing else.
func StartLog(ctx context.Context, c Config, logger *slog.Logger) (*Node, error) {
	if !isLocal(c.Events) {
		return nil, errors.New("PARLEY_EVENTS is elsewhere; only a local log is served")
	}
	if c.LogDoor.Listen == "" {
		c.LogDoor.Listen = defaultLogListen
	}
	n, background := newNode(c, logger, nil)
	err := n.bring(ctx, []step{
		{"log", func(context.Context) error { return n.openLocal(background) }},
		{"log's door", func(context.Context) error { return n.serveLog(background) }},
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}
