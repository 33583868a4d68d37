package local

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/events"
)

// metrics count what the log does.
type metrics struct {
	appends  *prometheus.CounterVec
	seconds  prometheus.Histogram
	batch    prometheus.Histogram
	position prometheus.Gauge

	registerer prometheus.Registerer
	registered []prometheus.Collector
}

// newMetrics registers the metrics, unless the registerer is nil.
func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		appends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_events_appends_total",
			Help: "Appends by outcome: stored, repeated (an earlier try had stored it), refused, full, failed.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "parley_events_append_seconds",
			Help:    "How long appends took, waiting and the sync of the disk included.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12), // to 2.4 s
		}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "parley_events_batch_records",
			Help:    "Records that one commit stored.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 7), // to 4096
		}),
		position: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parley_events_position",
			Help: "The newest durable position.",
		}),
		registerer: registerer,
	}
	for _, o := range []outcome{wasFull, wasFailed} {
		m.appends.WithLabelValues(string(o)) // counted from 0: Prometheus takes no notice of a first 1
	}
	if registerer == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.appends, m.seconds, m.batch, m.position} {
		if err := registerer.Register(c); err != nil {
			m.unregister()
			return nil, fmt.Errorf("register metrics: %w", err)
		}
		m.registered = append(m.registered, c)
	}
	return m, nil
}

// unregister lets the next log in this process register its metrics.
func (m *metrics) unregister() {
	for _, c := range m.registered {
		m.registerer.Unregister(c)
	}
}

// appended counts an append that ended.
func (m *metrics) appended(r result, took time.Duration) {
	m.appends.WithLabelValues(string(cmp.Or(r.outcome, outcomeOf(r.err)))).Inc()
	m.seconds.Observe(took.Seconds())
}

// committed counts a batch and where it left the log.
func (m *metrics) committed(records int, last events.Position) {
	m.batch.Observe(float64(records))
	m.position.Set(float64(last))
}

// outcomeOf sorts appends that ended without the sequencer, or with its error.
func outcomeOf(err error) outcome {
	switch {
	case errors.Is(err, events.ErrTooLarge):
		return wasRefused
	case errors.Is(err, events.ErrFull):
		return wasFull
	}
	return wasFailed
}
