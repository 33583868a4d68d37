package parley_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"

	"parley"
)

func TestATrialHasALogOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"PARLEY_EVENTS": "esdb://" + free(t) + "?tls=false"} // nobody is there
	config, err := parley.LoadConfig("try", []string{"--data", dir}, func(name string) string { return env[name] }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	trial, err := parley.StartTrial(t.Context(), config, slog.New(slog.DiscardHandler), listener)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "try", "log", "log.db")); err != nil {
		t.Error(err)
	}
	if err := trial.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
