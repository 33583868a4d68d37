package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"parley"
)

// serve runs a node until it is told to stop.
func serve(ctx context.Context, args []string, out io.Writer) error {
	config, err := parley.LoadConfig("serve", args, os.Getenv, out)
	if err != nil {
		return err
	}
	easeCollector()
	logger := config.NewLogger(os.Stderr)
	listener, err := listen(config)
	if err != nil {
		return err
	}
	node, err := parley.Start(ctx, config, parley.Parts{}, logger, listener)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	logger.Info("parley serves", "listen", listener.Addr().String(), "data", config.Data,
		"callback", config.PublicURL+"/api/v1/integration/whatsapp/{id}/callback")
	return untilStopped(ctx, node.Failed(), node.Stop)
}

// listen opens the door's address. Where another program has it, it says what
// to do, since that happens to most people once.
func listen(c parley.Config) (net.Listener, error) {
	l, err := net.Listen("tcp", c.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("PARLEY_LISTEN: %w; stop what listens there, or name another address, for example PARLEY_LISTEN=127.0.0.1:8090", err)
	case err != nil:
		return nil, fmt.Errorf("PARLEY_LISTEN: %w", err)
	}
	return l, nil
}

// stopWithin bounds a graceful stop.
const stopWithin = 9 * time.Second

// untilStopped waits for the end and stops what runs. A part that failed makes
// it an error, so that a supervisor starts the process anew.
func untilStopped(ctx context.Context, failed <-chan error, stop func(context.Context) error) error {
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-failed:
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	return errors.Join(failure, stop(within))
}

// easeCollector lets the heap grow further between collections than Go does by
// itself: what lives is little, what is allocated per webhook is not. GOGC says
// otherwise.
func easeCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
