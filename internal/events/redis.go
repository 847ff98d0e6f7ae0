package events

import (
	"context"
	crand "crypto/rand"
	_ "embed"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/redislink"
)

//go:embed queue.lua
var queueSource string

//nolint:gochecknoglobals // A constant that Go cannot declare as such.
var script = redis.NewScript(queueSource)

// The operations, as redis_errors_total names them.
const (
	opPut   = "put"
	opTake  = "take"
	opDone  = "done"
	opLater = "later"
	opStill = "still"
)

const (
	// leaseTTL lets another replica send a person's events whose sender died. It is
	// longer than one attempt.
	leaseTTL = sendTimeout + 15*time.Second
	// keptFor is how long Redis keeps what nobody sends: longer than it is tried.
	keptFor = giveUpAfter + time.Hour
	// batch is how many events one script puts or looks for.
	batch = 100
	// checkEvery is how often a replica looks whether its events were sent by
	// another.
	checkEvery = 10 * time.Second
)

// shared is a queue that all replicas put into and send from. A replica keeps a copy
// of what it put until it is sent, so that a Redis that forgets everything costs
// nothing, and sends that itself while Redis does not answer.
type shared struct {
	redis   *redislink.Subsystem
	replica string
	local   *memory
	full    func() // called for each event that Redis has no room for

	mu      sync.Mutex
	back    uint64          // Subsystem.Back when this replica last put what it has
	unsaved []item          // what is in local and not known to be in Redis, the oldest first
	sent    []lent          // what was sent while Redis did not answer, for it to forget
	lone    map[string]bool // people whose events are lent from local
	checked time.Time
}

func newShared(s *redislink.Subsystem, full func()) *shared {
	return &shared{redis: s, full: full, replica: crand.Text(), local: newMemory(), back: s.Back(), lone: map[string]bool{}}
}

func (q *shared) put(ctx context.Context, i item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.local.put(ctx, i) {
		return false
	}
	q.unsaved = append(q.unsaved, i)
	q.save(ctx)
	return true
}

// save puts into Redis what is not known to be there. It is for callers who hold
// q.mu.
func (q *shared) save(ctx context.Context) {
	if back := q.redis.Back(); back != q.back {
		q.back = back
		q.forgetSent(ctx)
		q.unsaved = q.local.all()
	}
	for len(q.unsaved) > 0 {
		some := q.unsaved[:min(batch, len(q.unsaved))]
		args := []any{"put", q.replica, keptFor.Milliseconds(), newest(some), maxPeople, maxEach}
		for _, i := range some {
			args = append(args, i.person, i.blob)
		}
		kept, answered := q.run(ctx, opPut, args)
		if !answered || len(kept) != len(some) {
			return
		}
		for n, i := range some {
			if kept[n] != "1" {
				q.local.forget(i)
				q.full()
			}
		}
		q.unsaved = q.unsaved[len(some):]
	}
}

// newest is when the newest of some events happened, in milliseconds since 1970: all
// of them may be sent from then on.
func newest(some []item) int64 { return some[len(some)-1].at.UnixMilli() }

// forgetSent makes Redis forget what this replica sent without it.
func (q *shared) forgetSent(ctx context.Context) {
	for n, l := range q.sent {
		if !q.finish(ctx, l, time.UnixMilli(0)) {
			q.sent = q.sent[n:]
			return
		}
	}
	q.sent = nil
}

func (q *shared) take(ctx context.Context, at time.Time) (l lent, ok bool, wait time.Duration) {
	q.mu.Lock()
	q.save(ctx)
	q.check(ctx, at)
	q.mu.Unlock()
	token := crand.Text()
	reply, answered := q.run(ctx, opTake, []any{"take", at.UnixMilli(), token, leaseTTL.Milliseconds()})
	switch {
	case !answered && q.redis.Alone():
		return q.takeAlone(ctx, at)
	case len(reply) == 3:
		failed, _ := strconv.Atoi(reply[2])
		return lent{item: item{person: reply[0], blob: []byte(reply[1])}, failed: failed, token: token}, true, 0
	case len(reply) == 1:
		due, err := strconv.ParseFloat(reply[0], 64)
		if err == nil {
			return lent{}, false, time.UnixMilli(int64(due)).Sub(at)
		}
	}
	return lent{}, false, pollEvery
}

// takeAlone lends this replica's own events.
func (q *shared) takeAlone(ctx context.Context, at time.Time) (l lent, ok bool, wait time.Duration) {
	l, ok, wait = q.local.take(ctx, at)
	if ok {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.lone[l.person] = true
	}
	return l, ok, wait
}

// check forgets the copies of events that another replica has sent.
func (q *shared) check(ctx context.Context, at time.Time) {
	if at.Sub(q.checked) < checkEvery && !at.Before(q.checked) || len(q.unsaved) > 0 {
		return
	}
	q.checked = at
	copies := q.local.all()
	for len(copies) > 0 {
		some := copies[:min(batch, len(copies))]
		args := []any{"still", q.replica}
		for _, i := range some {
			args = append(args, i.person, i.blob)
		}
		here, answered := q.run(ctx, opStill, args)
		switch {
		case !answered:
			return
		case len(here) != len(some): // Redis has forgotten them.
			q.unsaved = q.local.all()
			q.save(ctx)
			return
		}
		for n, i := range some {
			if here[n] == "0" {
				q.local.forget(i)
			}
		}
		copies = copies[len(some):]
	}
}

func (q *shared) done(ctx context.Context, l lent, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.local.done(ctx, l, at)
	delete(q.lone, l.person)
	q.unsaved = without(q.unsaved, l.item)
	if !q.finish(ctx, l, at) && len(q.sent) < maxInProcess {
		q.sent = append(q.sent, l)
	}
}

func (q *shared) finish(ctx context.Context, l lent, at time.Time) (answered bool) {
	_, answered = q.run(ctx, opDone, []any{"done", l.person, l.token, l.blob, at.UnixMilli()})
	return answered
}

func (q *shared) later(ctx context.Context, l lent, at time.Time) {
	q.mu.Lock()
	alone := q.lone[l.person]
	delete(q.lone, l.person)
	q.mu.Unlock()
	if alone {
		q.local.later(ctx, l, at)
		return
	}
	q.run(ctx, opLater, []any{"later", l.person, l.token, at.UnixMilli(), l.failed + 1, keptFor.Milliseconds()})
}

func (q *shared) ready(now time.Time) bool { return q.local.ready(now) }

func (q *shared) waiting() (n int, since time.Time) { return q.local.waiting() }

// run runs one step and gives its answer as texts.
func (q *shared) run(ctx context.Context, operation string, args []any) (reply []string, answered bool) {
	answered = q.redis.Do(redislink.WithoutBudget(ctx), operation, func(ctx context.Context, c redis.UniversalClient) error {
		values, err := script.Run(ctx, c, []string{q.redis.Key("")}, args...).Result()
		if err != nil {
			return err
		}
		list, ok := values.([]any)
		if !ok {
			return nil
		}
		for _, v := range list {
			switch v := v.(type) {
			case string:
				reply = append(reply, v)
			case int64:
				reply = append(reply, strconv.FormatInt(v, 10))
			default:
				return redislink.ErrReply
			}
		}
		return nil
	})
	return reply, answered
}
