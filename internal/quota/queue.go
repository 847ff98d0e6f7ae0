package quota

import (
	"context"
	"errors"
	"slices"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/metrics"
)

// perLook is how many calls of each rank serve asks for at once. No more of them
// can be admitted at one moment, but after a long round trip.
const perLook = 5

// waiter is a call that waits here.
type waiter struct {
	request
	operation string
	admitted  chan struct{} // closed when it is
}

// wait returns when a call is admitted. ctx is how long it may wait.
func (a *Admission) wait(ctx context.Context, c Call, r request) *enroll.Error {
	if r.reserve = a.waiting(r.rank) > 0; r.price > 0 || !r.reserve {
		// One round trip: it is admitted, or gets a queue position.
		now := a.bucket.take(ctx, r)[0]
		if now.granted {
			return nil
		}
		if now.expired {
			a.o.Metrics.StartTurnedAway(metrics.TurnedAwayStale)
			return &enroll.Error{Kind: enroll.SessionExpired, Reason: "the quota: the session does not live until its turn", Cause: enroll.ErrNotAsked}
		}
		if until, _ := ctx.Deadline(); time.Now().Add(now.turn).After(until) {
			return a.turnAway(metrics.TurnedAwayLine, r, now.turn)
		}
		r.position = now.position
	}
	r.reserve = false
	w := &waiter{request: r, operation: c.Operation, admitted: make(chan struct{})}
	if !a.enqueue(w) {
		return a.turnAway(metrics.TurnedAwayQueue, r, a.backlog(r))
	}
	select {
	case <-w.admitted:
		return nil
	case <-ctx.Done():
	case <-c.Abandoned:
	}
	if !a.dequeue(w) { // It was admitted at the same moment.
		return nil
	}
	return a.gaveUp(ctx, r)
}

// gaveUp is for a call that waited in vain. It keeps its queue position: a person
// who is still there is told when to come back, and one who has gone away may
// have reloaded the page.
func (a *Admission) gaveUp(ctx context.Context, r request) *enroll.Error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		wait := a.backlog(r)
		if r.price > 0 {
			r.position, r.reserve = 0, true
			wait = max(wait, a.bucket.take(ctx, r)[0].turn)
		}
		return a.turnAway(metrics.TurnedAwayPatience, r, wait)
	}
	return &enroll.Error{Kind: enroll.Busy, Reason: "the quota: who asked has gone away", Cause: enroll.ErrNotAsked}
}

// turnAway is the error of a call that is not admitted in time, and says when to
// come back. A start is told to come early, by a fifth of the time and by most
// of what it may wait here: the line may move faster than it did. Each has a
// time of its own. Those who come when the line takes nobody more are spread
// over the time in which its second half moves up.
func (a *Admission) turnAway(why string, r request, wait time.Duration) *enroll.Error {
	if r.rank != finishing {
		a.o.Metrics.StartTurnedAway(why)
		if wait > r.horizon {
			wait -= time.Duration(a.o.Rand() / 2 * float64(wait))
		}
		wait -= wait/5 + a.o.StartPatience*2/3
	}
	return &enroll.Error{Kind: enroll.Busy, Reason: "the quota: " + why, RetryAfter: max(time.Second, wait), Cause: enroll.ErrNotAsked}
}

// backlog is how long it takes until the calls of a rank that wait here are
// admitted, where those that follow them are made as well.
func (a *Admission) backlog(r request) time.Duration {
	return seconds(float64(a.waiting(r.rank)) * max(1, r.price) / a.bucket.rate())
}

// waiting counts the calls of a rank that wait.
func (a *Admission) waiting(r rank) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queues[r])
}

// enqueue puts a call behind those with a lower position. It reports false when
// too many wait already.
func (a *Admission) enqueue(w *waiter) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	queue := a.queues[w.rank]
	if len(queue) >= a.o.MaxQueue {
		return false
	}
	at := len(queue)
	for at > 0 && queue[at-1].position > w.position {
		at--
	}
	a.queues[w.rank] = slices.Insert(queue, at, w)
	a.count(w.operation)
	if !a.serving {
		a.serving = true
		go a.serve()
	}
	a.wake()
	return true
}

// wake lets serve look at the queues, which have changed.
func (a *Admission) wake() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// dequeue takes a call out, and reports whether it was still there.
func (a *Admission) dequeue(w *waiter) bool {
	a.asking <- struct{}{}
	defer func() { <-a.asking; a.wake() }()
	return a.remove(w)
}

// remove is dequeue for a caller who holds the lock a.asking.
func (a *Admission) remove(w *waiter) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := slices.Index(a.queues[w.rank], w)
	if at < 0 {
		return false
	}
	a.queues[w.rank] = slices.Delete(a.queues[w.rank], at, at+1)
	a.count(w.operation)
	return true
}

// count tells the metrics how many calls of an operation wait. The caller holds
// a.mu.
func (a *Admission) count(operation string) {
	n := 0
	for _, queue := range a.queues {
		for _, w := range queue {
			if w.operation == operation {
				n++
			}
		}
	}
	a.o.Metrics.QuotaQueue(operation, n)
}

// first are the calls that come next, of each rank some. When there are none,
// serve ends.
func (a *Admission) first() (next []*waiter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, queue := range a.queues {
		next = append(next, queue[:min(len(queue), perLook)]...)
	}
	a.serving = len(next) > 0
	return next
}

// serve asks the bucket for the calls that wait, while any do. It runs once at a
// time, so that a replica asks once for all of them.
func (a *Admission) serve() {
	for {
		a.asking <- struct{}{}
		next := a.first()
		retry := a.ask(next)
		<-a.asking
		if len(next) == 0 {
			return
		}
		timer := time.NewTimer(retry)
		select {
		case <-timer.C:
		case <-a.changed:
		}
		timer.Stop()
	}
}

// ask lets those calls go for which there are tokens, and tells when it is worth
// asking again.
func (a *Admission) ask(next []*waiter) (retry time.Duration) {
	if len(next) == 0 {
		return 0
	}
	requests := make([]request, len(next))
	for i, w := range next {
		requests[i] = w.request
	}
	retry = time.Hour
	for i, answer := range a.bucket.take(context.Background(), requests...) {
		if answer.granted {
			a.remove(next[i])
			close(next[i].admitted)
			retry = 0
		} else {
			retry = min(retry, answer.retry)
		}
	}
	return retry
}
