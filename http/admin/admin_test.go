package admin_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/http/admin"
)

// book is a Tokens that keeps nothing.
type book struct{ asked []string }

var made = admin.Token{ID: "0123456789abcdef", Account: "acme", Name: "a script's", Created: time.Unix(1e9, 0).UTC()}

func (b *book) Create(_ context.Context, account, name string) (admin.Token, string, error) {
	b.asked = append(b.asked, "create "+account+" "+name)
	return made, "sk-made", nil
}

func (b *book) List(_ context.Context, account string) ([]admin.Token, error) {
	b.asked = append(b.asked, "list "+account)
	return []admin.Token{made}, nil
}

func (b *book) Revoke(_ context.Context, id string) (admin.Token, error) {
	b.asked = append(b.asked, "revoke "+id)
	return admin.Token{}, errors.New("there is no such token")
}

// serve serves a book on a data directory, until the end of the test or stop.
func serve(t *testing.T, data string, b *book) (stop func()) {
	t.Helper()
	l, err := admin.Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	s := admin.NewServer(b)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	stop = sync.OnceFunc(func() {
		if err := errors.Join(s.Shutdown(context.Background()), <-served); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestWhatIsAskedIsAnswered(t *testing.T) {
	data, b := t.TempDir(), &book{}
	serve(t, data, b)
	c, err := admin.Dial(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	token, secret, err := c.Create(t.Context(), "acme", "a b&c")
	if err != nil || secret != "sk-made" {
		t.Errorf("%q %v", secret, err)
	}
	list, err := c.List(t.Context(), "a&b=c")
	if diff := cmp.Diff([]admin.Token{made, made}, append(list, token)); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := c.Revoke(t.Context(), "../a b"); err == nil || err.Error() != "there is no such token" {
		t.Errorf("the error is %v", err)
	}
	if diff := cmp.Diff([]string{"create acme a b&c", "list a&b=c", "revoke ../a b"}, b.asked); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyTheOwnerMayAsk(t *testing.T) {
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, "admin"), 0o777); err != nil {
		t.Fatal(err)
	}
	serve(t, data, &book{})
	for path, want := range map[string]fs.FileMode{"admin": fs.ModeDir | 0o700, "admin/socket": fs.ModeSocket | 0o600} {
		info, err := os.Stat(filepath.Join(data, path))
		if err != nil || info.Mode() != want {
			t.Errorf("%s has the mode %v, not %v (%v)", path, info.Mode(), want, err)
		}
	}
}

func TestNobodyIsThere(t *testing.T) {
	for rule, prepare := range map[string]func(t *testing.T, data string){
		"there never was a server": func(*testing.T, string) {},
		"a server has ended":       func(t *testing.T, data string) { serve(t, data, &book{})() },
		"a server was killed": func(t *testing.T, data string) {
			l, err := admin.Listen(data)
			if err != nil {
				t.Fatal(err)
			}
			l.(*net.UnixListener).SetUnlinkOnClose(false)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(rule, func(t *testing.T) {
			data := t.TempDir()
			prepare(t, data)
			if _, err := admin.Dial(t.Context(), data); !errors.Is(err, admin.ErrNobody) {
				t.Errorf("the error is %v", err)
			}
			serve(t, data, &book{})
			if _, err := admin.Dial(t.Context(), data); err != nil {
				t.Errorf("a new server is not found: %v", err)
			}
		})
	}
	t.Run("the path is too long", func(t *testing.T) {
		if _, err := admin.Dial(t.Context(), filepath.Join(t.TempDir(), strings.Repeat("d", 120))); !errors.Is(err, admin.ErrNobody) {
			t.Errorf("the error is %v", err)
		}
	})
}
