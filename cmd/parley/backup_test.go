package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBackupAndRestore(t *testing.T) {
	dir, to, other := settle(t), t.TempDir(), filepath.Join(t.TempDir(), "data")
	key := filepath.Join(dir, "master.key")
	var report, again, said strings.Builder
	if err := run(t.Context(), []string{"log", "verify", "--data", dir}, &report); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"backup", "--data", dir, "--to", to}, &said); err != nil || !strings.Contains(said.String(), "The keys are not in it. Keep "+key+" elsewhere") {
		t.Fatalf("%v: %s", err, said.String())
	}
	if err := run(t.Context(), []string{"restore", "--from", to, "--data", other}, io.Discard); err == nil || !strings.Contains(err.Error(), "--master-key-file") {
		t.Errorf("without a key: %v", err)
	}
	if err := run(t.Context(), []string{"restore", "--from", to, "--data", other, "--master-key-file", key}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"log", "verify", "--data", other}, &again); err != nil || again.String() != report.String() {
		t.Errorf("%v: %s, expected %s", err, again.String(), report.String())
	}
	t.Run("with keys nothing else is needed", func(t *testing.T) {
		to, other := t.TempDir(), t.TempDir()
		if err := run(t.Context(), []string{"backup", "--data", dir, "--to", to, "--with-keys"}, io.Discard); err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), []string{"restore", "--from", to, "--data", other}, io.Discard); err != nil {
			t.Error(err)
		}
	})
	t.Run("what a restore has left unfinished is not served", func(t *testing.T) {
		if err := os.Mkdir(filepath.Join(other, ".restoring"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), []string{"log", "verify", "--data", other}, io.Discard); err == nil || !strings.Contains(err.Error(), "not finished") {
			t.Errorf("error %v", err)
		}
	})
	for says, args := range map[string][]string{
		"say --to":                      {"backup", "--data", dir},
		"there is no log in":            {"backup", "--data", t.TempDir(), "--to", to},
		"the log is in an EventStoreDB": {"backup", "--data", dir, "--to", to, "--events", "esdb://127.0.0.1:2113?tls=false"},
		"say --from":                    {"restore", "--data", t.TempDir()},
		"there is no backup in":         {"restore", "--from", t.TempDir(), "--data", filepath.Join(t.TempDir(), "data")},
		"is not empty":                  {"restore", "--from", to, "--data", dir, "--master-key-file", key},
		"takes no argument":             {"restore", "from", to},
	} {
		t.Run(says, func(t *testing.T) {
			if err := run(t.Context(), args, io.Discard); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("error %v", err)
			}
		})
	}
}
