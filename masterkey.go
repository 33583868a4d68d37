package parley

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"parley/events/local"
	"parley/events/vault"
	"parley/http/ticket"
)

// makeKey writes a new random key. It is on disk, whole, before it is used:
// secrets sealed with a key that is lost are lost, too.
func makeKey(file string, size int) ([]byte, error) {
	key := make([]byte, size)
	_, _ = rand.Read(key) // never fails (documented)
	if err := local.MakeDir(filepath.Dir(file)); err != nil {
		return nil, fmt.Errorf("make the master key: %w", err)
	}
	temporary := file + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the master key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary, file)
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(file))
	}
	if err != nil {
		return nil, fmt.Errorf("make the master key: %w", err)
	}
	return key, nil
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// parseKey reads hexadecimal digits. The message never repeats them.
func parseKey(file string, raw []byte, size int) ([]byte, error) {
	key := make([]byte, hex.DecodedLen(len(bytes.TrimSpace(raw))))
	_, err := hex.Decode(key, bytes.TrimSpace(raw))
	if err != nil || len(key) != size {
		return nil, fmt.Errorf("master key in %s must be %d hexadecimal digits", file, 2*size)
	}
	return key, nil
}

// masterKey reads the key that seals secrets, and makes it at the
// first start. Nodes that share one are given it: each would make its own.
// Where a log has credentials already, none is made: it would open none of them.
func (n *Node) masterKey(ctx context.Context) ([]byte, error) {
	file := n.config.MasterKeyFile
	raw, err := os.ReadFile(file)
	switch {
	case err == nil:
		return parseKey(file, raw, vault.KeySize)
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	switch sealed, err := vault.Holds(ctx, n.store); {
	case err != nil:
		return nil, err
	case sealed:
		return nil, fmt.Errorf("there is no master key in %s, and the log has credentials that are sealed with one: put it back there. "+
			"If it is lost for good, make another with openssl rand -hex %d > %s; then every access token and app secret must be entered anew", file, vault.KeySize, file)
	case n.config.Cluster.on():
		return nil, fmt.Errorf("there is no master key in %s: make one with openssl rand -hex %d, and give every node the same", file, vault.KeySize)
	}
	return makeKey(file, vault.KeySize)
}

// checkKey says so if the master key is not the one that sealed the newest
// credential: else a webhook would be the first to notice. It is no reason not to
// start, since whoever lost the key enters the credentials anew.
func (n *Node) checkKey(ctx context.Context) error {
	newest, err := n.model.NewestIntegrations(ctx, 10)
	if err != nil {
		return err
	}
	for _, i := range newest {
		for _, ref := range []string{i.Settings.AccessToken, i.Settings.AppSecret} {
			if ref == "" {
				continue
			}
			if _, err := n.vault.Open(ctx, i.ID, ref); errors.Is(err, vault.ErrKey) {
				n.logger.Error("this master key is not the one that sealed the credentials: give the server that one, or enter them anew",
					"file", n.config.MasterKeyFile, "integration", i.ID)
			}
			return nil // what else is wrong with it is told to who needs it
		}
	}
	return nil
}

// ticketKey derives the key that signs addresses from the one that seals
// secrets: what is known of one tells nothing of the other.
func ticketKey(master []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, master, nil, "parley tickets", ticket.KeySize)
}
