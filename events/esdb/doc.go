// Package esdb keeps the log in an EventStoreDB, through its official client. It
// is the only door to that client.
//
// The client (v4.2.0, pinned: the list of its versions cannot be read) has
// manners that a server cannot live with. Connecting ignores contexts. An
// outage of a second ends the client for good and leaves those who share it
// blocked. Closing it under load panics, a restart of the server costs it a few
// goroutines for ever, and subscriptions do not resume. All of it comes from
// sharing one client. Therefore each is used like a connection to a database:
// by one call at a time, in a goroutine of its own that the caller need not
// wait for. A client that gave no answer is closed by the call that used it,
// and the next call makes a new one.
//
// What the server must be: EventStoreDB 22.10 or later, or events/esdbserver.
// What is erased here vanishes from its stream at once; an EventStoreDB shows
// it to readers of the whole log, and keeps it on its disk, until a scavenge.
//
// The rule to keep: an append is put with its exact revision and with IDs that
// are fixed before. Only so an unknown outcome may be tried again.
package esdb
