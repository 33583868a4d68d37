package projections

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	folded prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer, m *Model) *metrics {
	auto := promauto.With(registerer)
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "parley", Subsystem: "projections", Name: "lag",
		Help: "How far the read model is behind the log, in positions.",
	}, func() float64 {
		head, err := m.store.Head(context.Background())
		if err != nil {
			return -1
		}
		return float64(head) - float64(m.Position())
	})
	return &metrics{folded: auto.NewCounter(prometheus.CounterOpts{
		Namespace: "parley", Subsystem: "projections", Name: "folded_total",
		Help: "Events folded into the read model.",
	})}
}
