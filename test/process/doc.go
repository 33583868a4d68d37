// Package process runs built programs as processes for the tests that have the
// build tag system: it builds parley, launches programs, kills, stops and
// freezes them, keeps what they print, and makes certificates for them.
//
// The rule to keep: it touches only processes that it started, and none of them
// outlives its test.
package process
