// Package quota admits calls to Cognito's UserResourceUpdate quota, which a
// whole AWS account shares: 25 calls a second for AssociateSoftwareToken,
// VerifySoftwareToken and SetUserMFAPreference together. The bucket of tokens is
// in the memory of one process, or in a Redis that the replicas share.
package quota

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/metrics"
)

// Options configures an Admission.
type Options struct {
	// RPS is the account's quota of Cognito's UserResourceUpdate category, in
	// calls a second.
	RPS float64
	// Shared is where replicas share the quota. Nil: this process has it alone.
	Shared *SharedQuota
	// StartPatience is how long a start or a stranger waits here before it is
	// told when to come back. Zero: 6 s.
	StartPatience time.Duration
	// FinishPatience is how long any other call waits. Zero: 8 s.
	FinishPatience time.Duration
	// MaxQueue is how many calls of one rank may wait. Zero: 500.
	MaxQueue int
	// SessionValidity is how long the session of a sign-in lives. Zero: 3 min.
	SessionValidity time.Duration
	// Rand is uniform in [0, 1), and called from many goroutines. Nil:
	// math/rand/v2.
	Rand    func() float64
	Metrics *metrics.Metrics
}

const (
	// longestHorizon is how far ahead somebody is told when to come back.
	longestHorizon = 15 * time.Minute
	// sessionReserve is what a session has lost before it gets here, and what it
	// must have left at its turn.
	sessionReserve = 30 * time.Second
)

// Admission admits the calls that spend the quota, so that as many people as
// possible finish.
//
// Calls that finish an enrollment come first: somebody holds a code that
// expires. Starts come next. Strangers come last: they share a fifth of the rate
// while others wait, and beyond that get what would lie idle.
//
// A start whose turn does not come soon is told when to come back, and its queue
// position is kept until then (memoryBucket).
//
// A call that Cognito refuses for the quota slows everything down for a while,
// since somebody else uses the quota too (rate). That call is made again.
//
// It runs on the real clock, as timers do; tests put it into a synctest bubble.
type Admission struct {
	o      Options
	bucket bucket

	asking chan struct{} // a lock: nobody leaves a queue while serve asks the bucket

	mu      sync.Mutex
	queues  [ranks][]*waiter // each in the order of its positions
	serving bool
	changed chan struct{} // wakes serve
}

// New makes an Admission. It calls nobody.
func New(o Options) *Admission {
	o.StartPatience = cmp.Or(o.StartPatience, 6*time.Second)
	o.FinishPatience = cmp.Or(o.FinishPatience, 8*time.Second)
	o.MaxQueue = cmp.Or(o.MaxQueue, 500)
	o.SessionValidity = cmp.Or(o.SessionValidity, 3*time.Minute)
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	a := &Admission{o: o, bucket: newMemoryBucket(o.RPS, time.Now), asking: make(chan struct{}, 1), changed: make(chan struct{}, 1)}
	if o.Shared != nil {
		a.bucket = newRedisBucket(*o.Shared, o.RPS, o.Metrics.QuotaAlone)
	}
	o.Metrics.Quota(o.RPS, a.bucket.rate)
	return a
}

// Do makes a call when it is admitted. A call that Cognito refused for the
// quota, which it looks at before anything else, is made again when it is
// admitted again. A call that is not admitted in time fails with enroll.Busy.
func (a *Admission) Do(ctx context.Context, c Call, send func(context.Context) *enroll.Error) *enroll.Error {
	patience := a.o.FinishPatience
	if c.rank() != finishing {
		patience = a.o.StartPatience
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for r := a.request(c); ; r.price = 0 {
		if err := a.admit(waiting, c, r); err != nil {
			return err
		}
		sent := time.Now()
		err := send(ctx)
		if err == nil || !err.OfAccount {
			return err
		}
		a.o.Metrics.QuotaRefused()
		a.bucket.throttle(ctx, time.Since(sent))
	}
}

// request is what a call asks of the bucket.
func (a *Admission) request(c Call) request {
	r := request{rank: c.rank(), price: c.price(), person: c.Person, horizon: longestHorizon}
	if c.BySession {
		// Whoever comes back with a session must have some of it left.
		r.session, r.horizon = c.Session, min(longestHorizon, a.o.SessionValidity-sessionReserve)
	}
	return r
}

// admit waits until a call is admitted, as a span of the request's trace.
func (a *Admission) admit(ctx context.Context, c Call, r request) *enroll.Error {
	ctx, span := trace.SpanFromContext(ctx).TracerProvider().Tracer("mfa-enrollment").Start(ctx, "quota wait")
	defer span.End()
	begin := time.Now()
	err := a.wait(ctx, c, r)
	if err == nil {
		a.o.Metrics.QuotaWaited(c.Operation, time.Since(begin))
	}
	return err
}
