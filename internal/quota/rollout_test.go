package quota

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

func TestFourTimesAsManyPeopleAsTheQuotaCarriesAreCarriedAtItsPace(t *testing.T) {
	for name, c := range map[string]struct {
		rollout
		perPerson float64 // calls
		use       float64 // share of the quota
	}{
		"by token":                   {rollout{people: 1500}, 3, .95},
		"by session":                 {rollout{people: 2250, session: true}, 2, .95},
		"a fifth of the codes wrong": {rollout{people: 1500, mistype: .2}, 3.2, .95},
		"slow people":                {rollout{people: 2000, scan: about(time.Minute)}, 3, .95},
		// What was told before it was known that few return comes true late.
		"half of them never return": {rollout{people: 3000, over: 90 * time.Second, abandon: .5}, 2, .85},
		"a quota of 60":             {rollout{people: 3600, quota: 60}, 3, .95},
		"a quota of 4":              {rollout{people: 240, quota: 4}, 3, .95},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := c.rollout
				if r.over == 0 {
					r.over = 45 * time.Second
				}
				if r.scan == nil {
					r.scan = about(20 * time.Second)
				}
				if r.quota == 0 {
					r.quota = 25
				}
				h := r.play()
				// From when the first have come back until the last can start.
				warm, end := 100*time.Second, h.starts[len(h.starts)-1]-10*time.Second
				t.Logf("%d finished, %.2f a second of %.2f; %d lost; %d calls, %d refused; waits of who finishes p50 %v p99 %v max %v; came back p50 %d p95 %d max %d",
					len(h.finished), each(h.finished, warm, end), r.quota/c.perPerson, h.lost, len(h.calls), len(h.refusals),
					quantile(h.finishWaits, .5), quantile(h.finishWaits, .99), quantile(h.finishWaits, 1), quantile(h.returns, .5), quantile(h.returns, .95), quantile(h.returns, 1))
				if used := each(h.calls, warm, end) / r.quota; used < c.use || used > 1.01 {
					t.Errorf("%.3f of the quota was used", used)
				}
				if h.lost > 0 {
					t.Errorf("%d who had started were lost", h.lost)
				}
				if len(h.refusals) > 0 {
					t.Errorf("%d calls were refused", len(h.refusals))
				}
				if wait := quantile(h.finishWaits, 1); wait > 2*time.Second*25/time.Duration(r.quota) {
					t.Errorf("somebody with a code waited %v", wait)
				}
				if median, most := quantile(h.returns, .5), quantile(h.returns, .95); median > 3 || most > 5 {
					t.Errorf("half came back %d times, one in twenty %d times", median, most)
				}
			})
		})
	}
}

func TestPeopleWhoNeverReturnHoldRoomForAMinuteAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := rollout{people: 4500, over: 150 * time.Second, abandon: 1, scan: about(20 * time.Second)}.play()
		early, late := each(h.starts, 20*time.Second, 60*time.Second), each(h.starts, 90*time.Second, 140*time.Second)
		if early > 25./3*1.15 {
			t.Errorf("%.1f starts a second, while nobody can know that none of them returns", early)
		}
		if late < 20 {
			t.Errorf("%.1f starts a second of 25, when it is known", late)
		}
	})
}

func TestPeopleWhoReturnAllAtOnceAreServedAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exactly := func(*rand.Rand) time.Duration { return 20 * time.Second }
		h := rollout{people: 1000, over: 30 * time.Second, scan: exactly}.play()
		if h.lost > 0 || len(h.finished) != 1000 {
			t.Errorf("%d finished, %d lost", len(h.finished), h.lost)
		}
	})
}

func TestWithHalfTheQuotaUsedByOthersTheRestIsFoundAndUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		others := func(time.Duration) float64 { return 12 }
		h := rollout{people: 1500, over: 90 * time.Second, others: others, scan: about(20 * time.Second)}.play()
		end := h.starts[len(h.starts)-1] - 10*time.Second
		share := float64(len(h.refusals)) / float64(len(h.calls)+len(h.refusals))
		t.Logf("%.1f calls a second of 13 in the first ten seconds, %.1f after; %d refused of %d, %.1f %%; %d lost",
			each(h.calls, 0, 10*time.Second), each(h.calls, 10*time.Second, end), len(h.refusals), len(h.calls), 100*share, h.lost)
		if used := each(h.calls, 10*time.Second, end); used < .9*13 {
			t.Errorf("%.1f calls a second of 13", used)
		}
		if share > .02 {
			t.Errorf("%.3f of the calls were refused", share)
		}
		if h.lost > 0 {
			t.Errorf("%d who had started were lost", h.lost)
		}
	})
}

func TestWhenOthersComeAndGoTheRateFollowsWithinTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		others := func(at time.Duration) float64 {
			if at > 100*time.Second && at < 200*time.Second {
				return 12
			}
			return 0
		}
		h := rollout{people: 4000, over: 300 * time.Second, others: others, scan: about(20 * time.Second)}.play()
		for _, span := range []struct{ from, to, want float64 }{{30, 100, 25}, {110, 200, 13}, {210, 300, 25}} {
			got := each(h.calls, time.Duration(span.from)*time.Second, time.Duration(span.to)*time.Second)
			t.Logf("%v s to %v s: %.1f calls a second of %v", span.from, span.to, got, span.want)
			if got < .9*span.want {
				t.Errorf("%v s to %v s: %.1f calls a second, want %v", span.from, span.to, got, span.want)
			}
		}
		if h.lost > 0 {
			t.Errorf("%d who had started were lost", h.lost)
		}
	})
}
