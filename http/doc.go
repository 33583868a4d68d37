// Package http is the door to Parley: requests and webhooks in, answers out.
//
// It speaks Fiber and nobody else does. A handler turns a request into a
// command or a query, waits until the read model has seen what it wrote, and
// turns the result into an answer; rules live in the domain. What it needs of
// the rest of the house it declares as small interfaces here.
//
// The rule to keep: no memory of Fiber's outlives a handler. The app runs
// immutable, and a test proves that a command outlives its request.
package http
