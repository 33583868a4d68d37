// Package storetest is the contract of [media.Store] as a test suite. A store
// earns its name by passing [Run].
//
// It leaves out what only one implementation can show, such as what is on the
// disk after a crash.
//
// The rule to keep: a defect that is found in one store becomes a test here if
// another store could have it too.
package storetest
