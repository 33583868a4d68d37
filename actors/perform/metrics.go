package perform

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"parley/engine"
	"parley/whatsapp"
)

// Metrics count what performers do in the world.
type Metrics struct {
	engineSeconds *prometheus.HistogramVec
	turnSeconds   *prometheus.HistogramVec
	graphSeconds  prometheus.Histogram
	graphCalls    *prometheus.CounterVec
}

// NewMetrics registers the metrics; a nil registerer registers none.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	auto := promauto.With(registerer)
	buckets := prometheus.ExponentialBuckets(0.001, 2.5, 14)
	return &Metrics{
		engineSeconds: auto.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "engine", Name: "answer_seconds",
			Help: "Time the engine took for one try to answer.", Buckets: buckets,
		}, []string{"outcome"}),
		turnSeconds: auto.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "turn", Name: "stage_seconds",
			Help: "Time of a turn by stage: wait for its start, engine, send of all parts.", Buckets: buckets,
		}, []string{"stage"}),
		graphSeconds: auto.NewHistogram(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "graph", Name: "send_seconds",
			Help: "Time of one call that sends a message.", Buckets: buckets,
		}),
		graphCalls: auto.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "graph", Name: "sends_total",
			Help: "Calls that send a message, by outcome and Meta's error code.",
		}, []string{"outcome", "code"}),
	}
}

func (m *Metrics) engine(took time.Duration, err error) {
	outcome := "ok"
	switch {
	case err != nil && engine.Transient(err):
		outcome = "transient"
	case err != nil:
		outcome = "permanent"
	}
	m.engineSeconds.WithLabelValues(outcome).Observe(took.Seconds())
	m.stage("engine", took)
}

func (m *Metrics) stage(name string, took time.Duration) {
	m.turnSeconds.WithLabelValues(name).Observe(took.Seconds())
}

func (m *Metrics) send(took time.Duration, err error) {
	outcome, code := "accepted", ""
	var refusal *whatsapp.Error
	var unclear *whatsapp.Unclear
	switch {
	case err == nil:
	case errors.As(err, &unclear):
		outcome = "unclear"
	case errors.As(err, &refusal):
		outcome, code = "refused", strconv.Itoa(refusal.Code)
	default:
		outcome = "unsent"
	}
	m.graphCalls.WithLabelValues(outcome, code).Inc()
	m.graphSeconds.Observe(took.Seconds())
}
