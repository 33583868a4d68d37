//go:build system

package cluster

import (
	"flag"
	"os"
	"testing"

	"parley/test/process"
)

// binary is the parley that all tests run.
var binary string

var (
	long = flag.Bool("long", false, "all scenarios, each with more people")
	keep = flag.Bool("logs", false, "show what the processes log, also of tests that pass")
)

func TestMain(m *testing.M) { os.Exit(process.Main(m, &binary)) }

// launch starts a program that a supervisor starts again.
func launch(t *testing.T, name string, env []string, args ...string) *process.Process {
	t.Helper()
	return process.Launch(t, process.Config{Name: name, Args: args, Env: env, Again: true, Show: *keep})
}
