//go:build system

package deploy

import (
	"bytes"
	"debug/elf"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/test/process"
)

// The image is built as the Dockerfile says: from what .dockerignore lets
// through and nothing else, into a program that needs nothing else. In a root
// directory with what the image has, as its user, it serves, and its health
// check says so.
func TestTheImageRuns(t *testing.T) {
	dir := t.TempDir()
	program := buildImage(t, dir)
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // read only
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 || f.Section(".interp") != nil {
		t.Errorf("the program is not static: %v %v", libraries, err)
	}
	if os.Getuid() != 0 {
		t.Skip("skipped: only root can change the root directory")
	}
	top := imageRoot(t, filepath.Join(dir, "root"), program)
	address := process.FreeAddress(t, "127.0.0.1")
	var said bytes.Buffer
	serving := inImage(t, top, address, &said, "serve")
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = serving.Process.Kill() // it has ended, unless the test failed
		_ = serving.Wait()
	}()
	process.Eventually(t, 20*time.Second, "the health check is content", func() bool {
		return inImage(t, top, address, io.Discard, "health").Run() == nil
	})
	if response, err := http.Get("http://" + address + "/readyz"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%v %v\n%s", response, err, said.String())
	}
	if err := serving.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serving.Wait(); err != nil {
		t.Errorf("%v\n%s", err, said.String())
	}
	if err := inImage(t, top, address, io.Discard, "health").Run(); err == nil {
		t.Error("the health check is content with nobody")
	}
}

// buildImage builds the program from a copy of what the image is built from.
func buildImage(t *testing.T, dir string) (program string) {
	t.Helper()
	ignored, from := ignoring(read(t, ".dockerignore")), filepath.Join(dir, "src")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || d.IsDir() && (name == ".git" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() || ignored(filepath.ToSlash(name)) {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(from, name)), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(from, name), raw, 0o600)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`CGO_ENABLED=0 go (build .*)`).FindStringSubmatch(read(t, "Dockerfile"))[1]
	program = filepath.Join(dir, "parley")
	build := exec.CommandContext(t.Context(), "go", strings.Fields(strings.NewReplacer("/out/parley", program, "'-s -w'", "-s").Replace(command))...)
	build.Dir, build.Env = from, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", command, err, out)
	}
	return program
}

// owner is the image's user.
const owner = 65532

// imageRoot makes the root directory of a container.
func imageRoot(t *testing.T, top, program string) string {
	t.Helper()
	for _, dir := range []string{"data", "media", "tmp"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(top, dir), owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(filepath.Join(top, "parley"), raw, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	for dir := top; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) { // the user looks in from outside
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// inImage is a command as the container runs it, with the environment that the
// Dockerfile gives.
func inImage(t *testing.T, top, address string, out io.Writer, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), "/parley", args...)
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: top, Credential: &syscall.Credential{Uid: owner, Gid: owner}}
	c.Dir, c.Stdout, c.Stderr = "/", out, out
	set := regexp.MustCompile(`(?m)^ENV (.*)$`).FindStringSubmatch(read(t, "Dockerfile"))[1]
	c.Env = strings.Fields(strings.ReplaceAll(set, "0.0.0.0:8080", address))
	return c
}
