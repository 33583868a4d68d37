//go:build system

package system

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"

	"parley/test/process"
)

// binary is the parley that all tests run.
var binary string

var seedFlag = flag.Uint64("seed", 0, "what is random follows this; 0 draws one")

func TestMain(m *testing.M) { os.Exit(process.Main(m, &binary)) }

// launch starts the binary. What it prints goes to output.
func launch(t *testing.T, output *process.Record, env []string, args ...string) *process.Process {
	t.Helper()
	return process.Launch(t, process.Config{Name: "the process", Args: append([]string{binary}, args...), Env: env, Output: output})
}

// freeAddress gives a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	return process.FreeAddress(t, "127.0.0.1")
}

// dice draws what is random in a test and prints how to draw it again.
func dice(t *testing.T) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("again with -seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
