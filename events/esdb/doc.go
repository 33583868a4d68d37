// Package esdb is the only door to the EventStoreDB client. There is no store
// behind it yet: the log is events/local. What stands here pins the client's
// version, since the list of its versions cannot be read and a tidy without an
// import would drop it.
package esdb
