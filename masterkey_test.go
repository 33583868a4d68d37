package parley_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley"
	"parley/events"
	"parley/events/memory"
	"parley/events/vault"
)

// keyed is a data directory without a master key, and a log that outlives nodes.
type keyed struct {
	t      *testing.T
	store  events.Store
	config parley.Config
}

func newKeyed(t *testing.T) keyed {
	data := t.TempDir()
	return keyed{t, memory.New(), parley.Config{
		Data: data, MasterKeyFile: filepath.Join(data, "master.key"), Media: "mem://", GraphURL: "http://127.0.0.1:1", Tasks: 1,
		Tokens: map[string]events.Secret{"acme": events.NewSecret(apiSecret)},
	}}
}

// kept is a store that a node does not close.
type kept struct{ events.Store }

func (kept) Close() error { return nil }

// start starts a node and stops it again.
func (k keyed) start() error {
	k.t.Helper()
	node, err := parley.Start(k.t.Context(), k.config, parley.Parts{Store: kept{k.store}}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	return node.Stop(context.WithoutCancel(k.t.Context()))
}

func (k keyed) vault() *vault.Vault {
	k.t.Helper()
	raw, err := os.ReadFile(k.config.MasterKeyFile)
	if err != nil {
		k.t.Fatal(err)
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(raw)))
	if err != nil {
		k.t.Fatal(err)
	}
	v, err := vault.New(k.store, key)
	if err != nil {
		k.t.Fatal(err)
	}
	return v
}

func (k keyed) seal() {
	k.t.Helper()
	if _, err := k.vault().Seal(k.t.Context(), events.Metadata{Account: "acme"}, "int1", events.NewSecret("EAAG-token")); err != nil {
		k.t.Fatal(err)
	}
}

func TestTheMasterKeyIsMissing(t *testing.T) { // F154 P9
	t.Run("a first start makes one, for its owner alone", func(t *testing.T) {
		k := newKeyed(t)
		if err := k.start(); err != nil {
			t.Fatal(err)
		}
		if stat, err := os.Stat(k.config.MasterKeyFile); err != nil || stat.Mode() != 0o600 {
			t.Errorf("%v, %v", stat, err)
		}
	})
	t.Run("while nothing is sealed with it, it may be made anew", func(t *testing.T) {
		k := newKeyed(t)
		if err := k.start(); err != nil {
			t.Fatal(err)
		}
		k.lose()
		if err := k.start(); err != nil {
			t.Error(err)
		}
	})
	t.Run("of a log with credentials, a start says what to do and makes none", func(t *testing.T) {
		k := newKeyed(t)
		if err := k.start(); err != nil {
			t.Fatal(err)
		}
		k.seal()
		k.lose()
		err := k.start()
		if err == nil || !strings.Contains(err.Error(), k.config.MasterKeyFile) || !strings.Contains(err.Error(), "openssl rand -hex 32") {
			t.Fatalf("error %v", err)
		}
		if _, err := os.Stat(k.config.MasterKeyFile); err == nil {
			t.Error("there is a key now")
		}
	})
	t.Run("a key that somebody made instead is taken", func(t *testing.T) {
		k := newKeyed(t)
		if err := k.start(); err != nil {
			t.Fatal(err)
		}
		k.seal()
		if err := os.WriteFile(k.config.MasterKeyFile, []byte(strings.Repeat("ab", vault.KeySize)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := k.start(); err != nil {
			t.Fatal(err)
		}
		k.seal()
	})
	t.Run("erased credentials ask for no key", func(t *testing.T) {
		k := newKeyed(t)
		if err := k.start(); err != nil {
			t.Fatal(err)
		}
		k.seal()
		if err := k.vault().Erase(t.Context(), "int1"); err != nil {
			t.Fatal(err)
		}
		k.lose()
		if err := k.start(); err != nil {
			t.Error(err)
		}
	})
}

func (k keyed) lose() {
	k.t.Helper()
	if err := os.Remove(k.config.MasterKeyFile); err != nil {
		k.t.Fatal(err)
	}
}

// A wrong key is noticed at the start, and not first by a person who writes.
func TestAnotherMasterKeyIsTold(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		told := func() bool { return strings.Contains(h.logs.String(), "this master key is not the one") }
		h.stop()
		h.start()
		if told() {
			t.Error("of the right one it says that it is wrong")
		}
		h.stop()
		right, err := os.ReadFile(h.config.MasterKeyFile)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(h.config.MasterKeyFile, []byte(strings.Repeat("ab", vault.KeySize)), 0o600); err != nil {
			t.Fatal(err)
		}
		h.start()
		if !told() {
			t.Error("nothing is said")
		}
		h.stop()
		if err := os.WriteFile(h.config.MasterKeyFile, right, 0o600); err != nil {
			t.Fatal(err)
		}
		h.start()
	})
}
