// Package conversation holds the rules of what passes between one sender and
// one integration: sessions, turns, replies, statuses.
//
// A message that wants an answer waits in the inbox. When nothing else is under
// way a turn starts and takes up all that waits; its answer puts parts into the
// outbox, which are given to Meta one after the other. The next turn starts
// when the outbox is empty. So messages of one sender are handled in order, one
// turn at a time, whatever happens in between.
//
// The two effects, asking the engine and calling Meta, are tasks: [RunTurn] and
// [Deliver]. Before a part is given to Meta the attempt is recorded. An attempt
// without an outcome is in doubt: it is not repeated until [Rules.Settle] has
// passed without a status that echoes the part's ID.
//
// The rule to keep: everything that must hold after a crash follows from the
// facts in the stream. What the performers remember is only convenience.
package conversation
