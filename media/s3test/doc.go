// Package s3test is an S3-compatible service in the process, for tests. It
// speaks the protocol, by gofakes3, and keeps objects in memory.
//
// It checks no signature: who is refused what is for the test to say, by a
// fault.
//
// The rule to keep: what it answers is what S3 would answer.
package s3test
