//go:build system

package system

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/test/process"
)

// A backup is taken of a server that many people write to, and does not disturb
// it. The server is killed, and another machine goes on from the backup: all that
// was acknowledged before the backup began is there and is answered, once and in
// order, files can be read, and what is derived from the log is right.
// P1 P2 P3 P4 P5 P6 P9
func TestABackupUnderLoadIsRestored(t *testing.T) {
	random := dice(t)
	var meta *gate
	w := newWorld(t, options{
		settings: []string{"--settle", "2s", "--gather", "0"},
		between: func(h http.Handler) http.Handler {
			meta = newGate(h)
			return meta
		},
	})
	files := map[string]string{}
	for n := range 3 {
		content := fmt.Sprintf("what is in file %d", n)
		id, address := w.offer(int64(len(content)))
		if a, err := w.send(address, strings.NewReader(content), int64(len(content))); err != nil || a.status != http.StatusOK {
			t.Fatalf("%v, %d %s", err, a.status, a.text)
		}
		files[id] = content
	}
	c := w.crowd(150, 12) // nobody hears an answer before the kill: Meta hangs
	done := c.write(random)
	c.await(t, int64(c.people*c.letters)/4)
	var before []string
	c.known.Range(func(wamid, _ any) bool {
		before = append(before, wamid.(string))
		return true
	})
	backups := filepath.Join(t.TempDir(), "backups")
	w.tool(t, "backup", "--data", w.options.data, "--to", backups)
	meanwhile := c.acknowledged.Load() - int64(len(before))
	done()
	t.Logf("%d acknowledged before the backup, %d meanwhile, %d in all", len(before), meanwhile, c.acknowledged.Load())
	if c.unanswered.Load()+c.unavailable.Load() > 0 {
		t.Errorf("%d webhooks failed, and %d were told to come again", c.unanswered.Load(), c.unavailable.Load())
	}
	w.tool(t, "backup", "--data", w.options.data, "--to", backups) // of the very end, shares the media
	if meanwhile == 0 {
		t.Log("nobody wrote while the backup was taken: it was too fast")
	}
	w.process.Kill()
	w.checkBackupsHaveNoSecret(t, backups)

	all, err := os.ReadDir(backups)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	key := filepath.Join(w.options.data, "master.key")
	w.options.data = filepath.Join(t.TempDir(), "another")
	w.tool(t, "restore", "--from", filepath.Join(backups, all[0].Name()), "--data", w.options.data, "--master-key-file", key)
	w.tool(t, "log", "verify", "--data", w.options.data)
	held := w.log()
	var said bytes.Buffer
	for _, e := range held {
		said.Write(e.Data)
	}
	for _, wamid := range before {
		if !bytes.Contains(said.Bytes(), []byte(wamid+"\"")) {
			t.Fatalf("%s was acknowledged before, and is not in the backup", wamid)
		}
	}
	if n := len(w.meta.Accepted("")); n > 0 {
		t.Errorf("Meta accepted %d messages while it hung", n)
	}

	meta.open()
	w.start()
	w.checkAnswersInOrder(t, c, before)
	for id, content := range files {
		if a := w.call(http.MethodGet, "/file/"+id+"/download", nil); a.status != http.StatusOK || a.text != content {
			t.Errorf("a file reads %d %q", a.status, a.text)
		}
	}
	w.checkFoldedAnew(t)
	w.process.Terminate()
	w.tool(t, "log", "verify", "--data", w.options.data)
}

// tool runs a command to its end, which must be a good one.
func (w *world) tool(t *testing.T, args ...string) {
	t.Helper()
	p := process.Launch(t, process.Config{Name: args[0], Args: append([]string{binary}, args...)})
	if code := p.Wait(time.Minute); code != 0 {
		t.Fatalf("%s ends with %d:\n%s", strings.Join(args, " "), code, p.Output.Tail())
	}
	t.Log(strings.TrimSpace(p.Output.String()))
}

// checkAnswersInOrder waits until everything that was acknowledged is answered,
// and checks that everybody hears what they wrote first, each once and in order.
func (w *world) checkAnswersInOrder(t *testing.T, c *crowd, before []string) {
	t.Helper()
	owed := map[string]int{} // by person, how many at least
	for _, wamid := range before {
		_, rest, _ := strings.Cut(wamid, ".")
		who, n, _ := strings.Cut(rest, ".")
		var number int
		if _, err := fmt.Sscan(n, &number); err != nil {
			t.Fatal(err)
		}
		owed[who] = max(owed[who], number+1)
	}
	process.Eventually(t, time.Minute, "everything is answered that was acknowledged before", func() bool {
		for who, n := range owed {
			if len(w.sent(who)) < n {
				return false
			}
		}
		return true
	})
	w.quiet()
	for i := range c.people {
		got := w.sent(person(i))
		var want []string
		for n := range got {
			want = append(want, "You said "+letter(person(i), n))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s got: %s", person(i), diff)
		}
	}
	c.checkEchoes(t)
}

// checkBackupsHaveNoSecret looks for every secret in backups that were made
// without keys. P9
func (w *world) checkBackupsHaveNoSecret(t *testing.T, backups string) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(w.options.data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{accessToken, appSecret, apiSecret, strings.TrimSpace(string(key))} {
		if found := w.filesIn(backups, []byte(secret)); len(found) > 0 {
			t.Errorf("a secret is in %v", found)
		}
	}
	if len(w.filesIn(backups, []byte("wamid.15557"))) == 0 {
		t.Error("this does not find anything")
	}
}
