// Package guard lets a server fetch from addresses that others chose, without
// lending them its place in the network: whoever sends a link, or runs a server
// that redirects, must not reach this machine, its neighbours or the cloud's
// metadata service through us.
//
// It judges the address that a connection is about to be made to, after the
// name was looked up and at every redirect, so a name that answers differently
// the second time gains nothing. What to send to which host, and how much to
// read, is the caller's business.
//
// The rule to keep: only what is known to be public is allowed. The operator's
// own servers are excepted by name, one by one.
package guard
