package quota

import (
	"context"
	"maps"
	"strconv"
	"sync"
	"time"
)

const (
	// burstOver is how much of the rate may be used at once after a pause. It
	// is short, since nobody outside knows over what time Cognito counts.
	burstOver = 200 * time.Millisecond
	// urgentOver is how long others stand back after a call that finishes an
	// enrollment had to wait. Its replica asks again sooner, even over a slow
	// network.
	urgentOver = 200 * time.Millisecond
	// graceOver is how long a queue position is kept after its turn for a person
	// who was told to come back.
	graceOver = time.Minute
	// strangersShare is the part of the rate that strangers get while others
	// wait as well.
	strangersShare = 0.2
	// sweepEvery is how often expired queue positions are deleted from memory.
	sweepEvery = 10 * time.Second
)

// bucket is what is left of the account's quota: memoryBucket for one process,
// redisBucket for all replicas. Both pass the same tests.
type bucket interface {
	// take admits those of the requests, in this order, for which there are
	// tokens, and tells the others when.
	take(ctx context.Context, requests ...request) []answer
	// throttle tells that Cognito refused a call, so long after it was sent.
	throttle(ctx context.Context, took time.Duration)
	// rate is how many calls a second may be made now.
	rate() float64
}

// request is what a call asks of the bucket.
type request struct {
	rank rank

	// The rest is of calls that get a queue position.
	price    float64       // calls that the admission uses up in the end; 0: no queue position
	person   string        // whose queue position it is, hashed
	position float64       // in calls, from an earlier answer; 0: not known here
	horizon  time.Duration // how far away its turn may be
	session  string        // counts towards the horizon from when it was first seen, hashed; empty: does not
	reserve  bool          // do not admit it, since others wait here already
}

// holder names whose queue position it is, in which line.
func (r request) holder() string { return strconv.Itoa(int(r.rank)) + ":" + r.person }

// answer is what a bucket says to a request.
type answer struct {
	granted bool
	// retry is how long it takes until the request may be admitted.
	retry time.Duration
	// turn is how long it takes until it is due: until the calls before it
	// in the line are made.
	turn     time.Duration
	position float64 // 0: it got none
	expired  bool    // its session does not live until its turn, or has ended
}

// memoryBucket is a token bucket with two lines in front of it: one of starts
// and one of strangers.
//
// The bucket fills at the rate. A request takes one token, and leaves some for
// those that come before it (needs).
//
// A line is a virtual clock, as in fair queueing (Demers, Keshav, Shenker 1989).
// It counts calls: it advances at the rate, or at the line's share of it while
// the other line is not empty. Each request gets a position behind the one
// before, at a distance of its price. It is due when the clock has reached its
// position. So due requests come no faster than whole enrollments fit, and
// nothing has to be kept of the line but its clock, its tail and the positions.
//
// A request is admitted before it is due if there are tokens that nobody else
// needs. The clock then skips its price, since the line is shorter by so much.
type memoryBucket struct {
	now func() time.Time

	mu     sync.Mutex
	limit  rate
	at     time.Time
	tokens float64
	lines  [ranks]line // that of finishing is not used
	urgent time.Time   // a call that finishes an enrollment waits, at any replica, until then at least

	positions, sessions map[string]kept // by holder; by session, when it was first seen
	swept               time.Time
}

// line is a virtual clock, in calls.
type line struct{ clock, tail float64 }

// kept is a value that is deleted after a while.
type kept struct {
	value float64
	until time.Time
}

func newMemoryBucket(limit float64, now func() time.Time) *memoryBucket {
	return &memoryBucket{
		now: now, limit: rate{limit: limit}, at: now(), swept: now(), tokens: burst(limit),
		positions: map[string]kept{}, sessions: map[string]kept{},
		lines: [ranks]line{starting: {clock: 1, tail: 1}, stranger: {clock: 1, tail: 1}}, // No position is 0.
	}
}

// burst is how many tokens a bucket holds.
func burst(rate float64) float64 { return max(2, min(5, rate/2), rate*burstOver.Seconds()) }

// needs is how many tokens must be there: what is left is for those who come
// before, at whichever replica they are. Calls that finish an enrollment need
// one, requests that are due two, and starts and then strangers that are not due
// more. While a call that finishes waits, all others need a full bucket: their
// replicas may be quicker to ask.
func (b *memoryBucket) needs(r rank, due bool, rate float64) float64 {
	switch {
	case r == finishing:
		return 1
	case b.urgent.After(b.at):
		return burst(rate)
	case due:
		return 2
	default:
		return min(burst(rate), 2+float64(r))
	}
}

func (b *memoryBucket) rate() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit.at(b.now())
}

func (b *memoryBucket) take(_ context.Context, requests ...request) []answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	rate := b.advance()
	answers := make([]answer, len(requests))
	for i, r := range requests {
		answers[i] = b.answer(r, rate)
	}
	return answers
}

// advance brings the bucket up to now and returns the rate.
func (b *memoryBucket) advance() float64 {
	now := b.now()
	rate := b.limit.at(now)
	grown := rate * now.Sub(b.at).Seconds()
	b.tokens = min(b.tokens+grown, burst(rate))
	starts, strangers := b.share(starting), b.share(stranger)
	b.lines[starting].clock += grown * starts
	b.lines[stranger].clock += grown * strangers
	b.at = now
	if now.Sub(b.swept) > sweepEvery {
		b.swept = now
		expired := func(_ string, k kept) bool { return k.until.Before(now) }
		maps.DeleteFunc(b.positions, expired)
		maps.DeleteFunc(b.sessions, expired)
	}
	return rate
}

// turn is how long it takes until a line has advanced by so many calls. It has its
// share of the rate, and all of it once the other line is empty.
func (b *memoryBucket) turn(r rank, calls, rate float64) time.Duration {
	other := b.lines[ranks-r]
	return seconds(min(calls/b.share(r), calls+max(0, other.tail-other.clock)) / rate)
}

// share is a line's part of the rate.
func (b *memoryBucket) share(r rank) float64 {
	other := b.lines[ranks-r]
	switch {
	case other.tail <= other.clock:
		return 1
	case r == stranger:
		return strangersShare
	default:
		return 1 - strangersShare
	}
}

func (b *memoryBucket) answer(r request, rate float64) (a answer) {
	l := &b.lines[r.rank]
	if r.price > 0 {
		var ended bool
		if a, ended = b.place(r, rate); ended {
			return answer{expired: true}
		}
	}
	due := a.turn == 0
	a.retry = seconds((b.needs(r.rank, due, rate) - b.tokens) / rate)
	if !due && a.position > 0 {
		a.retry = min(a.retry, max(a.turn, seconds((b.needs(r.rank, true, rate)-b.tokens)/rate)))
	}
	if r.rank == finishing && a.retry > 0 {
		b.urgent = b.at.Add(urgentOver)
	}
	if r.reserve || a.retry > 0 {
		return a
	}
	b.tokens--
	b.limit.admitted++
	if a.position > l.clock {
		l.clock += r.price
	}
	delete(b.positions, r.holder())
	return answer{granted: true}
}

// place finds the queue position of a request, or gives it the one at the end
// of the line. A line that is too long takes nobody more. A session that comes
// back and has ended meanwhile has no turn: it would spend a call in vain. Half of
// the reserve is what it had lost before it was first seen.
func (b *memoryBucket) place(r request, rate float64) (a answer, ended bool) {
	age := b.age(r)
	if r.position == 0 && age > r.horizon+sessionReserve/2 {
		return a, true
	}
	l := &b.lines[r.rank]
	if a.position = r.position; a.position == 0 {
		if k, ok := b.positions[r.holder()]; ok && !k.until.Before(b.at) {
			a.position = k.value
		}
	}
	given := a.position > 0
	if !given {
		a.position = max(l.clock, l.tail)
	}
	a.turn = b.turn(r.rank, a.position-l.clock, rate)
	if !given && a.turn > 0 {
		if r.session != "" && age == 0 {
			b.sessions[r.session] = kept{until: b.at.Add(r.horizon + graceOver)}
		}
		if a.turn > r.horizon-age {
			a.position, a.expired = 0, a.turn <= r.horizon
			return a, false
		}
	}
	if !given {
		l.tail = a.position + r.price
	}
	if r.position == 0 {
		b.positions[r.holder()] = kept{a.position, b.at.Add(a.turn + graceOver)}
	}
	return a, false
}

// age is how long ago a session that waits was first seen; zero for others.
func (b *memoryBucket) age(r request) time.Duration {
	if k, ok := b.sessions[r.session]; ok && !k.until.Before(b.at) {
		return r.horizon + graceOver - k.until.Sub(b.at)
	}
	return 0
}

func (b *memoryBucket) throttle(_ context.Context, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance()
	b.tokens = 0
	b.limit.throttle(b.at, b.at.Add(-took))
}

// seconds is a duration to wait, a millisecond at least where it is not zero:
// timers and floating point both round.
func seconds(s float64) time.Duration {
	if s <= 0 {
		return 0
	}
	return max(time.Millisecond, time.Duration(s*float64(time.Second)))
}
