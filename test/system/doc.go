// Package system tests the program as its user has it: the built binary, real
// listeners, a real disk. Meta is the simulator behind a listener of its own,
// and the process is killed, stopped, starved of disk and lied to.
//
//	go test -tags system -count=1 ./test/system
//
// The count matters: the go command does not know what the binary is made of,
// and would repeat an earlier result. The tests need loopback and some 3
// minutes; two need root and say so when they are skipped. What is random
// follows a seed that is printed, and -seed sets it. With GOFLAGS=-race the
// binary has the race detector, too.
//
// The rule to keep: a test knows only what an operator or a client can see, the
// settings, the API, the answers, the files; never a package behind them.
// Packages are imported to play the world, or to look into the log of a process
// that has ended.
package system
