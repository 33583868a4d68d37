package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"parley/http/load"
)

// backupReport is what backups cost a server, and how long they take.
type backupReport struct {
	Stored  int           `json:"webhooks_before"`
	Results []load.Result `json:"results"`
	// Alone is how long a backup takes while nobody writes, Busy how long each
	// takes of those that are made one after the other under load, in seconds.
	Alone float64   `json:"alone_seconds"`
	Busy  []float64 `json:"busy_seconds"`
	Said  string    `json:"said"` // of the last backup
}

// backupRuns compares how webhooks are acknowledged with and without backups
// being made of the same log.
func (o benchOptions) backupRuns(ctx context.Context, r *backupReport) error {
	dir := filepath.Join(o.dir, "backed-up")
	return withWorld(load.Never, func(world *load.World) error {
		return o.withServerIn(ctx, dir, world, func(t load.Target) (err error) {
			if err := t.Warm(o.connections); err != nil {
				return err
			}
			for r.Stored < o.stored && ctx.Err() == nil {
				r.Stored += t.Closed(ctx, "", o.connections, time.Second).Requests
			}
			if r.Alone, r.Said, err = o.backup(ctx, dir); err != nil {
				return err
			}
			r.Results = append(r.Results, t.Open(ctx, "no backup", o.connections, o.calm, o.duration))
			made := make(chan error, 1)
			busy, stop := context.WithTimeout(ctx, o.duration)
			defer stop()
			go func() { made <- o.backups(ctx, busy, dir, r) }()
			r.Results = append(r.Results, t.Open(ctx, "backups, one after the other", o.connections, o.calm, o.duration))
			return <-made
		})
	})
}

// backups makes one backup after the other until a context ends.
func (o benchOptions) backups(ctx, until context.Context, dir string, r *backupReport) (err error) {
	for until.Err() == nil && err == nil {
		var took float64
		took, r.Said, err = o.backup(ctx, dir)
		r.Busy = append(r.Busy, took)
	}
	return err
}

// backup makes a backup as a process of its own, and removes it.
func (o benchOptions) backup(ctx context.Context, dir string) (seconds float64, said string, err error) {
	to := filepath.Join(o.dir, "backups")
	began := time.Now()
	c, err := start(ctx, "backup", "--data", dir, "--events", "local", "--to", to)
	if err != nil {
		return 0, "", err
	}
	out, err := io.ReadAll(c.out)
	if err == nil {
		err = c.process.Wait()
	}
	seconds = time.Since(began).Seconds()
	if err != nil {
		return 0, "", fmt.Errorf("make a backup: %w", err)
	}
	first, _, _ := bytes.Cut(out, []byte("\n"))
	return seconds, string(first), os.RemoveAll(to)
}
