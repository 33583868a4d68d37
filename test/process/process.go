package process

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Config says what runs.
type Config struct {
	// Name is what messages call it.
	Name string
	// Args are the program and what follows it; Env is added to the environment.
	Args, Env []string
	// Output keeps what it prints; nil is a record of its own.
	Output *Record
	// Again starts the program again when it ends by itself, as a supervisor
	// does.
	Again bool
	// Show logs at the end of the test what the program printed last, also when
	// the test passes.
	Show bool
}

// Process is a program that runs, or did.
type Process struct {
	// Output is what it printed so far, all the times that it ran.
	Output *Record

	t      *testing.T
	config Config
	mutex  sync.Mutex
	cmd    *exec.Cmd     // of the last time that it ran
	ended  chan struct{} // of cmd
	wanted bool
	// codes are the exit codes of those that ended by themselves and were
	// started again.
	codes []int
}

// Launch starts a program. It is killed at the end of the test, unless it has
// ended by then.
func Launch(t *testing.T, c Config) *Process {
	t.Helper()
	if c.Output == nil {
		c.Output = &Record{}
	}
	p := &Process{Output: c.Output, t: t, config: c}
	p.Start()
	t.Cleanup(func() {
		p.Kill()
		if c.Show || c.Again && t.Failed() {
			t.Logf("%s said:\n%s", c.Name, p.Output.Tail())
		}
	})
	return p
}

// Name is what messages call it.
func (p *Process) Name() string { return p.config.Name }

// Start starts the program, which has ended, once more.
func (p *Process) Start() {
	p.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.wanted = true
	if err := p.run(); err != nil {
		p.t.Fatalf("start %s: %v", p.config.Name, err)
	}
}

// run starts the program. The mutex is held.
func (p *Process) run() error {
	cmd := exec.Command(p.config.Args[0], p.config.Args[1:]...)
	cmd.Env = append(os.Environ(), p.config.Env...)
	cmd.Stdout, cmd.Stderr = p.Output, p.Output
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	p.cmd, p.ended = cmd, ended
	go func() {
		_ = cmd.Wait() // the state tells how it ended
		close(ended)
		if p.config.Again {
			p.again(cmd)
		}
	}()
	return nil
}

// again starts the program again that has ended, if nobody meant it to.
func (p *Process) again(was *exec.Cmd) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.wanted || p.cmd != was {
		return
	}
	p.codes = append(p.codes, was.ProcessState.ExitCode())
	time.Sleep(100 * time.Millisecond)
	if err := p.run(); err != nil {
		p.t.Errorf("start %s again: %v", p.config.Name, err)
	}
}

// send sends a signal; unwanted says that the end that follows is meant.
func (p *Process) send(s os.Signal, unwanted bool) (cmd *exec.Cmd, ended chan struct{}) {
	p.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if unwanted {
		p.wanted = false
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signal %s: %v", p.config.Name, err)
	}
	return p.cmd, p.ended
}

// Kill ends the process in the middle of whatever it does.
func (p *Process) Kill() {
	p.t.Helper()
	_, ended := p.send(syscall.SIGKILL, true)
	<-ended
}

// StopWithin is how long a stop may take. Spec: DESIGN, "The outside".
const StopWithin = 10 * time.Second

// Terminate asks the process to end and expects that it does so in time, and
// says that all is well.
func (p *Process) Terminate() {
	p.t.Helper()
	began := time.Now()
	if !p.Alive() {
		p.t.Errorf("%s is down already", p.config.Name)
		return
	}
	cmd, ended := p.send(syscall.SIGTERM, true)
	select {
	case <-ended:
	case <-time.After(StopWithin):
		p.t.Errorf("%s has not ended within %v", p.config.Name, StopWithin)
		p.Kill()
		return
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%s exits with %d when it is stopped:\n%s", p.config.Name, code, p.Output.Tail())
	}
	p.t.Logf("%s stopped in %v", p.config.Name, time.Since(began).Round(time.Millisecond))
}

// Freeze lets the process do nothing for a while.
func (p *Process) Freeze(pause time.Duration) {
	p.send(syscall.SIGSTOP, false)
	time.Sleep(pause)
	p.send(syscall.SIGCONT, false)
}

// Wait gives the exit code of a process that ends by itself.
func (p *Process) Wait(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.Ended():
	case <-time.After(within):
		p.t.Fatalf("%s has not ended within %v", p.config.Name, within)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.cmd.ProcessState.ExitCode()
}

// Ended is closed when the process that runs now has ended.
func (p *Process) Ended() <-chan struct{} {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.ended
}

// Alive reports that the process has not ended.
func (p *Process) Alive() bool {
	select {
	case <-p.Ended():
		return false
	default:
		return true
	}
}

// PID is the number of the process in the operating system.
func (p *Process) PID() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.cmd.Process.Pid
}

// Exits are the exit codes of those that ended by themselves and were started
// again.
func (p *Process) Exits() []int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return slices.Clone(p.codes)
}
