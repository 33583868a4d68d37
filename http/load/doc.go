// Package load measures how fast the door is: it drives a callback with signed,
// unique webhooks and tells what came of it, and it has the bound that any
// server with the same promise meets on this machine: a bare Fiber handler that
// parses the body, checks its signature and syncs it to a file, in groups.
package load
