package quota

import (
	"testing"
	"time"
)

func TestTheRateGoesDownAtOnceAndUpAgainWithinTenSeconds(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	r := rate{limit: 25}
	at := func(after time.Duration) float64 { return r.at(now.Add(after)) }
	if at(0) != 25 {
		t.Fatalf("%v before any refusal", at(0))
	}
	r.throttle(now, now)
	for _, c := range []struct {
		after       time.Duration
		least, most float64
	}{{0, 17.4, 17.6}, {time.Second, 21, 22}, {2 * time.Second, 24, 24.9}, {4 * time.Second, 25, 25}, {time.Hour, 25, 25}} {
		if got := at(c.after); got < c.least || got > c.most {
			t.Errorf("%v after a refusal: %.1f, want %v to %v", c.after, got, c.least, c.most)
		}
	}

	// Others take half: 13 a second pass between two refusals, and that is known.
	r.admitted = 53
	r.throttle(now.Add(4*time.Second), now.Add(4*time.Second))
	now = now.Add(4 * time.Second)
	for _, c := range []struct {
		after       time.Duration
		least, most float64
	}{{0, 9, 9.2}, {4 * time.Second, 13, 13}, {6 * time.Second, 13.3, 13.6}, {8 * time.Second, 16, 17}, {10 * time.Second, 24.9, 25}} {
		if got := at(c.after); got < c.least || got > c.most {
			t.Errorf("%v after the second: %.1f, want %v to %v", c.after, got, c.least, c.most)
		}
	}
}

func TestARefusalOfACallFromBeforeTheLastCutSaysNothingNew(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	r := rate{limit: 25}
	r.throttle(now, now.Add(-time.Second))
	before := r
	r.throttle(now.Add(50*time.Millisecond), now.Add(-time.Millisecond))
	if r != before {
		t.Errorf("%+v became %+v", before, r)
	}
}

func TestHoweverOftenCognitoRefusesOneCallASecondIsTried(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	r := rate{limit: 25}
	for range 100 {
		r.throttle(now, now)
		now = now.Add(time.Millisecond)
	}
	if got := r.at(now); got != lowestRate {
		t.Errorf("%v", got)
	}
	if got := r.at(now.Add(time.Minute)); got != 25 {
		t.Errorf("%v a minute later", got)
	}
}
