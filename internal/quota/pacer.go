// Package quota admits calls to Cognito's UserResourceUpdate quota, which a
// whole AWS account shares: in the memory of one process, or in a Redis that the
// replicas share.
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

// Options configures a Pacer.
type Options struct {
	// RPS is the account's quota of Cognito's UserResourceUpdate category, in
	// calls a second.
	RPS float64
	// Shared is where replicas share the quota. Nil: this process has it alone.
	Shared *SharedQuota
	// StartPatience is how long a start waits here for its turn before it is
	// told when to come back. Zero: 6 s.
	StartPatience time.Duration
	// FinishPatience is how long any other call waits. Zero: 8 s.
	FinishPatience time.Duration
	// MaxQueue is how many calls of one operation may wait. Zero: 500.
	MaxQueue int
	// SessionValidity is how long the session of a sign-in lives, and so for
	// how long its place in the line is of use. Zero: 3 min.
	SessionValidity time.Duration
	// Rand is uniform in [0, 1), and called from many goroutines. Nil:
	// math/rand/v2.
	Rand    func() float64
	Metrics *metrics.Metrics
}

const (
	// longestLine is how far ahead somebody is told when to come back.
	longestLine = 15 * time.Minute
	// sessionReserve is what a session has lost before it gets here, and what it
	// must have left at its turn.
	sessionReserve = 30 * time.Second
)

// Pacer spends the quota that Cognito has for AssociateSoftwareToken,
// VerifySoftwareToken and SetUserMFAPreference, all together 25 calls a second
// for an AWS account, so that as many people as possible finish. Every such call
// passes it. It keeps three rules:
//
// Who is finishing comes first. A code in a person's hand expires; a page that
// was not opened yet does not. Starts take what is left.
//
// A start pays for its whole enrollment, since a burst of starts now is a burst
// of codes a minute later. The price is what people have been seen to need
// (habits). A start whose turn does not come in time is told when it will, and
// has a place in the line until then (account).
//
// A refusal is believed. It means that others share the account, so the rate
// goes down, and then feels its way up again (pace). The call that was refused
// passes the pacer once more, like any other.
//
// It runs on the real clock, as timers do; tests put it into a synctest bubble.
type Pacer struct {
	o     Options
	quota quota

	mu      sync.Mutex
	queues  map[string][]*waiter // by operation
	serving bool
	changed chan struct{} // wakes serve
	habits  map[enroll.Flow]*habits
	owed    float64 // paid by starts that came to nothing
}

// New makes a pacer. It calls nobody.
func New(o Options) *Pacer {
	o.StartPatience = cmp.Or(o.StartPatience, 6*time.Second)
	o.FinishPatience = cmp.Or(o.FinishPatience, 8*time.Second)
	o.MaxQueue = cmp.Or(o.MaxQueue, 500)
	o.SessionValidity = cmp.Or(o.SessionValidity, 3*time.Minute)
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	p := &Pacer{
		o: o, quota: newAccount(o.RPS), queues: map[string][]*waiter{}, changed: make(chan struct{}, 1),
		habits: map[enroll.Flow]*habits{
			enroll.FlowToken:   newHabits(2), // VerifySoftwareToken, SetUserMFAPreference
			enroll.FlowSession: newHabits(1), // VerifySoftwareToken
		},
	}
	if o.Shared != nil {
		p.quota = newSharedAccount(*o.Shared, o.RPS, o.Metrics.QuotaAlone)
	}
	o.Metrics.Quota(o.RPS, p.quota.rate)
	return p
}

// Do makes a call when its turn has come. A call that Cognito refused for the
// quota, which it looks at before anything else, is made again when its turn has
// come again. A call whose turn does not come in time fails with enroll.Busy.
func (p *Pacer) Do(ctx context.Context, w Call, send func(context.Context) *enroll.Error) *enroll.Error {
	patience := p.o.FinishPatience
	if w.Operation == Associate {
		patience = p.o.StartPatience
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, paid := p.claim(w), 0.0
	for {
		if err := p.turn(waiting, w, c); err != nil {
			p.owe(paid)
			return err
		}
		paid, c.cost = paid+c.cost, 0
		sent := time.Now()
		err := send(ctx)
		if !overQuota(err) {
			p.settle(w, err, paid)
			return err
		}
		p.o.Metrics.QuotaRefused()
		p.quota.refused(ctx, time.Since(sent))
	}
}

// turn waits for a call's turn, as a span of the request's trace.
func (p *Pacer) turn(ctx context.Context, w Call, c claim) *enroll.Error {
	ctx, span := trace.SpanFromContext(ctx).TracerProvider().Tracer("mfa-enrollment").Start(ctx, "quota wait")
	defer span.End()
	return p.wait(ctx, w, c)
}

// overQuota tells whether Cognito refused a call for the account's quota, and
// not for something that this person did too often.
func overQuota(err *enroll.Error) bool {
	return err != nil && err.Kind == enroll.TooManyRequests && (err.Reason == "TooManyRequestsException" || err.Reason == "ThrottlingException")
}

// claim is what a call wants of the quota.
func (p *Pacer) claim(w Call) claim {
	if w.Operation != Associate {
		return claim{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := claim{start: true, person: w.Person, cost: 1 + p.habits[w.flow()].toFollow(time.Now()), ahead: longestLine}
	if w.flow() == enroll.FlowSession {
		// Who comes back with a session must have some of it left.
		c.ahead, c.aging = min(longestLine, p.o.SessionValidity-sessionReserve), w.Aging
	}
	if w.Outside {
		c.ahead, c.aging = 0, ""
	}
	return c
}

// settle enters what became of a call.
func (p *Pacer) settle(w Call, err *enroll.Error, paid float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch h := p.habits[w.flow()]; {
	case w.Operation != Associate:
		h.followed(time.Now(), w.Age)
	case err == nil:
		h.started(time.Now())
	default:
		p.owed += paid - 1
	}
}

// owe pays back what was paid for nothing.
func (p *Pacer) owe(paid float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owed += paid
}

// credit takes what is owed, to be paid back now.
func (p *Pacer) credit() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	owed := p.owed
	p.owed = 0
	return owed
}
