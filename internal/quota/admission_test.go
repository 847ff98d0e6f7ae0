package quota

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/metrics"
)

// admitting is an Admission in a bubble, and what was called through it.
type admitting struct {
	*Admission
	registry *prometheus.Registry
	mu       sync.Mutex
	called   []string
	all      sync.WaitGroup
}

func newAdmitting(o Options) *admitting {
	registry := prometheus.NewRegistry()
	o.Metrics = metrics.New(registry, metrics.BuildInfo{})
	return &admitting{Admission: New(o), registry: registry}
}

// make makes a call that Cognito answers at once, and notes it.
func (p *admitting) make(ctx context.Context, c Call) *enroll.Error {
	return p.Do(ctx, c, func(context.Context) *enroll.Error {
		p.note(func() { p.called = append(p.called, c.Operation) })
		return nil
	})
}

func (p *admitting) note(what func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	what()
}

// later makes a call in a goroutine of its own, and returns when it waits.
func (p *admitting) later(ctx context.Context, c Call) {
	p.all.Go(func() { _ = p.make(ctx, c) })
	synctest.Wait()
}

// exhaust uses up the calls that may be made at once.
func (p *admitting) exhaust(t *testing.T) {
	t.Helper()
	for range int(burst(p.o.RPS)) {
		if err := p.make(t.Context(), Call{Operation: Verify}); err != nil {
			t.Fatal(err)
		}
	}
	p.called = nil
}

func starter(i int) Call { return Call{Operation: Associate, Person: fmt.Sprint(i)} }

func TestWhoIsFinishingComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 25})
		p.exhaust(t)
		for i := range 3 {
			p.later(t.Context(), starter(i))
		}
		p.later(t.Context(), Call{Operation: SetPreference})
		p.later(t.Context(), Call{Operation: Verify})
		p.later(t.Context(), Call{Operation: Verify})
		p.all.Wait()
		want := []string{SetPreference, Verify, Verify, Associate, Associate, Associate}
		if !slices.Equal(p.called, want) {
			t.Errorf("called %v, want %v", p.called, want)
		}
	})
}

func TestNoMoreCallsAreMadeThanTheQuotaHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 25})
		begin := time.Now()
		for range 105 {
			p.all.Go(func() { _ = p.make(t.Context(), Call{Operation: Verify}) })
		}
		p.all.Wait()
		if took := time.Since(begin); len(p.called) != 105 || took < 4*time.Second || took > 4200*time.Millisecond {
			t.Errorf("%d calls in %v, want 105 in the 4 s that 100 take and 5 that are made at once", len(p.called), took)
		}
	})
}

func TestACodeThatCannotBeSentInTimeIsToldWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 1, FinishPatience: 10*time.Second + 500*time.Millisecond})
		var told []time.Duration
		for range 20 {
			p.all.Go(func() {
				if err := p.make(t.Context(), Call{Operation: Verify}); err != nil {
					p.note(func() { told = append(told, err.RetryAfter) })
					if err.Kind != enroll.Busy {
						t.Errorf("%v, want busy", err)
					}
				}
			})
		}
		p.all.Wait()
		if len(p.called) != 12 || len(told) != 8 {
			t.Fatalf("%d calls were made and %d were not; 2 at once and one a second for 10 s make 12", len(p.called), len(told))
		}
		if slowest := slices.Max(told); slowest > 8*time.Second || slices.Min(told) < time.Second {
			t.Errorf("told %v", told)
		}
	})
}

func TestQueuesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 1, MaxQueue: 3})
		p.exhaust(t)
		for range 3 {
			p.later(t.Context(), Call{Operation: Verify})
		}
		begin := time.Now()
		err := p.make(t.Context(), Call{Operation: Verify})
		if err == nil || err.Kind != enroll.Busy || err.RetryAfter != 3*time.Second || time.Since(begin) != 0 {
			t.Errorf("the fourth: %v, to come back in %v; want busy at once, in 3 s", err, err.RetryAfter)
		}
		if got := p.metric(t, "cognito_quota_queue"); got != 3 {
			t.Errorf("cognito_quota_queue: %v", got)
		}
		p.all.Wait()
		if got := p.metric(t, "cognito_quota_queue"); got != 0 {
			t.Errorf("cognito_quota_queue at the end: %v", got)
		}
	})
}

func TestWhoGoesAwayMakesRoomInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 1, MaxQueue: 1})
		p.exhaust(t)
		gone, leave := context.WithCancel(t.Context())
		p.later(gone, Call{Operation: Verify})
		leave()
		synctest.Wait()
		if err := p.make(t.Context(), Call{Operation: Verify}); err != nil || len(p.called) != 1 {
			t.Errorf("the next in the queue of one: %v, %d calls", err, len(p.called))
		}

		start, abandoned := starter(1), make(chan struct{})
		start.Abandoned = abandoned
		p.later(t.Context(), start)
		close(abandoned)
		p.all.Wait()
		if err := p.make(t.Context(), starter(2)); err != nil || len(p.called) != 2 {
			t.Errorf("the start after one that was abandoned: %v, %d calls", err, len(p.called))
		}
	})
}

func TestAStartThatWaitedInVainKeepsItsPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 2})
		// Codes come all the time and leave nothing for starts.
		stop, cancel := context.WithCancel(t.Context())
		for range 20 {
			p.all.Go(func() {
				for stop.Err() == nil {
					_ = p.make(stop, Call{Operation: Verify})
				}
			})
		}
		time.Sleep(time.Second)
		first := p.make(t.Context(), starter(1))
		if first == nil || first.Kind != enroll.Busy {
			t.Fatalf("%v, want busy", first)
		}
		cancel()
		p.all.Wait()
		p.exhaust(t)
		var order []string
		for _, person := range []int{2, 1} {
			p.all.Go(func() {
				if err := p.make(t.Context(), starter(person)); err == nil {
					p.note(func() { order = append(order, starter(person).Person) })
				}
			})
			synctest.Wait()
		}
		p.all.Wait()
		if !slices.Equal(order, []string{"1", "2"}) {
			t.Errorf("%v started, want 1 before 2", order)
		}
	})
}

func TestARefusedCallIsMadeAgainWhenItsTurnComesAgain(t *testing.T) {
	for _, c := range []Call{starter(1), {Operation: Verify}, {Operation: Verify, BySession: true}, {Operation: SetPreference}} {
		t.Run(c.Operation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newAdmitting(Options{RPS: 25})
				var at []time.Duration
				begin := time.Now()
				err := p.Do(t.Context(), c, func(context.Context) *enroll.Error {
					if at = append(at, time.Since(begin)); len(at) < 3 {
						return &enroll.Error{Kind: enroll.TooManyRequests, OfAccount: true}
					}
					return nil
				})
				if err != nil || len(at) != 3 {
					t.Fatalf("%v after %d calls", err, len(at))
				}
				// Nothing is left after a refusal, and 17.5 a second are allowed.
				if at[1]-at[0] < time.Second/25 || at[2]-at[1] < time.Second/18 {
					t.Errorf("called at %v", at)
				}
				if got := p.metric(t, "cognito_quota_refused_total"); got != 2 {
					t.Errorf("%v refusals counted", got)
				}
			})
		})
	}
}

func TestARefusalOfThePersonIsNotOneOfTheQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 25})
		for _, reason := range []string{"LimitExceededException", "TooManyFailedAttemptsException", "NotAuthorizedException"} {
			calls := 0
			err := p.Do(t.Context(), Call{Operation: Verify}, func(context.Context) *enroll.Error {
				calls++
				return enroll.Fail(enroll.TooManyRequests, reason)
			})
			if err == nil || calls != 1 || p.bucket.rate() != 25 {
				t.Errorf("%s: %v after %d calls, the rate is %v", reason, err, calls, p.bucket.rate())
			}
		}
	})
}

func TestEverybodyIsToldATimeOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 25})
		seconds := map[time.Duration]int{}
		told := time.Duration(0)
		for i := range 1000 {
			p.later(t.Context(), starter(i))
		}
		for i := range 1000 {
			if err := p.make(t.Context(), starter(1000+i)); err != nil {
				if err.RetryAfter < told {
					t.Fatalf("number %d is told %v, the one before %v", i, err.RetryAfter, told)
				}
				told = err.RetryAfter
				seconds[told.Truncate(time.Second)]++
			}
		}
		p.all.Wait()
		for second, people := range seconds {
			if people > 12 {
				t.Errorf("%d people are told to come in second %v, where eight can start", people, second)
			}
		}
	})
}

// flood keeps so many calls waiting until the time is over, each of a person of
// its own, and counts those that are made.
func (p *admitting) flood(many int, until time.Duration, c Call, made *int) {
	ctx, cancel := context.WithTimeout(context.Background(), until)
	context.AfterFunc(ctx, cancel)
	for i := range many {
		p.all.Go(func() {
			c := c
			for n := 0; ctx.Err() == nil; n++ {
				c.Person = fmt.Sprint(c.Operation, i, " ", n)
				for ctx.Err() == nil {
					err := p.Do(ctx, c, func(context.Context) *enroll.Error { p.note(func() { *made++ }); return nil })
					if err == nil {
						break
					}
					time.Sleep(err.RetryAfter)
				}
			}
		})
	}
}

func TestStrangersGetAFifthWhileOthersWaitAndAllThatLiesIdle(t *testing.T) {
	start, verify := Call{Operation: Associate, BySession: true, Stranger: true}, Call{Operation: Verify, BySession: true, Stranger: true}
	for name, c := range map[string]struct {
		starts, codes int // that wait at any time
		stranger      Call
		least, most   int // strangers in 40 s of 25 calls
		startsLeast   int
	}{
		"strangers alone":                  {0, 0, verify, 990, 1010, 0},
		"strangers who start, alone":       {0, 0, start, 900, 1010, 0},
		"beside starts":                    {40, 0, verify, 190, 210, 780},
		"strangers who start, beside them": {40, 0, start, 90, 110, 880},
		"beside codes without end":         {40, 40, verify, 0, 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newAdmitting(Options{RPS: 25})
				var starts, strangers, codes int
				p.flood(c.starts, 40*time.Second, Call{Operation: Associate}, &starts)
				p.flood(c.codes, 40*time.Second, Call{Operation: Verify}, &codes)
				p.flood(200, 40*time.Second, c.stranger, &strangers)
				p.all.Wait()
				t.Logf("%d starts, %d codes, %d strangers", starts, codes, strangers)
				if strangers < c.least || strangers > c.most || starts < c.startsLeast {
					t.Errorf("want %d starts at least, and %d to %d strangers", c.startsLeast, c.least, c.most)
				}
				if all := starts + codes + strangers; all < 900 {
					t.Errorf("%d calls of 1000 were made", all)
				}
			})
		})
	}
}

func TestAStrangersVerificationComesAfterStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 2})
		p.exhaust(t)
		p.later(t.Context(), Call{Operation: Verify, BySession: true, Stranger: true, Person: "x"})
		p.later(t.Context(), starter(1))
		p.later(t.Context(), Call{Operation: SetPreference})
		p.all.Wait()
		if want := []string{SetPreference, Associate, Verify}; !slices.Equal(p.called, want) {
			t.Errorf("called %v, want %v", p.called, want)
		}
	})
}

func TestBeyondTheEndOfTheLinePeopleAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		random := 0.0
		p := newAdmitting(Options{RPS: 25, Rand: func() float64 { mu.Lock(); defer mu.Unlock(); random = math.Mod(random+.37, 1); return random }})
		var told []time.Duration
		for i := range 3000 {
			p.all.Go(func() {
				err := p.make(t.Context(), Call{Operation: Associate, BySession: true, Person: fmt.Sprint(i)})
				if err != nil && i >= 2000 {
					p.note(func() { told = append(told, err.RetryAfter) })
				}
			})
			synctest.Wait()
		}
		line := p.positions()
		p.all.Wait()
		least, most := slices.Min(told), slices.Max(told)
		// The session lives for three minutes, so the line ends half a minute
		// before. These come when half of it has moved up, or later.
		if least < 55*time.Second || most > 150*time.Second || most-least < 55*time.Second {
			t.Errorf("told %v to %v", least, most)
		}
		if line > 25*150/2+1 {
			t.Errorf("%d stand in the line", line)
		}
	})
}

func TestACallerWithoutTimeDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newAdmitting(Options{RPS: 1})
		p.exhaust(t)
		hurried, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := p.make(hurried, Call{Operation: Verify}); err == nil || err.Kind != enroll.Busy || len(p.called) != 0 {
			t.Errorf("%v after %d calls, want busy after none", err, len(p.called))
		}
	})
}

// positions is how many stand in the line.
func (p *admitting) positions() int {
	b := p.bucket.(*memoryBucket)
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.positions)
}

// metric sums the series of a metric.
func (p *admitting) metric(t *testing.T, name string) (sum float64) {
	t.Helper()
	if n, err := testutil.GatherAndCount(p.registry, name); err != nil || n == 0 {
		t.Fatalf("%s: %d series, %v", name, n, err)
	}
	families, err := p.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
