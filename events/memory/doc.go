// Package memory is an event store that lives as long as the process, for
// tests and for trying things out. It keeps the whole contract of
// [events.Store] and passes events/storetest; "durable" means in memory.
//
// It starts no goroutine and waits on channels only, so it may be made and used
// inside a testing/synctest bubble.
//
// The rule to keep: no faults, no delays, no hooks. A test that wants those
// wraps the store.
package memory
