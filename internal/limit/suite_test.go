package limit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/limit"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/redislink/redistest"
)

// rig is a limiter and a way to let time pass for it.
type rig struct {
	enroll.Limiter
	pass func(time.Duration)
}

// everywhere runs a test in memory and in a real Redis. Redis has its own clock,
// so there time passes for real. A slow machine lets more of it pass than a test
// asks for, so no test says what must not have happened yet, unless it has an hour.
func everywhere(t *testing.T, test func(t *testing.T, l rig)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
		test(t, rig{limit.NewMemory(func() time.Time { return now }), func(d time.Duration) { now = now.Add(d) }})
	})
	t.Run("Redis", func(t *testing.T) {
		t.Parallel()
		link, err := redislink.Open(redistest.Start(t).URL(""), redislink.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(link.Close)
		test(t, rig{limit.NewRedis(link.Subsystem(redislink.Limit), limit.NewMemory(time.Now)), time.Sleep})
	})
}

// slow refills so slowly that no test sees it.
var slow = enroll.Guard{Name: "slow", Burst: 3, Interval: time.Hour}

func want(g enroll.Guard, of string, n int) enroll.Want { return enroll.Want{Guard: g, Of: of, N: n} }

func take(l rig, t *testing.T, wants ...enroll.Want) enroll.Taken {
	t.Helper()
	return l.Take(t.Context(), enroll.Case{Wants: wants})
}

// left counts what a bucket holds by emptying it.
func left(l rig, t *testing.T, g enroll.Guard, of string) (n int) {
	t.Helper()
	for take(l, t, want(g, of, 1)).Wait == 0 {
		n++
	}
	return n
}

func TestABucketHoldsItsBurstAndRefuses(t *testing.T) {
	everywhere(t, func(t *testing.T, l rig) {
		if n := left(l, t, slow, "ada"); n != 3 {
			t.Errorf("%d tokens in a new bucket", n)
		}
		got := take(l, t, want(slow, "ada", 1))
		if got.Met != slow || got.Wait < 59*time.Minute || got.Wait > time.Hour {
			t.Errorf("refused by %+v", got)
		}
		if n := left(l, t, slow, "grace"); n != 3 {
			t.Errorf("%d tokens in another's bucket", n)
		}
	})
}

func TestABucketFillsAtItsInterval(t *testing.T) {
	quick := enroll.Guard{Name: "quick", Burst: 2, Interval: 300 * time.Millisecond}
	everywhere(t, func(t *testing.T, l rig) {
		take(l, t, want(quick, "ada", 2))
		l.pass(quick.Interval)
		if got := take(l, t, want(quick, "ada", 1)); got.Wait != 0 {
			t.Errorf("after an interval: %+v", got)
		}
		l.pass(10 * quick.Interval)
		if got := take(l, t, want(quick, "ada", 3)); got.Wait == 0 {
			t.Error("after a long time there was more than the burst")
		}
	})
}

func TestSeveralBucketsGiveAllOrNothing(t *testing.T) {
	other := enroll.Guard{Name: "other", Burst: 1, Interval: time.Hour}
	everywhere(t, func(t *testing.T, l rig) {
		if got := take(l, t, want(slow, "ada", 2), want(other, "ada", 1)); got.Wait != 0 {
			t.Fatalf("%+v", got)
		}
		if got := take(l, t, want(slow, "ada", 1), want(other, "ada", 1)); got.Met != other {
			t.Errorf("met %+v", got)
		}
		if n := left(l, t, slow, "ada"); n != 1 {
			t.Errorf("%d tokens: the refused demand took some", n)
		}
	})
}

// A bucket that becomes full by what is given back was left as it was by the
// limiter that this one replaced.
func TestWhatIsGivenBackIsThereAlsoWhenTheBucketIsFullThen(t *testing.T) {
	everywhere(t, func(t *testing.T, l rig) {
		for range 10 {
			take(l, t, want(slow, "ada", 1))
			l.Settle(t.Context(), []enroll.Want{want(slow, "ada", 1)}, nil)
		}
		l.Settle(t.Context(), []enroll.Want{want(slow, "ada", 50)}, nil)
		if n := left(l, t, slow, "ada"); n != 3 {
			t.Errorf("%d tokens", n)
		}
		l.Settle(t.Context(), []enroll.Want{want(slow, "ada", 2)}, nil)
		if n := left(l, t, slow, "ada"); n != 2 {
			t.Errorf("%d tokens after two were given back", n)
		}
	})
}

func TestWhatMustStayIsNotTaken(t *testing.T) {
	everywhere(t, func(t *testing.T, l rig) {
		low := enroll.Want{Guard: slow, Of: "all", N: 1, Keep: 2}
		if got := take(l, t, low); got.Wait != 0 {
			t.Fatalf("%+v", got)
		}
		if got := take(l, t, low); got.Wait == 0 {
			t.Error("what must stay was taken")
		}
		if n := left(l, t, slow, "all"); n != 2 {
			t.Errorf("%d tokens for others", n)
		}
	})
}

func TestTheFirstCaseWhoseMarkIsThereDecides(t *testing.T) {
	everywhere(t, func(t *testing.T, l rig) {
		cases := []enroll.Case{
			{When: "refused:1"},
			{When: "seen:1", Wants: []enroll.Want{{Guard: slow, OfMark: true, N: 1}}},
			{Try: true, Wants: []enroll.Want{want(slow, "new", 3)}, Sets: []enroll.Mark{{Name: "asked", TTL: time.Hour}}},
			{Wants: []enroll.Want{want(slow, "rest", 1)}},
		}
		decides := func(what string, number int, value string) {
			t.Helper()
			if got := l.Take(t.Context(), cases...); got.Case != number || got.Value != value || got.Wait != 0 {
				t.Errorf("%s: %+v", what, got)
			}
		}
		decides("no mark", 2, "")
		decides("no tokens in a case that is tried", 3, "")
		if got := l.Take(t.Context(), enroll.Case{When: "asked"}, enroll.Case{}); got.Case != 0 {
			t.Error("what a case sets is not set")
		}
		l.Settle(t.Context(), nil, []enroll.Mark{{Name: "seen:1", Value: "ada", TTL: time.Hour}})
		decides("seen", 1, "ada")
		if n := left(l, t, slow, "ada"); n != 2 {
			t.Errorf("%d tokens in the bucket that the mark names", n)
		}
		l.Settle(t.Context(), nil, []enroll.Mark{{Name: "refused:1", TTL: time.Hour}})
		decides("refused", 0, "")
	})
}

func TestAMarkEndsAndIsSetAnew(t *testing.T) {
	everywhere(t, func(t *testing.T, l rig) {
		marked := func() bool {
			return l.Take(t.Context(), enroll.Case{When: "known"}, enroll.Case{}).Case == 0
		}
		set := func(ttl time.Duration) { l.Settle(t.Context(), nil, []enroll.Mark{{Name: "known", TTL: ttl}}) }
		set(500 * time.Millisecond)
		set(time.Hour)
		l.pass(600 * time.Millisecond)
		if !marked() {
			t.Error("a mark that was set anew ended with its first end")
		}
		set(100 * time.Millisecond)
		l.pass(200 * time.Millisecond)
		if marked() {
			t.Error("a mark does not end")
		}
	})
}

func TestSimultaneousCallersTakeNoMoreThanThereIs(t *testing.T) {
	everywhere(t, func(t *testing.T, l rig) {
		all := enroll.Guard{Name: "all", Burst: 20, Interval: time.Hour}
		var took atomic.Int32
		var everybody sync.WaitGroup
		for i := range 100 {
			everybody.Go(func() {
				if take(l, t, want(all, "", 1), want(slow, fmt.Sprint(i), 1)).Wait == 0 {
					took.Add(1)
				}
			})
		}
		everybody.Wait()
		if n := took.Load(); n != 20 {
			t.Errorf("%d took one of 20", n)
		}
	})
}
