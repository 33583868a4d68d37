//go:build system

package deploy

import (
	"flag"
	"os"
	"testing"

	"parley/test/process"
)

// binary is the parley that stands for the image.
var binary string

var logs = flag.Bool("logs", false, "show what the processes log, also of tests that pass")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(process.Main(m, &binary))
}
