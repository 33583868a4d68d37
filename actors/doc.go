// Package actors runs deciders as actors.
//
// One generic shell, the grain, serves every kind. It loads its stream when it
// is first spoken to, decides a command, appends the facts with the revision
// that they were decided at, folds them in, answers, and hands the work that
// the state now owes to performers, which run outside of the mailbox and report
// back by commands. A grain that loses an append to somebody else reads the
// stream again and decides again; one that panics drops its state and reads it
// anew. Grains that nobody needs for a while are passivated, and messages that
// reach one in that moment go back to be sent again.
//
// The rule to keep: a grain is a cache of its stream. Nothing may be correct
// only because there is one of it.
package actors
