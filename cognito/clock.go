package cognito

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// clockSamples is how many answers the offset is learned from. It is their
	// median, so that two wrong ones among five change nothing. Before there are as
	// many, the own clock decides where half of them say another thing.
	clockSamples = 5
	// clockPrecision is the least offset that is corrected. Date has whole
	// seconds (RFC 9110 §5.6.7), and half the round trip is a guess.
	clockPrecision = 2 * time.Second
	// clockMaxRoundTrip is the slowest answer that tells the time.
	clockMaxRoundTrip = 5 * time.Second
	// clockMaxOffset is the greatest offset that is corrected, and every one is
	// shown. Whoever moved a clock further would have the tokens of yesterday taken.
	clockMaxOffset = 24 * time.Hour
	// clockMaxStep is how far the service's clock may depart from the time that
	// passed before everything learned about it is forgotten.
	clockMaxStep = time.Second
)

// Clock tells Cognito's time. Codes (RFC 6238) and tokens must be held against the
// clock that made them: with the service's own clock 75 seconds ahead, a right
// code looks like that of a phone that is 75 seconds slow, and with it 75 seconds
// behind, a fresh token looks like one from the future.
//
// The offset is learned from the Date of Cognito's answers, which pass through
// Transport. It is safe for concurrent use.
type Clock struct {
	own     func() time.Time
	elapsed func(from, to time.Time) time.Duration // by the monotonic clock
	plain   bool

	mu      sync.Mutex
	at      time.Time       // when the newest sample was taken, by the own clock
	samples []time.Duration // Cognito's time minus the own, oldest first
}

// NewClock makes a clock that corrects own. Answers count that came over TLS; with
// plain, for a configured endpoint, those that came without count as well.
func NewClock(own func() time.Time, plain bool) *Clock {
	elapsed := func(from, to time.Time) time.Duration { return to.Sub(from) }
	return &Clock{own: own, elapsed: elapsed, plain: plain}
}

// Now is Cognito's time, as far as it is known: the service's own until the first
// answer. Offsets under two seconds and over a day are not corrected.
func (c *Clock) Now() time.Time {
	now := c.own()
	offset := c.offsetAt(now)
	if offset.Abs() < clockPrecision || offset.Abs() > clockMaxOffset {
		offset = 0
	}
	// Without the monotonic reading, which knows nothing of the correction.
	return now.Add(offset).Round(0)
}

// Offset is how far Cognito's clock is ahead of the service's own: negative where
// the service's is fast, and zero before the first answer. It is precise to about
// a second.
func (c *Clock) Offset() time.Duration { return c.offsetAt(c.own()) }

func (c *Clock) offsetAt(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetBeforeStep(now)
	if len(c.samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.samples))
	low, high := sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]
	if high.Abs() < low.Abs() {
		return high
	}
	return low
}

// forgetBeforeStep drops what was learned when the own clock was set since, by an
// operator or by NTP: it was learned about another clock. The time that really
// passed is that of the monotonic clock.
func (c *Clock) forgetBeforeStep(now time.Time) {
	shown := now.Round(0).Sub(c.at.Round(0))
	if passed := c.elapsed(c.at, now); (shown - passed).Abs() > clockMaxStep {
		c.samples = nil
	}
}

// Transport passes requests on to next, which must lead to Cognito alone, and
// learns from the answers.
func (c *Clock) Transport(next http.RoundTripper) http.RoundTripper {
	return clockTransport{clock: c, next: next}
}

type clockTransport struct {
	clock *Clock
	next  http.RoundTripper
}

func (t clockTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := t.clock.own()
	answer, err := t.next.RoundTrip(r)
	if err == nil {
		t.clock.learn(answer, sent, t.clock.own())
	}
	return answer, err
}

// learn takes a sample from an answer. One with Age comes from a cache and tells
// the time of long ago (RFC 9111 §5.1).
func (c *Clock) learn(answer *http.Response, sent, received time.Time) {
	date, err := http.ParseTime(answer.Header.Get("Date"))
	roundTrip := received.Sub(sent)
	if err != nil || answer.Header.Get("Age") != "" || answer.TLS == nil && !c.plain || roundTrip < 0 || roundTrip > clockMaxRoundTrip {
		return
	}
	// Date was cut to whole seconds: half a second is missing, on average.
	offset := date.Add(time.Second / 2).Sub(received.Add(-roundTrip / 2))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetBeforeStep(received)
	c.samples = append(c.samples, offset)
	if len(c.samples) > clockSamples {
		c.samples = slices.Delete(c.samples, 0, 1)
	}
	c.at = received
}
