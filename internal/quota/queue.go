package quota

import (
	"context"
	"errors"
	"slices"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/metrics"
)

// waiter is a call that waits for its turn.
type waiter struct {
	operation string
	claim     claim
	place     int64         // in the line; 0 for calls that stand in none
	turn      chan struct{} // closed when it has come
}

// wait returns when a call may be made. ctx is how long it may wait.
func (p *Pacer) wait(ctx context.Context, w Call, c claim) *enroll.Error {
	begin, place := time.Now(), int64(0)
	if c.cost > 0 {
		v := p.look(ctx, c)
		if v.stale {
			p.o.Metrics.StartTurnedAway(metrics.TurnedAwayStale)
			return &enroll.Error{Kind: enroll.SessionExpired, Reason: "the quota: the session does not live until its turn", Cause: enroll.ErrNotAsked}
		}
		if until, _ := ctx.Deadline(); begin.Add(v.wait).After(until) {
			return p.turnAway(metrics.TurnedAwayLine, c, v.wait)
		}
		place = v.place
	}
	if err := p.queue(ctx, w, c, place); err != nil {
		return err
	}
	p.o.Metrics.QuotaWaited(w.Operation, time.Since(begin))
	return nil
}

// queue lets a call wait for its turn among those of this process. Where nobody
// waits, and there is a call left, it has its turn.
func (p *Pacer) queue(ctx context.Context, w Call, c claim, place int64) *enroll.Error {
	if p.waiting(Verify, SetPreference, Associate) == 0 && p.quota.take(ctx, c, p.credit()).granted {
		return nil
	}
	one := &waiter{operation: w.Operation, claim: c, place: place, turn: make(chan struct{})}
	if !p.enqueue(one) {
		return p.turnAway(metrics.TurnedAwayQueue, c, p.backlog())
	}
	select {
	case <-one.turn:
		return nil
	case <-ctx.Done():
	case <-w.Abandoned:
	}
	if !p.dequeue(one) { // The turn came at the same moment.
		return nil
	}
	p.wake()
	return p.expired(ctx, c)
}

// expired is for a call that waited in vain. Who is there keeps the place in the
// line, and is told when to come; who has gone away gives it back.
func (p *Pacer) expired(ctx context.Context, c claim) *enroll.Error {
	alone, wait := context.WithoutCancel(ctx), p.backlog()
	switch {
	case c.cost == 0:
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		wait = p.look(alone, c).wait
	default:
		p.quota.leave(alone, c.person)
		return enroll.Fail(enroll.Busy, "the quota: who asked has gone away")
	}
	return p.turnAway(metrics.TurnedAwayPatience, c, wait)
}

// look takes a place in the line for a start, and asks when its turn comes.
func (p *Pacer) look(ctx context.Context, c claim) verdict {
	c.look, c.queued = true, p.waiting(Associate)
	return p.quota.take(ctx, c, p.credit())
}

// backlog is how long it takes until the calls that wait now are made.
func (p *Pacer) backlog() time.Duration {
	return seconds(float64(p.waiting(Verify, SetPreference, Associate)) / p.quota.rate())
}

// turnAway is the error of a call whose turn does not come in time, and says
// when it does. A start is asked to be early, a tenth of the time and most of
// what it may wait here: then the one before it may be late, and the line may be
// faster than it looked. Each has a time of its own, but for those who come when
// the line takes nobody more: chance spreads them over the time in which its
// second half moves up.
func (p *Pacer) turnAway(why string, c claim, wait time.Duration) *enroll.Error {
	if c.start {
		p.o.Metrics.StartTurnedAway(why)
		if wait > c.ahead {
			wait -= time.Duration(p.o.Rand() / 2 * float64(wait))
		}
		wait -= wait/10 + p.o.StartPatience*2/3
	}
	return &enroll.Error{Kind: enroll.Busy, Reason: "the quota: " + why, RetryAfter: max(time.Second, wait)}
}

// enqueue puts a call behind the earlier ones of its kind, starts in the order
// of the line. It reports false when too many wait already.
func (p *Pacer) enqueue(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	queue := p.queues[w.operation]
	if len(queue) >= p.o.MaxQueue {
		return false
	}
	at := len(queue)
	for at > 0 && queue[at-1].place > w.place {
		at--
	}
	p.setQueue(w.operation, slices.Insert(queue, at, w))
	if !p.serving {
		p.serving = true
		go p.serve()
	}
	p.wake()
	return true
}

// wake lets serve look at the queues again, which have changed.
func (p *Pacer) wake() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// dequeue takes a call out, and reports whether it was still there.
func (p *Pacer) dequeue(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	queue := p.queues[w.operation]
	at := slices.Index(queue, w)
	if at < 0 {
		return false
	}
	p.setQueue(w.operation, slices.Delete(queue, at, at+1))
	return true
}

// setQueue is for callers who hold p.mu.
func (p *Pacer) setQueue(operation string, queue []*waiter) {
	p.queues[operation] = queue
	p.o.Metrics.QuotaQueue(operation, len(queue))
}

// waiting counts the calls that wait.
func (p *Pacer) waiting(operations ...string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, operation := range operations {
		n += len(p.queues[operation])
	}
	return n
}

// next is the call that comes first. When there is none, serve ends.
func (p *Pacer) next() *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, operation := range []string{Verify, SetPreference, Associate} {
		if queue := p.queues[operation]; len(queue) > 0 {
			return queue[0]
		}
	}
	p.serving = false
	return nil
}

// serve gives the calls their turns while any wait. It runs once at a time.
func (p *Pacer) serve() {
	for w := p.next(); w != nil; w = p.next() {
		v := p.quota.take(context.Background(), w.claim, p.credit())
		switch {
		case !v.granted:
			p.pause(v.wait)
		case p.dequeue(w):
			close(w.turn)
		default: // It left at the same moment.
			p.owe(w.claim.cost)
		}
	}
}

// pause waits, or until the queues have changed.
func (p *Pacer) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.changed:
	}
}
