package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The values of the labels of events (docs/events.md).
var (
	eventTypes = []string{
		"app.enrolled", "app.replaced", "app.verified_not_enabled", "app.switched_on", "app.switched_off",
		"step_up.refused", "enrollment.other_sign_in", "code.tries_used_up",
	}
	eventResults = []string{EventDelivered, EventRefused, EventGone, EventTimeout, EventUnreachable}
	eventDrops   = []string{EventFull, EventExpired, EventUnreadable, EventStopped}
)

// What one attempt to deliver an event came to.
const (
	EventDelivered   = "delivered"
	EventRefused     = "refused"     // another answer than 2xx
	EventGone        = "gone"        // 410: do not ask again
	EventTimeout     = "timeout"     // no answer in time
	EventUnreachable = "unreachable" // no answer at all
)

// Why an event was dropped.
const (
	EventFull       = "full"       // no room
	EventExpired    = "expired"    // tried for a day
	EventUnreadable = "unreadable" // Redis holds something that no key opens
	EventStopped    = "stopped"    // the process ended, and it alone had it
)

// events are the metrics of what the operator's receiver is told.
type events struct {
	happened *prometheus.CounterVec
	attempts *prometheus.CounterVec
	dropped  *prometheus.CounterVec
	duration prometheus.Histogram
}

func newEvents(r prometheus.Registerer) events {
	e := events{
		happened: counters(r, "events_total", "Events that happened, by type.", []string{"type"}, eventTypes),
		attempts: counters(r, "events_attempts_total", "Attempts to deliver an event, by what came of it.", []string{"result"}, eventResults),
		dropped:  counters(r, "events_dropped_total", "Events that nobody will get: no room, tried for a day, not to be opened, or the process ended.", []string{"reason"}, eventDrops),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "events_attempt_duration_seconds", Help: "How long the receiver of events took to answer.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15},
		}),
	}
	r.MustRegister(e.duration)
	return e
}

// EventHappened counts an event.
func (m *Metrics) EventHappened(eventType string) {
	m.events.happened.WithLabelValues(eventType).Inc()
}

// EventAttempted counts an attempt to deliver one.
func (m *Metrics) EventAttempted(result string, took time.Duration) {
	m.events.attempts.WithLabelValues(result).Inc()
	m.events.duration.Observe(took.Seconds())
}

// EventDropped counts an event that nobody will get.
func (m *Metrics) EventDropped(reason string) { m.events.dropped.WithLabelValues(reason).Inc() }

// Events exposes how many events of this replica wait, for how long the oldest has
// waited, and whether the receiver is gone. Where both are nil nobody is told of
// events, and all three are 0.
func (m *Metrics) Events(waiting func() (n int, oldest time.Duration), gone func() bool) {
	gauge := func(name, help string, value func() float64) {
		m.registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if waiting == nil {
				return 0
			}
			return value()
		}))
	}
	gauge("events_waiting", "Events of this replica that are not delivered yet.", func() float64 { n, _ := waiting(); return float64(n) })
	gauge("events_oldest_seconds", "For how long the oldest of them has waited.", func() float64 { _, oldest := waiting(); return oldest.Seconds() })
	gauge("events_receiver_gone", "1 when the receiver of events answered 410, so that nothing is sent to it until this process starts again; else 0.", func() float64 {
		if gone() {
			return 1
		}
		return 0
	})
}
