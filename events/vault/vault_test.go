package vault_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"parley/events"
	"parley/events/memory"
	"parley/events/vault"
)

func open(t *testing.T, store events.Store, fill byte) *vault.Vault {
	t.Helper()
	v, err := vault.New(store, bytes.Repeat([]byte{fill}, vault.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVault(t *testing.T) { // F154 P7 P9
	const token = "EAAG-very-secret-token"
	ctx := t.Context()
	store := memory.New()
	defer store.Close()
	v := open(t, store, 1)

	ref, err := v.Seal(ctx, events.Metadata{Account: "acme"}, "int1", events.NewSecret(token))
	if err != nil {
		t.Fatal(err)
	}
	second, err := v.Seal(ctx, events.Metadata{Account: "acme"}, "int1", events.NewSecret("other"))
	if err != nil || second == ref {
		t.Fatalf("%q, %v", second, err)
	}

	t.Run("what is sealed can be opened, also by another vault of the same key", func(t *testing.T) {
		for _, v := range []*vault.Vault{v, open(t, store, 1)} {
			secret, err := v.Open(ctx, "int1", ref)
			if err != nil || secret.Reveal() != token {
				t.Errorf("%v, %v", secret, err)
			}
		}
	})
	t.Run("the log does not hold it in clear", func(t *testing.T) {
		all, err := store.ReadAll(ctx, events.LogStart, events.Forwards, 100)
		if err != nil || len(all) != 2 {
			t.Fatalf("%d events, %v", len(all), err)
		}
		for _, r := range all {
			if bytes.Contains(r.Data, []byte(token)) || bytes.Contains(r.Metadata, []byte(token)) {
				t.Error("the token stands in the log")
			}
		}
	})
	t.Run("another key opens nothing, and the error tells nothing", func(t *testing.T) {
		_, err := open(t, store, 2).Open(ctx, "int1", ref)
		if err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a reference is good for its integration alone", func(t *testing.T) {
		if _, err := v.Open(ctx, "int2", ref); !errors.Is(err, vault.ErrNoSecret) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what is erased is gone for everybody", func(t *testing.T) {
		if err := v.Erase(ctx, "int1"); err != nil {
			t.Fatal(err)
		}
		for _, v := range []*vault.Vault{v, open(t, store, 1)} {
			if _, err := v.Open(ctx, "int1", ref); !errors.Is(err, vault.ErrNoSecret) {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("an integration can have secrets after its old ones were erased", func(t *testing.T) {
		ref, err := v.Seal(ctx, events.Metadata{Account: "acme"}, "int1", events.NewSecret("new"))
		if err != nil {
			t.Fatal(err)
		}
		if secret, err := v.Open(ctx, "int1", ref); err != nil || secret.Reveal() != "new" {
			t.Errorf("%v, %v", secret, err)
		}
	})
}

func TestAKeyOfTheWrongLengthIsRefused(t *testing.T) {
	if _, err := vault.New(memory.New(), []byte("short")); err == nil {
		t.Error("a short key passes")
	}
}

func TestASealedSecretCannotBeMoved(t *testing.T) {
	ctx := t.Context()
	store := memory.New()
	defer store.Close()
	v := open(t, store, 1)
	ref, err := v.Seal(ctx, events.Metadata{Account: "acme"}, "int1", events.NewSecret("mine"))
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := store.Read(ctx, events.StreamOf(events.SecretCategory, "int1"), events.StreamStart, events.Forwards, 1)
	if err != nil {
		t.Fatal(err)
	}
	record := stolen[0].Record
	record.ID = events.IDOf("x", "y", 0)
	if _, err := store.Append(ctx, events.StreamOf(events.SecretCategory, "int2"), events.NoStream, record); err != nil {
		t.Fatal(err)
	}
	if secret, err := open(t, store, 1).Open(ctx, "int2", ref); err == nil {
		t.Errorf("opened %v", secret)
	}
}

func TestWhetherALogHasSecrets(t *testing.T) { // F154
	store := memory.New()
	defer store.Close()
	check := func(what string, want bool) {
		t.Helper()
		if got, err := vault.Holds(t.Context(), store); err != nil || got != want {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	check("an empty log", false)
	for i := range 1200 { // more than one look
		_, err := store.Append(t.Context(), "bot-1", events.Revision(i-1), events.Record{ID: events.IDOf("bot-1", "x", i), Type: "X"})
		if err != nil {
			t.Fatal(err)
		}
	}
	check("a log of something else", false)
	v := open(t, store, 1)
	if _, err := v.Seal(t.Context(), events.Metadata{Account: "acme"}, "int1", events.NewSecret("token")); err != nil {
		t.Fatal(err)
	}
	check("sealed", true)
	if err := v.Erase(t.Context(), "int1"); err != nil {
		t.Fatal(err)
	}
	check("erased", false)
}
