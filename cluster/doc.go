// Package cluster places actors on nodes and carries requests to them.
//
// Every node runs the same code, also when there is only one: members come from
// a [Registry], a rendezvous hash says which member owns an actor, and Ask
// sends a request to the owner, waking the actor there if need be. Protoactor
// runs the actors; placement, membership and requests are our own, because the
// library's lose messages and members for good when a process pauses or dies.
//
// The rule to keep: ownership is a hint. Two nodes may believe that they own an
// actor for a while; the expected revision of its stream decides between them.
package cluster
