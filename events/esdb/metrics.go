package esdb

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what a store counts.
type metrics struct {
	registerer  prometheus.Registerer
	calls       *prometheus.CounterVec
	connections prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	m := &metrics{
		registerer: r,
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_esdb_calls_total", Help: "Calls to the event store, by outcome: answered or unanswered.",
		}, []string{"outcome"}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parley_esdb_connections", Help: "Open connections to the event store, those of subscriptions included.",
		}),
	}
	if err := r.Register(m.calls); err != nil {
		return nil, err
	}
	if err := r.Register(m.connections); err != nil {
		r.Unregister(m.calls)
		return nil, errors.Join(errors.New("metrics of the event store"), err)
	}
	return m, nil
}

func (m *metrics) called(answered bool) {
	if answered {
		m.calls.WithLabelValues("answered").Inc()
	} else {
		m.calls.WithLabelValues("unanswered").Inc()
	}
}

func (m *metrics) close() {
	m.registerer.Unregister(m.calls)
	m.registerer.Unregister(m.connections)
}
