package parley_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
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
	for path, want := range map[string]string{"/": "302 /try", "/try": "200 ", "/tr": "404 ", "/api/v1/nothing": "404 "} {
		w := httptest.NewRecorder()
		trial.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := fmt.Sprint(w.Code, " ", w.Header().Get("Location")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if err := trial.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
