//go:build system

package system

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a running parley.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	output *record
	ended  chan struct{}
}

// launch starts the binary. What it prints goes to output. It is killed at the
// end of the test, unless it has ended by then.
func launch(t *testing.T, output *record, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary, args...), output: output, ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = output, output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the state tells how it ended
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process in the middle of whatever it does.
func (p *process) kill() {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("kill: %v", err)
	}
	<-p.ended
}

// stopWithin is how long a stop may take. Spec: DESIGN, "The outside".
const stopWithin = 10 * time.Second

// terminate asks the process to end and expects that it does so in time, and
// says that all is well.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("terminate: %v", err)
	}
	began := time.Now()
	if code := p.wait(stopWithin); code != 0 {
		p.t.Errorf("a stopped process exits with %d:\n%s", code, p.output.tail())
	}
	p.t.Logf("stopped in %v", time.Since(began).Round(time.Millisecond))
}

// wait gives the exit code of a process that ends by itself.
func (p *process) wait(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		p.t.Fatalf("the process has not ended within %v", within)
	}
	return p.cmd.ProcessState.ExitCode()
}

// alive reports that the process has not ended.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// record keeps text that several write at a time.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

// String is everything so far.
func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// tail is the end of it, for a failed test to show.
func (r *record) tail() string {
	lines := strings.SplitAfter(r.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-60):], "")
}
