package projections

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	folded prometheus.Counter
}

// lagTime bounds the question where the log ends: whoever looks at metrics does
// not wait for a log that is away.
const lagTime = 2 * time.Second

func newMetrics(registerer prometheus.Registerer, m *Model) *metrics {
	auto := promauto.With(registerer)
	auto.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "parley", Subsystem: "projections", Name: "lag",
		Help: "How far the read model is behind the log, in positions; -1 while the log is away.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), lagTime)
		defer cancel()
		head, err := m.store.Head(ctx)
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
