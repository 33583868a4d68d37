// Package cluster tests many nodes as an operator has them: three processes of
// the built program, a log that another one serves, a real etcd, a balancer
// before them, and Meta and a model behind listeners of their own. Processes
// are killed, stopped and frozen, and links between them cut, while people
// write, and afterwards everything is compared: what was acknowledged, what was
// answered, and what every node has read of the log. A newer version is built
// from the same source with a little more, for the compiler alone.
//
//	make cluster    what is quick
//	make chaos      everything
//
// The tests need etcd (Debian: etcd-server), those that cut links also root and
// ip (Debian: iproute2); they say so when they are skipped.
//
// The rule to keep: every life ends with the same audit.
package cluster
