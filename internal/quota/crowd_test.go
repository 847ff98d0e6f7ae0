package quota

import (
	"testing"
	"testing/synctest"
	"time"

	"mfa-enrollment/internal/quota/crowd"
	"mfa-enrollment/test/long"
)

func TestFourTimesAsManyPeopleAsTheQuotaCarriesAreCarriedAtItsRate(t *testing.T) {
	with := func(change func(*crowd.Behavior)) crowd.Behavior {
		b := usual(45 * time.Second)
		change(&b)
		return b
	}
	people, rush := usual(45*time.Second), usual(90*time.Second)
	for name, c := range map[string]struct {
		simulation
		perPerson float64 // calls
		use       float64 // share of the quota, once the first have come back
		always    bool    // not with LONG=1 alone
	}{
		"by token":                  {simulation{people: 1500, Behavior: people}, 3, .95, true},
		"by session":                {simulation{people: 2250, Behavior: people, bySession: true}, 2, .95, false},
		"by session, all strangers": {simulation{people: 2250, Behavior: people, bySession: true, strangers: 1}, 2, .95, false},
		// A line longer than a session lives: people sign in again.
		"by session, twice as many":          {simulation{people: 4500, Behavior: rush, bySession: true}, 2, .95, true},
		"by session, half of them strangers": {simulation{people: 4500, Behavior: rush, bySession: true, strangers: .5}, 2, .95, true},
		"by session, nearly all of them":     {simulation{people: 4500, Behavior: rush, bySession: true, strangers: .95}, 2, .95, false},
		"two replicas":                       {simulation{people: 1500, Behavior: people, replicas: 2, roundTrip: 5 * time.Millisecond}, 3, .95, true},
		"by session, two replicas":           {simulation{people: 2250, Behavior: people, bySession: true, replicas: 2, roundTrip: 5 * time.Millisecond}, 2, .95, false},
		"two, and a slow Redis":              {simulation{people: 1500, Behavior: people, replicas: 2, roundTrip: 50 * time.Millisecond}, 3, .95, false},
		"a fifth of the codes wrong":         {simulation{people: 1500, Behavior: with(func(b *crowd.Behavior) { b.Mistype = .2 })}, 3.2, .95, false},
		"slow people":                        {simulation{people: 2000, Behavior: with(func(b *crowd.Behavior) { b.Scan = time.Minute })}, 3, .95, false},
		// The line moves faster than those were told who wait for their turn.
		"half of them never return": {simulation{people: 3000, Behavior: with(func(b *crowd.Behavior) { b.Abandon, b.Over = .5, 90*time.Second })}, 2, .75, true},
		"a quota of 60":             {simulation{people: 3600, Behavior: people, quota: 60}, 3, .95, false},
		"a quota of 4":              {simulation{people: 240, Behavior: people, quota: 4}, 3, .93, false},
	} {
		if !c.always && !long.Asked() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := c.simulation
				if r.quota == 0 {
					r.quota = 25
				}
				h := r.play()
				starts, finished, returns := h.starts(), h.finished(), h.returns()
				// From when the first have come back until the last can start.
				warm, end := 100*time.Second, starts[len(starts)-1]-10*time.Second
				ten := func(n int) float64 {
					from := time.Duration(n) * 10 * time.Second
					return each(h.calls, from, from+10*time.Second) / r.quota
				}
				t.Logf("%d finished, %.2f a second of %.2f; %.0f %%, %.0f %%, %.0f %% of the quota in ten seconds each; %d lost; %d calls, %d refused; waits of codes p50 %v p99 %v max %v; came back p50 %d p95 %d max %d",
					len(finished), each(finished, warm, end), r.quota/c.perPerson, 100*ten(0), 100*ten(1), 100*ten(2), h.lost(), len(h.calls), len(h.refusals),
					quantile(h.codes, .5), quantile(h.codes, .99), quantile(h.codes, 1), quantile(returns, .5), quantile(returns, .95), quantile(returns, 1))
				if ten(0) < .95 || ten(1) < .95 {
					t.Errorf("%.2f and %.2f of the quota were used in the first and the next ten seconds", ten(0), ten(1))
				}
				if used := each(h.calls, warm, end) / r.quota; used < c.use || used > 1.01 {
					t.Errorf("%.3f of the quota was used", used)
				}
				if h.lost() > 0 {
					t.Errorf("%d who had started were lost", h.lost())
				}
				if len(h.refusals) > 0 {
					t.Errorf("%d calls were refused", len(h.refusals))
				}
				if share := float64(h.ended) / float64(len(h.calls)); share > .01 {
					t.Errorf("%d calls were made with sessions that had ended", h.ended)
				}
				longest := 2 * time.Second * 25 / time.Duration(r.quota)
				if r.roundTrip > 20*time.Millisecond {
					longest = 5 * time.Second
				}
				if wait := quantile(h.codes, 1); wait > longest {
					t.Errorf("somebody with a code waited %v", wait)
				}
				minutes := int(float64(r.people) * c.perPerson / r.quota / 60) // that the quota needs for all
				if median, most := quantile(returns, .5), quantile(returns, .95); median > minutes || most > minutes+2 {
					t.Errorf("half came back %d times, one in twenty %d times", median, most)
				}
			})
		})
	}
}

func TestPeopleWhoNeverReturnHoldNoQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := usual(60 * time.Second)
		b.Abandon = 1
		h := simulation{people: 1800, Behavior: b}.play()
		if used := each(h.starts(), 0, 60*time.Second); used < .95*25 {
			t.Errorf("%.1f starts a second of 25", used)
		}
	})
}

func TestPeopleWhoReturnAllAtOnceAreServedAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := usual(30 * time.Second)
		b.Spread = 0
		h := simulation{people: 1000, Behavior: b}.play()
		t.Logf("waits of codes p50 %v p95 %v max %v", quantile(h.codes, .5), quantile(h.codes, .95), quantile(h.codes, 1))
		if n := len(h.finished()); h.lost() > 0 || n != 1000 {
			t.Errorf("%d finished, %d lost", n, h.lost())
		}
	})
}

func TestWithHalfTheQuotaUsedByOthersTheRestIsFoundAndUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		others := func(time.Duration) float64 { return 12 }
		h := simulation{people: 1500, Behavior: usual(90 * time.Second), others: others}.play()
		starts := h.starts()
		end := starts[len(starts)-1] - 10*time.Second
		share := float64(len(h.refusals)) / float64(len(h.calls)+len(h.refusals))
		t.Logf("%.1f calls a second of 13 in the first ten seconds, %.1f after; %d refused of %d, %.1f %%; %d lost",
			each(h.calls, 0, 10*time.Second), each(h.calls, 10*time.Second, end), len(h.refusals), len(h.calls), 100*share, h.lost())
		if used := each(h.calls, 10*time.Second, end); used < .9*13 {
			t.Errorf("%.1f calls a second of 13", used)
		}
		if share > .02 {
			t.Errorf("%.3f of the calls were refused", share)
		}
		if h.lost() > 0 {
			t.Errorf("%d who had started were lost", h.lost())
		}
	})
}

func TestWhenOthersComeAndGoTheRateFollowsWithinTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		others := func(at time.Duration) float64 {
			if at > 100*time.Second && at < 200*time.Second {
				return 12
			}
			return 0
		}
		h := simulation{people: 4000, Behavior: usual(300 * time.Second), others: others}.play()
		for _, span := range []struct{ from, to, want float64 }{{30, 100, 25}, {110, 200, 13}, {210, 300, 25}} {
			got := each(h.calls, time.Duration(span.from)*time.Second, time.Duration(span.to)*time.Second)
			t.Logf("%v s to %v s: %.1f calls a second of %v", span.from, span.to, got, span.want)
			if got < .9*span.want {
				t.Errorf("%v s to %v s: %.1f calls a second, want %v", span.from, span.to, got, span.want)
			}
		}
		if h.lost() > 0 {
			t.Errorf("%d who had started were lost", h.lost())
		}
	})
}
