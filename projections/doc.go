// Package projections turns the log into answers: lists, conversations,
// messages, the event log, and who owes work.
//
// Each node folds the whole log into a SQLite file of its own. The file is a
// cache: it may be deleted at any time, and a schema that has changed, a log
// that is another one, or a damaged file lead to the same end, a fold from the
// start. Every batch of events and the position after it are written in one
// transaction.
//
// The rule to keep: rows are a pure function of the log, so that two nodes, or
// one before and after a rebuild, always agree. Nothing is written here but by
// folding.
package projections
