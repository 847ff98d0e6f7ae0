package quota

import (
	"math"
	"testing"
	"time"
)

func TestWhatFollowsAStartIsLearned(t *testing.T) {
	for name, c := range map[string]struct {
		finish float64 // share of the people
		calls  float64 // of each who finishes
		want   float64
	}{
		"all finish without a mistake": {1, 2, 2},
		"half finish":                  {.5, 2, 1},
		"nobody finishes":              {0, 0, 0},
		"two wrong codes each":         {1, 4, 3}, // Bounded: the calls that are expected must stay believable.
	} {
		t.Run(name, func(t *testing.T) {
			h, now := newHabits(2), time.Unix(1_800_000_000, 0)
			for n := range 2000 {
				h.started(now)
				if n >= 30 && math.Mod(float64(n), 1/max(c.finish, .001)) == 0 {
					for range int(c.calls) {
						h.followed(now, 30*time.Second)
					}
				}
				now = now.Add(time.Second)
			}
			if got := h.toFollow(now); math.Abs(got-c.want) > .1 {
				t.Errorf("%.2f calls are expected, want %v", got, c.want)
			}
			if c.finish > 0 && (h.age < 29*time.Second || h.age > 30*time.Second) {
				t.Errorf("the usual age is %v", h.age)
			}
			if n := len(h.recent); n > 100 {
				t.Errorf("%d seconds are remembered", n)
			}
		})
	}
}

func TestStartsOfAMomentAgoAreNotJudged(t *testing.T) {
	h, now := newHabits(2), time.Unix(1_800_000_000, 0)
	for range 40 {
		for range 8 {
			h.started(now)
		}
		now = now.Add(time.Second)
	}
	if got := h.toFollow(now); got != 2 {
		t.Errorf("%.2f calls are expected after 40 s in which nobody can have finished", got)
	}
	now = now.Add(time.Minute)
	if got := h.toFollow(now); got > .3 {
		t.Errorf("%.2f calls are expected after a minute in which nobody did", got)
	}
}

func TestThePaceGoesDownAtOnceAndUpAgainWithinTenSeconds(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := pace{limit: 25}
	at := func(after time.Duration) float64 { return p.at(now.Add(after)) }
	if at(0) != 25 {
		t.Fatalf("%v before any refusal", at(0))
	}
	p.refused(now, now)
	for _, c := range []struct {
		after       time.Duration
		least, most float64
	}{{0, 17.4, 17.6}, {time.Second, 21, 22}, {2 * time.Second, 24, 24.9}, {4 * time.Second, 25, 25}, {time.Hour, 25, 25}} {
		if got := at(c.after); got < c.least || got > c.most {
			t.Errorf("%v after a refusal: %.1f, want %v to %v", c.after, got, c.least, c.most)
		}
	}

	// Others take half: 13 a second pass between two refusals, and that is known.
	p.passed = 53
	p.refused(now.Add(4*time.Second), now.Add(4*time.Second))
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
	p := pace{limit: 25}
	p.refused(now, now.Add(-time.Second))
	before := p
	p.refused(now.Add(50*time.Millisecond), now.Add(-time.Millisecond))
	if p != before {
		t.Errorf("%+v became %+v", before, p)
	}
}

func TestHoweverOftenCognitoRefusesOneCallASecondIsTried(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := pace{limit: 25}
	for range 100 {
		p.refused(now, now)
		now = now.Add(time.Millisecond)
	}
	if got := p.at(now); got != slowest {
		t.Errorf("%v", got)
	}
	if got := p.at(now.Add(time.Minute)); got != 25 {
		t.Errorf("%v a minute later", got)
	}
}
