// Package script is an engine that does what it was told beforehand: for
// tests, and for trying a server without a model.
//
// A [Rule] says what to do for a message, as a list of [Step] values: acts,
// pauses, failures. The same rules and turns give the same acts. Pauses use
// the ordinary clock, so that inside a testing/synctest bubble they take no
// time.
package script
