package parley

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"parley/events"
	"parley/projections"
)

// count registers what only the whole node can tell.
func (n *Node) count() {
	promauto.With(n.metrics).NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "parley", Subsystem: "cluster", Name: "members", Help: "Nodes that do the work, by this one's view.",
	}, func() float64 { return float64(n.cluster.Size()) })
	n.metrics.MustRegister(&owedWork{model: n.model, seen: map[events.Stream]time.Time{}})
}

// owedWork counts the work that is owed, of all nodes, whenever somebody looks
// at the metrics.
type owedWork struct {
	model *projections.Model
	mutex sync.Mutex
	// seen is when work that is due at once was first seen: the log does not say
	// since when a stream owes it.
	seen map[events.Stream]time.Time
}

// countTime bounds how long a look waits for the read model, countAtOnce how
// many streams are looked at.
const (
	countTime   = 2 * time.Second
	countAtOnce = 10_000
)

var (
	owedStreams = prometheus.NewDesc("parley_owed_streams",
		"Streams that owe work now or later, 10000 at most; of all nodes.", nil, nil)
	owedOverdue = prometheus.NewDesc("parley_owed_overdue_seconds",
		"How long the oldest owed work is due, or is seen to be; of all nodes.", nil, nil)
)

// Describe implements prometheus.Collector.
func (w *owedWork) Describe(ch chan<- *prometheus.Desc) {
	ch <- owedStreams
	ch <- owedOverdue
}

// Collect implements prometheus.Collector. What cannot be told is left out.
func (w *owedWork) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	owed, err := w.model.Owed(ctx, countAtOnce)
	if err != nil {
		return // the read model says by itself what is wrong with it
	}
	ch <- prometheus.MustNewConstMetric(owedStreams, prometheus.GaugeValue, float64(len(owed)))
	ch <- prometheus.MustNewConstMetric(owedOverdue, prometheus.GaugeValue, w.overdue(owed, time.Now()).Seconds())
}

// atOnce is when work is due that may begin at once.
const atOnce events.Instant = 1

// overdue is how long the oldest of owed work is due.
func (w *owedWork) overdue(owed map[events.Stream]events.Instant, now time.Time) (longest time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for stream := range w.seen {
		if owed[stream] != atOnce {
			delete(w.seen, stream)
		}
	}
	for stream, due := range owed {
		since := due.Time()
		if due == atOnce {
			if _, known := w.seen[stream]; !known {
				w.seen[stream] = now
			}
			since = w.seen[stream]
		}
		longest = max(longest, now.Sub(since))
	}
	return longest
}
