//go:build system

package system

import (
	"bytes"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// token runs parley token, and gives what it prints and says. Nobody else's
// secrets are in its environment.
func token(t *testing.T, data string, args ...string) (printed, said string, ok bool) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"token", "--data", data}, args...)...)
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	err := cmd.Run()
	return out.String(), errors.String(), err == nil
}

// tokens lists tokens as their ID, account and name; the time is the clock's.
func tokens(t *testing.T, data string, args ...string) (list [][3]string) {
	t.Helper()
	printed, said, ok := token(t, data, append([]string{"list"}, args...)...)
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	if !ok || !strings.HasPrefix(lines[0], "ID ") {
		t.Fatalf("list: %s%s", printed, said)
	}
	for _, line := range lines[1:] {
		words := strings.Fields(line) // ID, account, day, time, name
		list = append(list, [3]string{words[0], words[1], strings.Join(words[4:], " ")})
	}
	return list
}

// issue creates a token and gives its ID and secret.
func issue(t *testing.T, data string, args ...string) (id, secret string) {
	t.Helper()
	printed, said, ok := token(t, data, append([]string{"create"}, args...)...)
	secret = strings.TrimSpace(printed)
	words := strings.Fields(said)
	if !ok || !strings.HasPrefix(secret, "sk-") || strings.Contains(secret, " ") || len(words) < 2 || strings.Contains(said, secret) {
		t.Fatalf("create: %q %q", printed, said)
	}
	return words[1], secret
}

// knows reports that the API takes a secret.
func (w *world) knows(secret string) bool {
	w.t.Helper()
	own := w.secret
	defer func() { w.secret = own }()
	w.secret = secret
	a := w.call(http.MethodGet, integrations+"/list", nil)
	if a.status != 200 && (a.status != 401 || a.body()["code"] != "NOT_AUTHENTICATED") {
		w.t.Errorf("%d %s", a.status, a.text)
	}
	return a.status == 200
}

// Secrets are handed out and withdrawn beside a running server and without
// one. They count at once, are shown once, and only their hashes are stored.
// A10 P9
func TestTokens(t *testing.T) {
	w := newWorld(t, options{})
	data := w.options.data
	if got := tokens(t, data); got != nil {
		t.Errorf("before any was made there are %v", got)
	}
	first, firstSecret := issue(t, data, "--account", "acme", "--name", "the shop's till")
	if !w.knows(firstSecret) || w.knows(firstSecret+"x") {
		t.Error("the server takes another secret than the one made")
	}
	if a := w.get(integrations + "/" + w.integration + "/fetch"); a["id"] != w.integration {
		t.Error("the secret is not its account's")
	}
	second, secondSecret := issue(t, data)
	want := [][3]string{{first, "acme", "the shop's till"}, {second, "default", ""}}
	if diff := cmp.Diff(want, tokens(t, data)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[:1], tokens(t, data, "--account", "acme")); diff != "" {
		t.Error(diff)
	}
	if printed, said, ok := token(t, data, "revoke", first); !ok || !strings.Contains(printed, first) {
		t.Errorf("revoke: %s%s", printed, said)
	}
	if w.knows(firstSecret) || !w.knows(secondSecret) || !w.knows(apiSecret) {
		t.Error("another secret than the revoked one is refused")
	}
	if printed, said, ok := token(t, data, "revoke", first); ok || !strings.Contains(said, first) {
		t.Errorf("revoked twice: %s%s", printed, said)
	}

	w.process.Terminate()
	third, thirdSecret := issue(t, data, "--account", "globex", "--name", "made in the night")
	if _, said, ok := token(t, data, "revoke", second); !ok {
		t.Errorf("revoke: %s", said)
	}
	want = [][3]string{{third, "globex", "made in the night"}}
	if diff := cmp.Diff(want, tokens(t, data)); diff != "" {
		t.Error(diff)
	}
	w.start()
	if diff := cmp.Diff(want, tokens(t, data)); diff != "" {
		t.Error(diff)
	}
	if w.knows(secondSecret) || !w.knows(thirdSecret) {
		t.Error("what was done without the server does not count with it")
	}

	w.process.Kill() // its socket stays
	if _, said, ok := token(t, data, "revoke", third); !ok {
		t.Errorf("revoke: %s", said)
	}
	w.start()
	if w.knows(thirdSecret) {
		t.Error("what was revoked beside a left socket still counts")
	}
	w.process.Terminate()
	for _, secret := range []string{firstSecret, secondSecret, thirdSecret} {
		if found := w.filesWith([]byte(secret)); len(found) > 0 {
			t.Errorf("a secret stands in %v", found)
		}
		if strings.Contains(w.output.String()+w.answers.String(), secret) {
			t.Error("a secret is in the log or in an answer")
		}
	}
}

func TestTokenCommandsThatAreRefused(t *testing.T) { // A12
	data := t.TempDir()
	for rule, c := range map[string]struct {
		data string
		args []string
		says string
	}{
		"nothing is said":             {data, nil, "create, list, or revoke"},
		"another word":                {data, []string{"delete", "x"}, "create, list, or revoke"},
		"revoke without an ID":        {data, []string{"revoke"}, "create, list, or revoke"},
		"an account that none can be": {data, []string{"create", "--account", "a:b"}, "an account's name"},
		"a name that is too long":     {data, []string{"create", "--name", strings.Repeat("n", 1025)}, `"name" is longer`},
		"no such token":               {data, []string{"revoke", "0123"}, `there is no token "0123"`},
		"no such directory":           {data + "/none", []string{"list"}, "there is no data directory"},
	} {
		t.Run(rule, func(t *testing.T) {
			printed, said, ok := token(t, c.data, c.args...)
			if ok || !strings.Contains(said, c.says) || strings.Contains(printed, "sk-") {
				t.Errorf("%s%s", printed, said)
			}
		})
	}
	if got := tokens(t, data); got != nil {
		t.Errorf("refused commands made %v", got)
	}
}
