// Package perform does the work that actors owe the world: it asks engines for
// answers, gives messages to Meta, erases what was deleted.
//
// A performer does one task and reports what came of it by commands. It holds
// no state of its own: what must survive it is in the stream before it begins,
// and what it did is in the stream before it ends.
package perform
