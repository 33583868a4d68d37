package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley"
	"parley/events"
)

// settle makes a data directory of a server that has lived a little.
func settle(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	config, err := parley.LoadConfig("serve", []string{"--data", dir}, func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	config.Tokens = map[string]events.Secret{"acme": events.NewSecret(doctorSecret)}
	node, err := parley.Start(t.Context(), config, parley.Parts{}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		body := `{"name":"Shop","accessToken":"` + doctorToken + `"}`
		r := httptest.NewRequest(http.MethodPost, "/api/v1/integration/whatsapp/create", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+doctorSecret)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		node.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("create: %d %s", w.Code, w.Body)
		}
	}
	if err := node.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLogTools(t *testing.T) {
	dir, other := settle(t), t.TempDir()
	var file, report, moved strings.Builder
	if err := run(t.Context(), []string{"log", "verify", "--data", dir}, &report); err != nil || !strings.Contains(report.String(), "Nothing is wrong.") {
		t.Errorf("verify: %v\n%s", err, report.String())
	}
	if err := run(t.Context(), []string{"log", "export", "--data", dir}, &file); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(file.String(), doctorToken) { // P9
		t.Error("the file shows a credential")
	}
	if err := logTool(t.Context(), "import", []string{"--data", other}, strings.NewReader(file.String()), io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"log", "verify", "--data", other}, &moved); err != nil || moved.String() != report.String() {
		t.Errorf("the other log: %v\n%s\nexpected\n%s", err, moved.String(), report.String())
	}
	t.Run("over the network", func(t *testing.T) {
		served, address := t.TempDir(), strings.TrimPrefix(nowhere(t), "http://")
		config, err := parley.LoadConfig("log serve", []string{"--data", served, "--log-listen", address}, func(string) string { return "" }, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		node, err := parley.StartLog(t.Context(), config, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		url := "esdb://" + address + "?tls=false"
		if err := logTool(t.Context(), "import", []string{"--events", url, "--data", "/nowhere"}, strings.NewReader(file.String()), io.Discard); err != nil {
			t.Error(err)
		}
		var there strings.Builder
		if err := run(t.Context(), []string{"log", "verify", "--events", url, "--data", "/nowhere"}, &there); err != nil || there.String() != report.String() {
			t.Errorf("verify: %v\n%s", err, there.String())
		}
		if err := node.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Run("a copy there and back", func(t *testing.T) {
		served, back, address := t.TempDir(), t.TempDir(), strings.TrimPrefix(nowhere(t), "http://")
		config, err := parley.LoadConfig("log serve", []string{"--data", served, "--log-listen", address}, func(string) string { return "" }, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		node, err := parley.StartLog(t.Context(), config, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		url := "esdb://" + address + "?tls=false"
		for _, way := range [][2]string{{dir, url}, {url, back}, {back, url}} {
			var said strings.Builder
			if err := run(t.Context(), []string{"log", "copy", "--from", way[0], "--to", way[1]}, &said); err != nil || !strings.Contains(said.String(), "Both logs hold the same") {
				t.Errorf("copy %v: %v\n%s", way, err, said.String())
			}
		}
		if err := node.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		var there strings.Builder
		if err := run(t.Context(), []string{"log", "verify", "--data", back}, &there); err != nil || there.String() != report.String() {
			t.Errorf("verify: %v\n%s", err, there.String())
		}
		other := settle(t)
		if err := run(t.Context(), []string{"log", "copy", "--from", dir, "--to", other}, io.Discard); err == nil || !strings.Contains(err.Error(), "its stream ") {
			t.Errorf("a copy into another log: %v", err)
		}
	})
	if err := run(t.Context(), []string{"log", "copy", "--from", dir, "--to", dir + "/."}, io.Discard); err == nil || !strings.Contains(err.Error(), "is the one to copy") {
		t.Errorf("onto itself: %v", err)
	}
	for rule, args := range map[string][]string{
		"nothing to do":    {"log"},
		"another word":     {"log", "burn"},
		"no log there":     {"log", "verify", "--data", t.TempDir()},
		"nothing to write": {"log", "export", "--data", t.TempDir()},
		"nothing to copy":  {"log", "copy", "--from", t.TempDir(), "--to", t.TempDir()},
		"no target":        {"log", "copy", "--from", dir},
		"a strange target": {"log", "copy", "--from", dir, "--to", "http://127.0.0.1:2113"},
	} {
		t.Run(rule, func(t *testing.T) {
			if err := run(t.Context(), args, io.Discard); err == nil {
				t.Error("no error")
			}
		})
	}
}
