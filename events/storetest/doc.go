// Package storetest is the contract of [events.Store] as a test suite. A store
// earns its name by passing [Run].
//
// The suite asks for nothing that the contract does not promise: positions may
// have holes, the log may hold older events when a test begins, and the clock
// is the store's. It leaves out what only one implementation can show, such as
// what is on the disk afterwards.
//
// The rule to keep: a defect that is found in one store becomes a test here if
// another store could have it too.
package storetest
