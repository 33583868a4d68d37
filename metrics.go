package parley

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"parley/events"
)

// countTime bounds what a look at the metrics waits for the read model.
const countTime = 2 * time.Second

// count registers what only the whole node can tell. What cannot be told is -1.
func (n *Node) count() {
	auto := promauto.With(n.metrics)
	gauge := func(subsystem, name, help string, read func() float64) {
		auto.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "parley", Subsystem: subsystem, Name: name, Help: help}, read)
	}
	gauge("cluster", "members", "Nodes that do the work, by this one's view.",
		func() float64 { return float64(n.cluster.Size()) })
	gauge("owed", "streams", "Streams that owe work, of all nodes; -1 if it cannot be told.",
		func() float64 { streams, _ := n.owed(); return streams })
	gauge("owed", "overdue_seconds", "How long the work that is due longest, of all nodes, is due; -1 if it cannot be told.",
		func() float64 { _, overdue := n.owed(); return overdue })
}

// owed counts the streams that owe work, and for how many seconds the first of
// them is due.
func (n *Node) owed() (streams, overdue float64) {
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	count, first, err := n.model.Owed(ctx)
	if err != nil {
		return -1, -1
	}
	if first == 0 {
		return 0, 0
	}
	return float64(count), max(0, events.At(time.Now()).Sub(first).Seconds())
}
