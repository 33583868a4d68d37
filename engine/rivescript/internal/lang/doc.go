// Package lang is the language of scripts: RiveScript with bounds, and with
// calls that make acts.
//
// The interpreter believes its scripts. It compiles triggers as regular
// expressions without a look, follows any redirect, and panics or runs for
// ever on what it does not expect. So [Compile] checks everything that a script
// may hold, and writes it anew in a form that the interpreter does well. What
// can only be bounded while a script runs is left to the caller.
//
// The rule to keep: what passes here can be run.
package lang
