package certs

import (
	"context"
	"io/fs"
	"path"

	"github.com/caddyserver/certmagic"
)

// storage keeps certificates and keys in a directory, and one account without an
// address of anybody's. certmagic looks among the accounts for an address to
// use again, and while the first one is being made it takes the folder's name
// for one: the authority then refuses the second host's "default". So accounts
// are not listed, and every host asks for the same one.
type storage struct{ *certmagic.FileStorage }

// List implements [certmagic.Storage].
func (s storage) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	if path.Base(prefix) == "users" {
		return nil, fs.ErrNotExist
	}
	return s.FileStorage.List(ctx, prefix, recursive)
}
