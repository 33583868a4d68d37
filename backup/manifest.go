package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/events"
)

// The names of what says what a backup is.
const (
	manifestFile = "manifest.json"
	sumsFile     = "SHA256SUMS"
	masterKey    = "master.key"
	kind, format = "backup", 1
)

// Manifest says what a backup holds.
type Manifest struct {
	Parley  string    `json:"parley"` // "backup"
	Version int       `json:"version"`
	Taken   time.Time `json:"taken"`
	// Position is the last of the log's that is in it.
	Position events.Position `json:"position"`
	// Contents counts the media, Linked those of them that are hard links to an
	// earlier backup's.
	Contents int `json:"contents"`
	Linked   int `json:"linked"`
	// Files and Bytes count everything.
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	// Key tells the master key from others, and nothing of it; "" if there was
	// none. Keys says that it is in the backup, with the certificates.
	Key  string `json:"key"`
	Keys bool   `json:"keys"`
	// Sums is the SHA-256 of the list of all files' sums.
	Sums string `json:"sums"`
}

// ErrBroken is returned for a backup that is not as it was written.
var ErrBroken = errors.New("the backup is broken")

// fingerprint tells a master key, as its file has it, from others.
func fingerprint(key []byte) string {
	text := strings.ToLower(string(bytes.TrimSpace(key)))
	sum := sha256.Sum256([]byte("parley master key " + text))
	return hex.EncodeToString(sum[:8])
}

// sum is a file of a backup.
type sum struct{ path, sum string }

// encodeSums writes the list of files as sha256sum does.
func encodeSums(sums []sum) []byte {
	var b bytes.Buffer
	for _, s := range sums {
		fmt.Fprintf(&b, "%s  %s\n", s.sum, filepath.ToSlash(s.path))
	}
	return b.Bytes()
}

func decodeSums(b []byte) (sums []sum, err error) {
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		digits, path, ok := strings.Cut(lines.Text(), "  ")
		path = filepath.FromSlash(path)
		// "keys/../x" would be restored elsewhere than it was read from.
		if !ok || !filepath.IsLocal(path) || path != filepath.Clean(path) {
			return nil, fmt.Errorf("%w: %s has a line %q", ErrBroken, sumsFile, lines.Text())
		}
		sums = append(sums, sum{path, digits})
	}
	return sums, lines.Err()
}

// load reads what a backup says of itself.
func load(dir string) (m Manifest, sums []sum, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return m, nil, err
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Parley != kind {
		return m, nil, fmt.Errorf("%w: its %s is none", ErrBroken, manifestFile)
	}
	if m.Version != format {
		return m, nil, fmt.Errorf("the backup is of version %d; this program reads version %d", m.Version, format)
	}
	list, err := os.ReadFile(filepath.Join(dir, sumsFile))
	if err != nil {
		return m, nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if got := sha256.Sum256(list); hex.EncodeToString(got[:]) != m.Sums {
		return m, nil, fmt.Errorf("%w: %s is not the one that was written", ErrBroken, sumsFile)
	}
	sums, err = decodeSums(list)
	return m, sums, err
}
