// Package esdbserver speaks EventStoreDB's gRPC protocol over any
// [events.Store], so that its clients (events/esdb, the official ones of other
// languages) can use an embedded log: in development, in tests, and where one
// small process holds the log of several.
//
// It is not EventStoreDB. There is one node and no cluster, no projections, no
// persistent subscriptions (refused in words), no links and no access lists:
// who knows the password may do everything, a reader may read everything. What
// is deleted is erased at once and not at a scavenge. Streams live in the
// store under their names; a stream's metadata is the stream "$$" + name, as
// EventStoreDB has it.
//
// One thing is not as there: a deleted-for-good stream ends with an event at
// its next revision (shown as the largest one), and a client that guesses that
// revision could append behind it. Nobody is told the number.
//
// The rule to keep: semantics are EventStoreDB's, also where they are odd; the
// official client relies on each of them.
package esdbserver
