package http

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	webhooks *prometheus.CounterVec
	ack      prometheus.Histogram
	items    *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	auto := promauto.With(registerer)
	opts := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "parley", Subsystem: "http", Name: name, Help: help}
	}
	return &metrics{
		requests: auto.NewCounterVec(opts("requests_total", "Requests answered."), []string{"route", "status"}),
		seconds: auto.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "http", Name: "request_seconds",
			Help: "Time to answer a request.", Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 12),
		}, []string{"route"}),
		webhooks: auto.NewCounterVec(opts("webhooks_total", "Notifications that reached a callback."), []string{"outcome"}),
		ack: auto.NewHistogram(prometheus.HistogramOpts{
			Namespace: "parley", Subsystem: "http", Name: "webhook_ack_seconds",
			Help:    "Time from a notification's arrival to its durable acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		items: auto.NewCounterVec(opts("webhook_items_total", "What notifications held."), []string{"kind"}),
	}
}

func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}
