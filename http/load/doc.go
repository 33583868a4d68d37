// Package load measures how fast a server is from outside. It drives a callback
// with signed, unique webhooks and tells what came of it, and it drives whole
// turns: people write, a world of its own plays the model and Meta, and every
// webhook, answer and status is accounted for. What is missing, or there twice,
// is an error and never only a number.
//
// Beside it stands the bound that any server with the same promise meets on this
// machine: a bare Fiber handler that parses the body, checks its signature and
// syncs it to a file, in groups, and answers the message in as many calls and
// synced steps as a turn takes.
package load
