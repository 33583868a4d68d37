// Package domain holds Parley's rules as pure functions, one package a kind.
//
// A kind is a [Decider]: Decide turns a state and a command into facts or a
// refusal, Evolve folds a fact into the state and never fails, Pending says
// what work the world is still owed. Nothing here reads a clock, makes an ID,
// waits or performs an effect: time, IDs and chance arrive inside commands, and
// tasks are carried out elsewhere and reported back as commands.
//
// The rule to keep: whatever must be correct is decided here, from the state
// that the stream gives and nothing else.
package domain
