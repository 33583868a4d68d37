package main

import (
	"context"
	"errors"
	"io"
	"os"

	"parley"
)

// try runs a trial until it is told to stop.
func try(ctx context.Context, args []string, out io.Writer) error {
	config, err := parley.LoadConfig("try", args, os.Getenv, out)
	if err != nil {
		return err
	}
	listener, err := listen(config)
	if err != nil {
		return err
	}
	trial, err := parley.StartTrial(ctx, config, config.NewLogger(os.Stderr), listener)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	trial.Welcome(out)
	return untilStopped(ctx, trial.Failed(), trial.Stop)
}
