package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Two of the libraries may both bring a file gossip.proto, and then the program
// ends before it begins, unless it is linked or started in a special way.
func TestTheProgramStarts(t *testing.T) {
	program := filepath.Join(t.TempDir(), "parley")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	help := exec.CommandContext(t.Context(), program, "help")
	help.Env = []string{"HOME=" + os.Getenv("HOME")}
	out, err := help.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Usage: parley") {
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "already registered") {
		t.Errorf("it complains: %s", out)
	}
	symbols, err := exec.CommandContext(t.Context(), "go", "version", "-m", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"github.com/EventStore/EventStore-Client-Go/v4", "github.com/asynkron/protoactor-go"} {
		if !strings.Contains(string(symbols), module) {
			t.Errorf("the program is without %s, and the test proves nothing", module)
		}
	}
}
