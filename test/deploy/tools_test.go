package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ask has a program look at files, if it is installed.
func ask(t *testing.T, from, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("skipped: there is no %s on this machine (Debian: %s)", program, from)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil || program == "systemd-analyze" && strings.Contains(string(out), args[len(args)-1]) { // it finds fault, and is content
		t.Errorf("%s %v: %v\n%s", program, args, err, out)
	}
}

// edited writes a file of the checkout into a temporary one, with words replaced.
func edited(t *testing.T, dir string, path []string, words ...string) string {
	t.Helper()
	to := filepath.Join(dir, path[len(path)-1])
	if err := os.WriteFile(to, []byte(strings.NewReplacer(words...).Replace(read(t, path...))), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestWhatHAProxySays(t *testing.T) {
	ask(t, "haproxy", "haproxy", "-c", "-f", filepath.Join(root, "deploy", "compose", "haproxy.cfg"))
}

func TestWhatPrometheusSays(t *testing.T) {
	dir := filepath.Join(root, "deploy", "monitoring")
	ask(t, "prometheus", "promtool", "check", "rules", filepath.Join(dir, "rules.yml"))
	ask(t, "prometheus", "promtool", "test", "rules", filepath.Join(dir, "rules_test.yml"))
	temporary := t.TempDir()
	rules := edited(t, temporary, []string{"deploy", "monitoring", "rules.yml"})
	ask(t, "prometheus", "promtool", "check", "config",
		edited(t, temporary, []string{"deploy", "compose", "prometheus.yml"}, "/etc/prometheus/rules.yml", rules))
}

func TestWhatSystemdSays(t *testing.T) {
	unit := edited(t, t.TempDir(), []string{"deploy", "parley.service"},
		"/usr/local/bin/parley", "/bin/true", "User=parley", "User=root", "Group=parley", "Group=root") // which are there
	ask(t, "systemd", "systemd-analyze", "verify", "--man=no", unit)
}

// A shell makes the keys, and makes them once.
func TestKeysAreMadeOnce(t *testing.T) {
	dir := checkoutWithKeys(t)
	key, env := filepath.Join(dir, ".parley", "master.key"), filepath.Join(dir, ".env")
	first := contents(t, key) + contents(t, env)
	makeKeys(t, dir)
	if contents(t, key)+contents(t, env) != first {
		t.Error("keys are made again")
	}
	for path, mode := range map[string]os.FileMode{filepath.Dir(key): 0o700, key: 0o444, env: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	if secrets := dotenv(contents(t, env)); len(secrets["PARLEY_TOKENS"]) < 50 || len(secrets["GRAFANA_PASSWORD"]) < 24 {
		t.Errorf("%v are easily guessed", secrets)
	}
	for _, ignored := range []string{"/.env\n", "/.parley/\n"} {
		if !strings.Contains(read(t, ".gitignore"), ignored) {
			t.Errorf("git does not ignore %s", ignored)
		}
	}
}

// checkoutWithKeys gives a directory with what make up makes before it starts
// anything.
func checkoutWithKeys(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "deploy", "compose"), 0o700); err != nil {
		t.Fatal(err)
	}
	edited(t, filepath.Join(dir, "deploy", "compose"), []string{"deploy", "compose", "keys.sh"})
	makeKeys(t, dir)
	return dir
}

func makeKeys(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "deploy", "compose", "keys.sh")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func contents(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
