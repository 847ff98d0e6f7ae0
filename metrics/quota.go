package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Why a start was turned away, the `reason` label.
const (
	TurnedAwayLine     = "line"     // its turn comes later than it may wait; it was told when
	TurnedAwayPatience = "patience" // its turn did not come as soon as expected
	TurnedAwayQueue    = "queue"    // too many wait already
	TurnedAwayStale    = "stale"    // its session does not live until its turn; it was told to sign in again
)

// writes are the operations that share Cognito's smallest quota.
var writes = []string{"AssociateSoftwareToken", "VerifySoftwareToken", "SetUserMFAPreference"}

// quota is the part of the metrics about the quota of Cognito's
// UserResourceUpdate category.
type quota struct {
	queue      *prometheus.GaugeVec
	wait       *prometheus.HistogramVec
	refused    prometheus.Counter
	turnedAway *prometheus.CounterVec
	alone      prometheus.Counter
}

func newQuota(r prometheus.Registerer) quota {
	q := quota{
		queue: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "cognito_quota_queue", Help: "Calls to Amazon Cognito that wait here for their turn."}, []string{"operation"}),
		wait: histograms(r, prometheus.HistogramOpts{
			Name: "cognito_quota_wait_seconds", Help: "How long calls to Amazon Cognito waited here for their turn.",
			Buckets: []float64{.001, .01, .05, .1, .25, .5, 1, 2, 4, 8},
		}, "operation", writes),
		refused:    prometheus.NewCounter(prometheus.CounterOpts{Name: "cognito_quota_refused_total", Help: "Calls that Amazon Cognito refused for the account's quota: others use it too. Each was made again later."}),
		turnedAway: counters(r, "mfa_starts_turned_away_total", "Starts of an enrollment that were told to come back later, since the quota has no room for the whole enrollment now.", []string{"reason"}, []string{TurnedAwayLine, TurnedAwayPatience, TurnedAwayQueue, TurnedAwayStale}),
		alone:      prometheus.NewCounter(prometheus.CounterOpts{Name: "cognito_quota_alone_total", Help: "Requests for the shared quota that Redis did not answer; the replica then went by its own bucket."}),
	}
	for _, operation := range writes {
		q.queue.WithLabelValues(operation)
	}
	r.MustRegister(q.queue, q.refused, q.alone)
	return q
}

// Quota exposes the quota in calls a second, and how much of it the service
// allows itself now; that is less after Cognito refused a call.
func (m *Metrics) Quota(limit float64, rate func() float64) {
	l := prometheus.NewGauge(prometheus.GaugeOpts{Name: "cognito_quota_limit", Help: "COGNITO_WRITE_RPS: calls a second to AssociateSoftwareToken, VerifySoftwareToken and SetUserMFAPreference together."})
	l.Set(limit)
	m.registerer.MustRegister(l, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cognito_quota_rate", Help: "Calls a second that the service allows itself now; below the limit after Amazon Cognito refused one.",
	}, rate))
}

// QuotaQueue sets how many calls of an operation wait for their turn.
func (m *Metrics) QuotaQueue(operation string, waiting int) {
	m.quota.queue.WithLabelValues(operation).Set(float64(waiting))
}

// QuotaWaited observes how long a call waited for its turn.
func (m *Metrics) QuotaWaited(operation string, d time.Duration) {
	m.quota.wait.WithLabelValues(operation).Observe(d.Seconds())
}

// QuotaRefused counts a call that Cognito refused for the account's quota.
func (m *Metrics) QuotaRefused() { m.quota.refused.Inc() }

// QuotaAlone counts a request for the replicas' shared quota that Redis did not
// answer.
func (m *Metrics) QuotaAlone() { m.quota.alone.Inc() }

// StartTurnedAway counts a start that was told to come back; reason is one of
// the TurnedAway constants.
func (m *Metrics) StartTurnedAway(reason string) { m.quota.turnedAway.WithLabelValues(reason).Inc() }
