package parley_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"parley"
	"parley/events"
	"parley/events/esdb"
	"parley/events/local"
)

// free is an address that nothing listens at.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestALocalLogIsServed(t *testing.T) {
	dir, address := t.TempDir(), free(t)
	start := func(args ...string) (*parley.Node, error) {
		t.Helper()
		config, err := parley.LoadConfig("log serve", append([]string{"--data", dir}, args...), func(string) string { return "" }, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		return parley.StartLog(t.Context(), config, slog.New(slog.DiscardHandler))
	}
	node, err := start("--log-listen", address)
	if err != nil {
		t.Fatal(err)
	}
	store, err := esdb.Open(events.NewSecret("esdb://"+address+"?tls=false"), esdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	record := events.Record{ID: uuid.New(), Type: "Fact"}
	if _, err := store.Append(t.Context(), "a-1", events.NoStream, record); err != nil {
		t.Error(err)
	}
	t.Run("by one process at a time", func(t *testing.T) {
		if _, err := start(); !errors.Is(err, local.ErrInUse) {
			t.Errorf("error %v", err)
		}
	})
	if err := errors.Join(store.Close(), node.Stop(context.Background())); err != nil {
		t.Error(err)
	}
	t.Run("and holds what was put into it", func(t *testing.T) {
		log, err := local.Open(filepath.Join(dir, "log"), local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		if all, err := log.ReadAll(t.Context(), events.LogStart, events.Forwards, 10); err != nil || len(all) != 1 || all[0].ID != record.ID {
			t.Errorf("%v, %v", all, err)
		}
	})
	t.Run("but not beyond this machine without TLS and a password", func(t *testing.T) {
		if _, err := start("--log-listen", "0.0.0.0:0"); err == nil || !strings.Contains(err.Error(), "needs TLS and a password") {
			t.Errorf("error %v", err)
		}
	})
}

// Whoever serves a log with a password alone is told that nobody can say it.
func TestAPasswordWithoutTLSIsTold(t *testing.T) {
	for _, c := range []struct {
		args  []string
		tells bool
	}{
		{nil, false},
		{[]string{"--log-user", "ada:tops3cret"}, true},
		{[]string{"--log-reader", "eve:tops3cret"}, true},
	} {
		logs := &strings.Builder{}
		args := append([]string{"--data", t.TempDir(), "--log-listen", "127.0.0.1:0"}, c.args...)
		config, err := parley.LoadConfig("log serve", args, func(string) string { return "" }, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		node, err := parley.StartLog(t.Context(), config, slog.New(slog.NewTextHandler(logs, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := node.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if got := logs.String(); strings.Contains(got, "PARLEY_LOG_TLS_CERT") != c.tells || strings.Contains(got, "tops3cret") {
			t.Errorf("%v: %s", c.args, got)
		}
	}
}
