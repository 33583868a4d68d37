//go:build system

package cluster

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that is started again when it ends by itself, as a
// supervisor does.
type process struct {
	t    *testing.T
	name string
	args []string
	env  []string

	output record
	mutex  sync.Mutex
	cmd    *exec.Cmd     // nil while it is down
	ended  chan struct{} // of cmd
	wanted bool
	// codes are the exit codes of those that ended by themselves.
	codes []int
}

// launch starts a program. It is killed at the end of the test.
func launch(t *testing.T, name string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, args: args, env: env}
	p.start()
	t.Cleanup(func() {
		p.kill()
		if *keep || t.Failed() {
			t.Logf("%s said:\n%s", name, p.output.tail())
		}
	})
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.wanted = true
	if err := p.run(); err != nil {
		p.t.Fatalf("start %s: %v", p.name, err)
	}
}

// run starts the program once. The mutex is held.
func (p *process) run() error {
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	p.cmd, p.ended = cmd, ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // the state tells how it ended
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.cmd = nil
		if p.wanted {
			p.codes = append(p.codes, cmd.ProcessState.ExitCode())
			time.Sleep(100 * time.Millisecond)
			if err := p.run(); err != nil {
				p.t.Errorf("start %s again: %v", p.name, err)
			}
		}
	}()
	return nil
}

// send sends a signal; unwanted says that the end that follows is meant.
func (p *process) send(s os.Signal, unwanted bool) (cmd *exec.Cmd, ended chan struct{}) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if unwanted {
		p.wanted = false
	}
	if p.cmd == nil {
		return nil, nil
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signal %s: %v", p.name, err)
	}
	return p.cmd, p.ended
}

// kill ends the process in the middle of whatever it does.
func (p *process) kill() {
	if _, ended := p.send(syscall.SIGKILL, true); ended != nil {
		<-ended
	}
}

// stopWithin is how long a stop may take. Spec: DESIGN, "The outside".
const stopWithin = 10 * time.Second

// terminate asks the process to end and expects that it does so in time, and
// says that all is well.
func (p *process) terminate() (took time.Duration) {
	p.t.Helper()
	began := time.Now()
	cmd, ended := p.send(syscall.SIGTERM, true)
	if cmd == nil {
		p.t.Errorf("%s is down already", p.name)
		return 0
	}
	select {
	case <-ended:
	case <-time.After(stopWithin):
		p.t.Errorf("%s has not ended within %v", p.name, stopWithin)
		p.kill()
		return stopWithin
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%s exits with %d when it is stopped:\n%s", p.name, code, p.output.tail())
	}
	return time.Since(began)
}

// freeze lets the process do nothing for a while.
func (p *process) freeze(pause time.Duration) {
	p.send(syscall.SIGSTOP, false)
	time.Sleep(pause)
	p.send(syscall.SIGCONT, false)
}

// exits are the exit codes of those that ended by themselves.
func (p *process) exits() []int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return slices.Clone(p.codes)
}

// record keeps text that several write at a time.
type record struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

// Write implements io.Writer.
func (r *record) Write(p []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.text.Write(p)
}

// tail is the end of it, for a failed test to show.
func (r *record) tail() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	lines := strings.SplitAfter(r.text.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-80):], "")
}
