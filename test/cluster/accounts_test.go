//go:build system

package cluster

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"parley/test/process"
)

// What is written through one node is seen through another, by whoever says
// where it stands, and by ID in any case.
func TestWhatAnotherNodeWrote(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		from, to := w.nodes[i%3].address, w.nodes[(i+1)%3].address
		made, err := w.ask(from, http.MethodPost, "/bot/create", object{"name": fmt.Sprint("Bot ", i)})
		if err != nil {
			t.Fatal(err)
		}
		position := w.position
		listed, err := w.ask(to, http.MethodGet, "/bot/list?take=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		if items := listed["items"].([]any); len(items) != 1 || items[0].(object)["id"] != made["id"] {
			t.Errorf("the list of another node lacks bot %d, which stands at %s", i, position)
		}
		w.position = ""
		made, err = w.ask(from, http.MethodPost, "/bot/create", object{"name": fmt.Sprint("Other ", i)})
		if err != nil {
			t.Fatal(err)
		}
		w.position = ""
		if _, err := w.ask(to, http.MethodGet, "/bot/"+made["id"].(string)+"/fetch", nil); err != nil {
			t.Errorf("another node does not find bot %d: %v", i, err)
		}
		w.position = ""
	}
}

// Nodes that start at once make one account, and a secret that is made beside
// one of them is good at all.
func TestTheFirstAccountIsMadeOnce(t *testing.T) {
	w := newNodes(t, nil, "")
	printed := 0
	for _, n := range w.nodes {
		printed += strings.Count(n.Output.Tail(), "shown this once")
	}
	if printed != 1 {
		t.Errorf("%d secrets are printed", printed)
	}
	out, err := exec.Command(binary, "token", "create", "--data", w.nodes[1].data, "--account", "acme").Output()
	if err != nil {
		t.Fatal(err)
	}
	w.secret = strings.TrimSpace(string(out))
	for _, n := range w.nodes {
		process.Eventually(t, 5e9, "the secret is known to "+n.Name(), func() bool {
			_, err := w.ask(n.address, http.MethodGet, "/bot/list", nil)
			return err == nil
		})
	}
}
