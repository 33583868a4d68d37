package actors

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"parley/domain"
)

type metrics struct {
	active    *prometheus.GaugeVec
	commands  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	conflicts *prometheus.CounterVec
	panics    *prometheus.CounterVec
	tasks     *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer, r *runner) *metrics {
	auto := promauto.With(registerer)
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "parley", Subsystem: "actors", Name: name, Help: help}
	}
	gauge := func(name, help string, read func() float64) {
		auto.NewGaugeFunc(prometheus.GaugeOpts(opts(name, help)), read)
	}
	gauge("tasks_running", "Tasks under way.",
		func() float64 { n, _, _ := r.load(); return float64(n) })
	gauge("tasks_waiting", "Tasks that wait for a place.",
		func() float64 { _, n, _ := r.load(); return float64(n) })
	gauge("tasks_oldest_wait_seconds", "How long the oldest waiting task has waited.",
		func() float64 { _, _, d := r.load(); return d.Seconds() })
	return &metrics{
		active: auto.NewGaugeVec(prometheus.GaugeOpts(
			opts("active", "Actors in memory.")), []string{"kind"}),
		commands: auto.NewCounterVec(prometheus.CounterOpts(
			opts("commands_total", "Commands answered.")), []string{"kind", "outcome"}),
		seconds: auto.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "actors", Name: "command_seconds",
			Help:    "Time to decide and append one command.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12),
		}, []string{"kind"}),
		conflicts: auto.NewCounterVec(prometheus.CounterOpts(
			opts("conflicts_total", "Appends lost to another activation.")), []string{"kind"}),
		panics: auto.NewCounterVec(prometheus.CounterOpts(
			opts("panics_total", "Panics caught in actors and performers.")), []string{"kind"}),
		tasks: auto.NewCounterVec(prometheus.CounterOpts(
			opts("tasks_total", "Tasks carried out.")), []string{"kind", "outcome"}),
	}
}

// outcome is the label of a command's result.
func outcome(err error) string {
	var refusal *domain.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refusal):
		return "refused"
	}
	return "failed"
}
