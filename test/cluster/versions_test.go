//go:build system

package cluster

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/events"
	"parley/events/esdb"
	"parley/test/process"
)

// The newer version is this one with a little more: its files are added to the
// source, and a few lines of it changed, for the compiler alone.
var (
	added = map[string]string{
		"events/newer.go":              "events.go",
		"domain/conversation/newer.go": "conversation.go",
		"newer.go":                     "parley.go",
	}
	changed = []struct{ file, from, to string }{
		{"events/codec.go", "var catalogue = tableOf(\n", "var catalogue = tableOf(\n\tNoted{}, Hinted{},\n"},
		{"events/conversation.go", "type MessageReceived struct {\n", "type MessageReceived struct {\n\tMood string `msgpack:\"mood,omitempty\"`\n"},
		{"domain/conversation/rules.go", "func New(r Rules)", "func older(r Rules)"},
		{"join.go", "d.node.Ask(ctx, to, c)", "d.node.Ask(ctx, to, newer(c))"},
	}
)

// buildNewer builds a parley that knows more events, a field more of one, and a
// command more between nodes, and gives its path.
func buildNewer(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir, replace := t.TempDir(), map[string]string{}
	for path, file := range added {
		replace[filepath.Join(root, path)] = filepath.Join(root, "test/cluster/testdata/newer", file)
	}
	for _, c := range changed {
		text, err := os.ReadFile(filepath.Join(root, c.file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), c.from) != 1 {
			t.Fatalf("%s has not one %q", c.file, c.from)
		}
		replace[filepath.Join(root, c.file)] = filepath.Join(dir, strings.ReplaceAll(c.file, "/", "_"))
		write(t, replace[filepath.Join(root, c.file)], strings.Replace(string(text), c.from, c.to, 1))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), string(overlay))
	program := filepath.Join(dir, "parley")
	if err := process.Build(program, "-overlay", filepath.Join(dir, "overlay.json")); err != nil {
		t.Fatal(err)
	}
	return program
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// become restarts a node as another version.
func (w *world) become(n *node, program string) {
	w.t.Helper()
	n.Terminate()
	if err := os.Remove(n.program); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Symlink(program, n.program); err != nil {
		w.t.Fatal(err)
	}
	n.Start()
	w.ready(n)
}

// One node is of a newer version, and everybody is answered.
func TestANodeIsNewer(t *testing.T) {
	newer := buildNewer(t)
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(2 * time.Second)
	w.become(w.nodes[0], newer)
	time.Sleep(4 * time.Second)
	c.undisturbed("because a node is newer")
	w.audit(t, c)
	w.checkNoted(t)
}

// All nodes are replaced by a newer version, one after the other, and then by
// the old one again. While a node knows what the newer version wrote, everybody
// is answered; when none does, those wait whose streams cannot be judged.
func TestNodesAreReplacedByNewerOnesAndBack(t *testing.T) {
	onlyLong(t)
	newer := buildNewer(t)
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(2 * time.Second)
	for _, n := range w.nodes {
		w.become(n, newer)
		time.Sleep(time.Second)
	}
	for _, n := range w.nodes[1:] {
		w.become(n, binary)
		time.Sleep(time.Second)
	}
	c.undisturbed("while nodes of two versions work together")
	w.become(w.nodes[0], binary)
	before := c.letter()
	time.Sleep(4 * time.Second)
	for i, now := range c.letter() {
		if grown, needed := now > before[i]+1, isNoted(person(i)); grown == needed {
			t.Errorf("%s is noted: %v; acknowledged: %d messages, then %d", person(i), needed, before[i], now)
		}
	}
	w.become(w.nodes[1], newer)
	time.Sleep(2 * time.Second)
	w.audit(t, c)
	w.checkNoted(t)
	w.checkExits(t, 0, false)
}

// isNoted reports that the newer version writes something of a person that an
// older one must know.
func isNoted(person string) bool { return strings.Contains("0369", person[len(person)-1:]) }

// letter is how many messages of each person are acknowledged.
func (c *crowd) letter() (all []int64) {
	for i := range c.letters {
		all = append(all, c.letters[i].Load())
	}
	return all
}

// checkNoted reads the log: after a fact that the older version does not know,
// only the newer one wrote to the stream what people said.
func (w *world) checkNoted(t *testing.T) {
	t.Helper()
	store, err := esdb.Open(events.NewSecret(w.events), esdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() // only read from
	counts, noted := map[string]int{}, map[events.Stream]bool{}
	for from := events.LogStart; ; {
		page, err := store.ReadAll(t.Context(), from, events.Forwards, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			isNewer := bytes.Contains(r.Data, []byte("mood"))
			switch {
			case r.Type == "Noted":
				noted[r.Stream] = true
			case r.Type == "MessageReceived" && noted[r.Stream] && !isNewer:
				t.Errorf("revision %d of %s was decided by a version that could not judge it", r.Revision, r.Stream)
			case r.Type == "MessageReceived" && isNewer:
				counts["MessageReceived with a mood"]++
			}
			counts[r.Type]++
			from = r.Position + 1
		}
		if len(page) < 500 {
			break
		}
	}
	t.Logf("the log holds %v", counts)
	if counts["Noted"] == 0 || counts["Hinted"] == 0 || counts["MessageReceived with a mood"] == 0 {
		t.Error("the newer version wrote nothing new")
	}
}
