package quota

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// burstOver is how much of the rate may be used at once after a pause. It
	// is short, since nobody outside knows over what time Cognito counts.
	burstOver = 200 * time.Millisecond
	// aheadOver is how much of the rate starts may use at once after a pause.
	// It is no longer than the times differ at which those people come back, so
	// that the burst has spread out until it does.
	aheadOver = 10 * time.Second
	// overdrive is how much more starts may take than fits. What they take too
	// much is never there, as they come last; what they took too little would
	// be lost.
	overdrive = 1.1
	// graceOver is how long a place in the line is kept for somebody whose turn
	// it was and who has not come.
	graceOver = time.Minute
)

// quota is what is left of the account's calls: account in the memory of one
// process, sharedAccount in Redis for all replicas. Both pass the same tests.
type quota interface {
	// take makes a claim, and pays credit in before.
	take(ctx context.Context, c claim, credit float64) verdict
	// leave gives a place in the line back.
	leave(ctx context.Context, person string)
	// refused tells of a call that Cognito refused so long after it was made.
	refused(ctx context.Context, took time.Duration)
	// rate is how many calls a second may be made now.
	rate() float64
}

// claim is what a call wants of the quota.
type claim struct {
	start bool // it begins an enrollment; others finish one

	// The rest is of starts alone.
	person string        // who starts, hashed
	cost   float64       // the calls of the whole enrollment; 0 when that was paid before
	ahead  time.Duration // how far ahead a place in the line may be
	aging  string        // a session that is good for so long only from when it was first seen, hashed; empty: none
	look   bool          // only take a place and ask when its turn comes
	queued int           // how many starts wait here for their turn
}

// tokens is how many tokens must be there.
func (c claim) tokens() float64 {
	if c.start {
		return 2
	}
	return 1
}

// verdict is the answer to a claim.
type verdict struct {
	granted bool
	// wait is how long it takes until it is worth asking again, and for a start
	// that only looks, until its turn.
	wait  time.Duration
	place int64 // in the line, the lower the earlier
	stale bool  // there would be a place, but what it comes with is too old to wait for it
}

// account is a quota in memory. It holds two things that grow at the rate.
//
// tokens are the calls that may be made now. A call that finishes an enrollment
// needs one. One that starts another leaves one behind, so that whoever is
// finishing at another replica finds it.
//
// room is what new enrollments may use. A start pays for its whole enrollment from
// it, so that starts come no faster than enrollments fit as a whole. The calls
// that finish it pay nothing more.
//
// While there is not enough of both the starts stand in a line: some wait here,
// others were told when to come back. Who is here goes in the order of the line
// and does not wait for those who are not.
type account struct {
	mu     sync.Mutex
	pace   pace
	at     time.Time
	tokens float64
	room   float64
	line   []*waiting // in the order of the places
	people map[string]*waiting
	last   int64 // place
	// seen is when sessions came first, and sightings the same in the order of
	// time.
	seen      map[string]time.Time
	sightings []sighting
}

// waiting is somebody in the line.
type waiting struct {
	person string
	place  int64
	until  time.Time // when the place is forgotten
}

// sighting is a session that was seen.
type sighting struct {
	session string
	until   time.Time // when that is forgotten
}

func newAccount(limit float64) *account {
	return &account{
		pace: pace{limit: limit}, at: time.Now(), people: map[string]*waiting{}, seen: map[string]time.Time{},
		tokens: burst(limit), room: limit * aheadOver.Seconds(),
	}
}

// burst is how many tokens an account holds. It takes two for starts to move
// at all.
func burst(rate float64) float64 { return max(2, rate*burstOver.Seconds()) }

func (a *account) rate() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pace.at(time.Now())
}

func (a *account) take(_ context.Context, c claim, credit float64) verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	rate := a.advance(credit)
	var v verdict
	if c.cost > 0 {
		var before int
		before, v.stale = a.stand(c, rate)
		v.place = a.last + 1
		if w := a.people[c.person]; w != nil {
			v.place = w.place
		}
		if c.look {
			// Calls that nobody waits for go to whoever is here.
			if idle := c.queued == 0 && a.room >= c.cost && a.tokens >= max(2, burst(rate)/2); !idle {
				v.wait = seconds(float64(before) * c.cost / rate)
			}
			return v
		}
	}
	v.wait = seconds(max((c.cost-a.room)/(rate*overdrive), (c.tokens()-a.tokens)/rate))
	if v.wait > 0 {
		return v
	}
	a.tokens--
	a.room -= c.cost
	a.pace.passed++
	if c.cost > 0 {
		a.remove(c.person)
	}
	v.granted = true
	return v
}

// advance brings the account up to now and returns the rate.
func (a *account) advance(credit float64) float64 {
	now := time.Now()
	rate := a.pace.at(now)
	grown := rate * now.Sub(a.at).Seconds()
	a.at = now
	a.tokens = min(a.tokens+grown, burst(rate))
	a.room = min(a.room+grown*overdrive+credit, rate*aheadOver.Seconds())
	return rate
}

// stand gives a person a place at the end of the line, or finds the one that is
// kept, and keeps it until a while after the turn. It returns how many are
// before. A line that is too long already takes nobody more.
func (a *account) stand(c claim, rate float64) (before int, stale bool) {
	a.line = slices.DeleteFunc(a.line, func(w *waiting) bool {
		late := w.until.Before(a.at)
		if late {
			delete(a.people, w.person)
		}
		return late
	})
	w, before := a.people[c.person], len(a.line)
	if w != nil {
		before = a.index(w)
	}
	turn := seconds(float64(before) * c.cost / rate)
	if w == nil {
		if turn > c.ahead-a.age(c) {
			return before, turn <= c.ahead
		}
		a.last++
		w = &waiting{person: c.person, place: a.last}
		a.line, a.people[c.person] = append(a.line, w), w
	}
	w.until = a.at.Add(turn + graceOver)
	return before, false
}

// age is how long ago a session came first, and zero for who comes without.
func (a *account) age(c claim) time.Duration {
	for len(a.sightings) > 0 && a.sightings[0].until.Before(a.at) {
		delete(a.seen, a.sightings[0].session)
		a.sightings = a.sightings[1:]
	}
	if c.aging == "" {
		return 0
	}
	first, known := a.seen[c.aging]
	if !known {
		first = a.at
		a.seen[c.aging] = first
		a.sightings = append(a.sightings, sighting{c.aging, first.Add(c.ahead + graceOver)})
	}
	return a.at.Sub(first)
}

// index is how many are before one in the line.
func (a *account) index(w *waiting) int {
	at, _ := slices.BinarySearchFunc(a.line, w.place, func(w *waiting, place int64) int { return cmp.Compare(w.place, place) })
	return at
}

func (a *account) remove(person string) {
	if w := a.people[person]; w != nil {
		at := a.index(w)
		a.line = slices.Delete(a.line, at, at+1)
		delete(a.people, person)
	}
}

func (a *account) leave(_ context.Context, person string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remove(person)
}

func (a *account) refused(_ context.Context, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance(0)
	a.tokens = 0
	a.pace.refused(a.at, a.at.Add(-took))
}

// seconds is a duration to wait, a millisecond at least where it is not zero:
// timers and floating point both round.
func seconds(s float64) time.Duration {
	if s <= 0 {
		return 0
	}
	return max(time.Millisecond, time.Duration(s*float64(time.Second)))
}
