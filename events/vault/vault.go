// Package vault keeps credentials in the log without keeping them readable.
//
// Each integration has a stream of sealed credentials, encrypted with a master
// key that is not in the log. Settings name a credential by a reference, so
// that storing one and putting it into force are two steps and the second is
// atomic with the rest of an update. Erasing the stream removes all of them.
package vault

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	"parley/events"
)

// KeySize is the length of the master key in bytes.
const KeySize = chacha20poly1305.KeySize

// ErrNoSecret is returned for a reference that names nothing (any more).
var ErrNoSecret = errors.New("there is no such secret")

// ErrKey is returned for a credential that was sealed with another master key.
var ErrKey = errors.New("cannot open a sealed secret: it was sealed with another master key")

// Vault seals and opens credentials. It may be used concurrently.
type Vault struct {
	store events.Store
	aead  cipher.AEAD

	// opened keeps what was opened. A reference always names the same
	// credential, so this never goes stale.
	mutex  sync.Mutex
	opened map[name]events.Secret
}

// name is a reference and the integration it belongs to.
type name struct{ integration, ref string }

// maxOpened bounds the credentials kept in memory.
const maxOpened = 10_000

// New opens the vault of a log. The key has KeySize bytes.
func New(store events.Store, key []byte) (*Vault, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return &Vault{store: store, aead: aead, opened: map[name]events.Secret{}}, nil
}

// Seal stores a credential of an integration durably and returns the reference
// that names it. Until settings name it, it is in no force. The metadata say on
// whose behalf, and what led to it.
func (v *Vault) Seal(ctx context.Context, meta events.Metadata, integration string, secret events.Secret) (string, error) {
	ref := events.NewKey()
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(secret.Reveal())+v.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails (documented)
	sealed := v.aead.Seal(nonce, nonce, []byte(secret.Reveal()), bind(integration, ref))
	stream := events.StreamOf(events.SecretCategory, integration)
	meta.Command, meta.Integration = ref, integration
	records, err := events.Records(stream, meta, events.SecretSealed{Ref: ref, Sealed: sealed})
	if err != nil {
		return "", err
	}
	for expected := events.NoStream; ; {
		_, err := v.store.Append(ctx, stream, expected, records...)
		var wrong *events.WrongRevision
		switch {
		case err == nil:
			return ref, nil
		case !errors.As(err, &wrong):
			return "", fmt.Errorf("seal a secret: %w", err)
		}
		expected = wrong.Actual
	}
}

// Open gives the credential that a reference names. Errors: ErrNoSecret, ErrKey.
func (v *Vault) Open(ctx context.Context, integration, ref string) (events.Secret, error) {
	v.mutex.Lock()
	secret, ok := v.opened[name{integration, ref}]
	v.mutex.Unlock()
	if ok {
		return secret, nil
	}
	secret, err := v.read(ctx, integration, ref)
	if err != nil {
		return secret, err
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if len(v.opened) >= maxOpened {
		clear(v.opened)
	}
	v.opened[name{integration, ref}] = secret
	return secret, nil
}

func (v *Vault) read(ctx context.Context, integration, ref string) (events.Secret, error) {
	stream := events.StreamOf(events.SecretCategory, integration)
	for from := events.StreamEnd; from >= events.StreamStart; {
		page, err := v.store.Read(ctx, stream, from, events.Backwards, 32)
		if err != nil {
			return events.Secret{}, fmt.Errorf("read %s: %w", stream, err)
		}
		for _, r := range page {
			from = r.Revision - 1
			fact, err := events.Decode(r.Type, r.Data)
			if err != nil {
				return events.Secret{}, err
			}
			if sealed, ok := fact.(events.SecretSealed); ok && sealed.Ref == ref {
				return v.unseal(integration, sealed)
			}
		}
		if len(page) == 0 {
			break
		}
	}
	return events.Secret{}, ErrNoSecret
}

func (v *Vault) unseal(integration string, s events.SecretSealed) (events.Secret, error) {
	if len(s.Sealed) < chacha20poly1305.NonceSizeX {
		return events.Secret{}, errors.New("sealed secret is too short")
	}
	nonce, ciphertext := s.Sealed[:chacha20poly1305.NonceSizeX], s.Sealed[chacha20poly1305.NonceSizeX:]
	plain, err := v.aead.Open(nil, nonce, ciphertext, bind(integration, s.Ref))
	if err != nil {
		return events.Secret{}, ErrKey
	}
	return events.NewSecret(string(plain)), nil
}

// Erase removes every credential of an integration from the log, for good.
func (v *Vault) Erase(ctx context.Context, integration string) error {
	stream := events.StreamOf(events.SecretCategory, integration)
	if err := v.store.Truncate(ctx, stream, events.StreamEnd); err != nil {
		return fmt.Errorf("erase %s: %w", stream, err)
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	maps.DeleteFunc(v.opened, func(n name, _ events.Secret) bool { return n.integration == integration })
	return nil
}

// bind ties a sealed credential to its place, so that it cannot be moved to
// another integration.
func bind(integration, ref string) []byte { return []byte(integration + "/" + ref) }
