// Package metrics holds every metric of the service. New registers them all
// with the registerer that it is given; nothing here is global, so that tests
// and several servers in one process never meet in one registry.
//
// Every label value is one of a fixed set, and every series exists at zero from
// the start: a rate over a counter that appears with its first error misses
// that error.
package metrics

import (
	"context"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/trace"
)

// Metrics is the set of the service's metrics.
type Metrics struct {
	cognitoRequests *prometheus.CounterVec
	cognitoDuration *prometheus.HistogramVec
	started         *prometheus.CounterVec
	verified        *prometheus.CounterVec
	preferences     *prometheus.CounterVec
	challenges      *prometheus.CounterVec
	duration        *prometheus.HistogramVec
	skew            prometheus.Histogram
	rejectedLocally prometheus.Counter
	storeErrors     *prometheus.CounterVec
	redisErrors     *prometheus.CounterVec
	redisDuration   *prometheus.HistogramVec
	qrRender        prometheus.Histogram
	problems        *prometheus.CounterVec
	panics          prometheus.Counter
	configWarnings  prometheus.Counter
	givenUp         prometheus.Counter
	limited         *prometheus.CounterVec
	quota           quota
	events          events
	registerer      prometheus.Registerer
}

// Results of a flow, the `result` label.
const (
	ResultCreated   = "created"    // a new enrollment
	ResultResumed   = "resumed"    // the enrollment that was pending already
	ResultOK        = "ok"         // done
	ResultWrongCode = "wrong_code" // a code that did not fit or was used before
	ResultFailed    = "failed"     // anything else
	ResultChallenge = "challenge"  // answered, and Cognito asked one thing more
)

// Outcomes of a call to Cognito, the `outcome` label.
const (
	OutcomeOK          = "ok"
	OutcomeThrottled   = "throttled"   // over the account's quota
	OutcomeWrongCode   = "wrong_code"  // the code does not fit or was used before
	OutcomeCredential  = "credential"  // token or session refused
	OutcomeRefused     = "refused"     // any other refusal of this person's request
	OutcomeUnavailable = "unavailable" // Cognito failed or could not be reached
	OutcomeTimeout     = "timeout"     // no answer in time
	OutcomeInternal    = "internal"    // not understood, or the configuration is wrong
)

// Changes of a preference, the `change` label.
const (
	ChangeOn  = "on"
	ChangeOff = "off"
)

// Operations of Cognito that the service calls, the `operation` label.
var operations = []string{"AssociateSoftwareToken", "VerifySoftwareToken", "SetUserMFAPreference", "GetUser", "RespondToAuthChallenge"}

var (
	outcomes   = []string{OutcomeOK, OutcomeThrottled, OutcomeWrongCode, OutcomeCredential, OutcomeRefused, OutcomeUnavailable, OutcomeTimeout, OutcomeInternal}
	flows      = []string{"token", "session"}
	challenges = []string{"MFA_SETUP", "SOFTWARE_TOKEN_MFA", "SMS_MFA", "EMAIL_OTP", "SELECT_MFA_TYPE"}
)

// StoreOpen is the operation of pending_store_errors_total: an entry could not be
// opened.
const StoreOpen = "open"

// redisSubsystems are the parts of the service that use Redis, the `subsystem`
// label, as package redislink names them.
var redisSubsystems = []string{"pending", "limit", "quota", "events"}

// redisOperations are what they do there, the `operation` label.
var redisOperations = map[string][]string{
	"pending": {"find", "hold", "release"},
	"limit":   {"take", "settle"},
	"quota":   {"take", "throttle"},
	"events":  {"put", "take", "done", "later", "still"},
}

// BuildInfo is what build_info says of the binary.
type BuildInfo struct{ Version, Revision string }

// New makes the metrics and registers them, together with the Go and process
// collectors. It panics when the registerer holds one of them already, which is
// a mistake in the program.
func New(r prometheus.Registerer, build BuildInfo) *Metrics {
	m := &Metrics{registerer: r}
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	m.cognitoRequests = counters(r, "cognito_requests_total", "Calls to Amazon Cognito by operation and outcome.", []string{"operation", "outcome"}, operations, outcomes)
	m.cognitoDuration = histograms(r, prometheus.HistogramOpts{
		Name: "cognito_request_duration_seconds", Help: "How long Amazon Cognito took to answer a call.",
		Buckets: []float64{.005, .01, .025, .05, .1, .2, .4, .8, 1.6, 3.2, 5},
	}, "operation", operations)

	m.started = counters(r, "mfa_enrollments_started_total", "Starts of an enrollment: created, resumed (the one pending already) or failed.", []string{"flow", "result"}, flows, []string{ResultCreated, ResultResumed, ResultFailed})
	m.verified = counters(r, "mfa_enrollments_verified_total", "Attempts to finish an enrollment with a code.", []string{"flow", "result"}, flows, []string{ResultOK, ResultWrongCode, ResultFailed})
	m.preferences = counters(r, "mfa_preference_changes_total", "Changes of whether TOTP is asked for at sign-in.", []string{"change", "result"}, []string{ChangeOn, ChangeOff}, []string{ResultOK, ResultFailed})
	m.challenges = counters(r, "mfa_challenges_answered_total", "Answers to sign-in challenges.", []string{"challenge", "result"}, challenges, []string{ResultOK, ResultChallenge, ResultWrongCode, ResultFailed})

	m.duration = histograms(r, prometheus.HistogramOpts{
		Name: "mfa_enrollment_duration_seconds", Help: "Time from the start of an enrollment to its verification.",
		Buckets: []float64{5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900},
	}, "flow", flows)
	m.skew = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "mfa_code_skew_steps", Help: "The 30-second step, relative to now, that a submitted code fitted; negative means that the phone is behind.",
		Buckets: []float64{-20, -10, -4, -2, -1, 0, 1, 2, 4, 10, 20},
	})
	m.rejectedLocally = prometheus.NewCounter(prometheus.CounterOpts{Name: "mfa_codes_rejected_locally_total", Help: "Wrong codes that were refused without a call to Cognito."})
	m.storeErrors = counters(r, "pending_store_errors_total", "Entries of pending enrollments that could not be opened; each was treated as absent.", []string{"operation"}, []string{StoreOpen})
	m.redisErrors = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "redis_errors_total", Help: "Operations that went on without Redis: it was out of reach, refused the command, or took longer than a request may wait.",
	}, []string{"subsystem", "operation"})
	for subsystem, operations := range redisOperations {
		for _, operation := range operations {
			m.redisErrors.WithLabelValues(subsystem, operation)
		}
	}
	m.redisDuration = histograms(r, prometheus.HistogramOpts{
		Name: "redis_request_duration_seconds", Help: "How long one round trip to Redis took.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .2, .3, .6, 1},
	}, "subsystem", redisSubsystems)
	m.qrRender = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "qr_render_duration_seconds", Help: "Time to draw a QR code, as a PNG or an SVG.",
		Buckets: []float64{10e-6, 20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 5e-3, 20e-3},
	})
	m.problems = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_problems_total", Help: "Problem documents sent, by their code."}, []string{"code"})
	m.limited = counters(r, "rate_limited_total", "Requests that met a limit of this service before they reached Cognito.", []string{"limit"}, []string{"subject", "subject_reads", "subject_new_tokens", "token", "session", "address", "site", "network", "strangers", "strangers_sign_in"})
	m.panics = prometheus.NewCounter(prometheus.CounterOpts{Name: "http_panics_total", Help: "Requests that ended in a panic; each was answered with the problem internal."})
	m.givenUp = prometheus.NewCounter(prometheus.CounterOpts{Name: "http_client_gave_up_total", Help: "Requests whose client hung up before the answer; in http_requests_total they have the status 499, and no problem is counted."})
	m.configWarnings = prometheus.NewCounter(prometheus.CounterOpts{Name: "configuration_warnings_total", Help: "What the start found in the configuration that the service can run with and that is probably not meant; the log names each."})

	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "build_info", Help: "Which build this is; always 1."}, []string{"version", "revision", "goversion"})
	info.WithLabelValues(build.Version, build.Revision, runtime.Version()).Set(1)
	r.MustRegister(m.redisErrors, m.skew, m.rejectedLocally, m.qrRender, m.problems, m.panics, m.configWarnings, m.givenUp, info)
	m.quota = newQuota(r)
	m.events = newEvents(r)
	return m
}

// Registerer is where a part that brings metrics of its own (echoprometheus)
// registers them.
func (m *Metrics) Registerer() prometheus.Registerer { return m.registerer }

// CognitoCall counts one call to Cognito and how long it took. Where the call
// is traced, the trace is the exemplar of its duration.
func (m *Metrics) CognitoCall(ctx context.Context, operation, outcome string, took time.Duration) {
	m.cognitoRequests.WithLabelValues(operation, outcome).Inc()
	duration := m.cognitoDuration.WithLabelValues(operation)
	span := trace.SpanContextFromContext(ctx)
	if withExemplar, ok := duration.(prometheus.ExemplarObserver); ok && span.IsSampled() {
		withExemplar.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": span.TraceID().String()})
		return
	}
	duration.Observe(took.Seconds())
}

// Started counts a start of an enrollment.
func (m *Metrics) Started(flow, result string) { m.started.WithLabelValues(flow, result).Inc() }

// Verified counts an attempt to finish an enrollment.
func (m *Metrics) Verified(flow, result string) { m.verified.WithLabelValues(flow, result).Inc() }

// EnrollmentTook observes the time from start to verification.
func (m *Metrics) EnrollmentTook(flow string, took time.Duration) {
	m.duration.WithLabelValues(flow).Observe(took.Seconds())
}

// PreferenceChanged counts a change of the TOTP preference.
func (m *Metrics) PreferenceChanged(change, result string) {
	m.preferences.WithLabelValues(change, result).Inc()
}

// ChallengeAnswered counts an answer to a sign-in challenge.
func (m *Metrics) ChallengeAnswered(challenge, result string) {
	m.challenges.WithLabelValues(challenge, result).Inc()
}

// CodeFitted observes the step, relative to now, that a code fitted.
func (m *Metrics) CodeFitted(step int) { m.skew.Observe(float64(step)) }

// RejectedLocally counts a wrong code that cost no call.
func (m *Metrics) RejectedLocally() { m.rejectedLocally.Inc() }

// StoreFailed counts a survived failure of the pending store: StoreOpen.
func (m *Metrics) StoreFailed(operation string) { m.storeErrors.WithLabelValues(operation).Inc() }

// RedisFailed counts an operation that went on without Redis.
func (m *Metrics) RedisFailed(subsystem, operation string) {
	m.redisErrors.WithLabelValues(subsystem, operation).Inc()
}

// RedisTook observes the duration of one round trip to Redis.
func (m *Metrics) RedisTook(subsystem string, took time.Duration) {
	m.redisDuration.WithLabelValues(subsystem).Observe(took.Seconds())
}

// QRRendered observes the time that a picture took.
func (m *Metrics) QRRendered(took time.Duration) { m.qrRender.Observe(took.Seconds()) }

// Problem counts a problem document. The codes are fixed by the contract.
func (m *Metrics) Problem(code string) { m.problems.WithLabelValues(code).Inc() }

// ExpectProblems makes the series of these codes exist at zero.
func (m *Metrics) ExpectProblems(codes ...string) {
	for _, c := range codes {
		m.problems.WithLabelValues(c)
	}
}

// RateLimited counts a request that met a limit of this service.
func (m *Metrics) RateLimited(limit string) { m.limited.WithLabelValues(limit).Inc() }

// Panicked counts a request that ended in a panic.
func (m *Metrics) Panicked() { m.panics.Inc() }

// ClientGaveUp counts a request whose client did not wait for the answer.
func (m *Metrics) ClientGaveUp() { m.givenUp.Inc() }

// ConfigurationWarned counts something in the configuration that is probably not
// meant.
func (m *Metrics) ConfigurationWarned() { m.configWarnings.Inc() }

// PendingEnrollments exposes a gauge of the pending enrollments that this
// process keeps in memory.
func (m *Metrics) PendingEnrollments(count func() int) {
	m.registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "pending_enrollments", Help: "Pending enrollments kept in this process's memory.",
	}, func() float64 { return float64(count()) }))
}

// Ready exposes whether the service should get requests.
func (m *Metrics) Ready(ready func() bool) {
	m.registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ready", Help: "1 when the service should get requests, as /readyz says, else 0.",
	}, func() float64 {
		if ready() {
			return 1
		}
		return 0
	}))
}

// ClockOffset exposes how far Cognito's clock is ahead of this service's.
func (m *Metrics) ClockOffset(offset func() time.Duration) {
	m.registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cognito_clock_offset_seconds", Help: "Cognito's clock minus this machine's, from the Date of Cognito's answers; 0 before the first. Codes and tokens are held against Cognito's.",
	}, func() float64 { return offset().Seconds() }))
}

// KeyAge exposes how old each user pool's signing keys are, by pool id.
func (m *Metrics) KeyAge(ages func() map[string]time.Duration) {
	m.registerer.MustRegister(keyAge{ages})
}

// keyAge collects the ages when it is asked for them.
type keyAge struct {
	ages func() map[string]time.Duration
}

var keyAgeDesc = prometheus.NewDesc("cognito_jwks_age_seconds", "Time since the user pool's signing keys were fetched; since the start where they never were.", []string{"pool"}, nil)

func (k keyAge) Describe(to chan<- *prometheus.Desc) { to <- keyAgeDesc }

func (k keyAge) Collect(to chan<- prometheus.Metric) {
	for pool, age := range k.ages() {
		to <- prometheus.MustNewConstMetric(keyAgeDesc, prometheus.GaugeValue, age.Seconds(), pool)
	}
}

func counters(r prometheus.Registerer, name, help string, labels []string, values ...[]string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	for _, combination := range combinations(values) {
		v.WithLabelValues(combination...)
	}
	return v
}

func histograms(r prometheus.Registerer, opts prometheus.HistogramOpts, label string, values []string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(opts, []string{label})
	r.MustRegister(v)
	for _, value := range values {
		v.WithLabelValues(value)
	}
	return v
}

func combinations(values [][]string) [][]string {
	out := [][]string{nil}
	for _, set := range values {
		var next [][]string
		for _, head := range out {
			for _, v := range set {
				next = append(next, append(head[:len(head):len(head)], v))
			}
		}
		out = next
	}
	return out
}
