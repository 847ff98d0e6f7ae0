package quota

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"mfa-enrollment/internal/redislink/redistest"
)

// clock is one that a test moves.
type clock struct{ time.Time }

func (c *clock) now() time.Time       { return c.Time }
func (c *clock) pass(d time.Duration) { c.Time = c.Add(d) }

// newClock begins early in 1970, where a float64 of seconds is exact to
// nanoseconds.
func newClock() *clock { return &clock{time.Unix(1_000_000, 0)} }

// buckets makes the two kinds of bucket, each with a clock.
func buckets(t *testing.T) map[string]func(limit float64) (bucket, *clock) {
	link := openLink(t, redistest.Start(t).URL(""))
	return map[string]func(float64) (bucket, *clock){
		"in memory": func(limit float64) (bucket, *clock) {
			c := newClock()
			return newMemoryBucket(limit, c.now), c
		},
		"in Redis": func(limit float64) (bucket, *clock) {
			c := newClock()
			b := sharedBy(t, link, fmt.Sprint(rand.Uint64()), limit)
			b.now, b.tells = c.now, true
			return b, c
		},
	}
}

func aStart(person string) request {
	return request{rank: starting, price: 3, person: person, horizon: time.Hour}
}

func aStranger(person string) request {
	return request{rank: stranger, price: 1, person: person, horizon: time.Hour}
}

func reserving(r request) request {
	r.reserve = true
	return r
}

// drain takes all tokens but some.
func drain(t *testing.T, b bucket, but int) {
	t.Helper()
	for range 5 - but {
		if !b.take(t.Context(), request{})[0].granted {
			t.Fatal("a full bucket of 25 a second has no five tokens")
		}
	}
}

// near allows for the rounding of seconds.
func near(got time.Duration, want float64) bool {
	return math.Abs(got.Seconds()-want) < .002
}

func TestABucketInMemoryAndOneInRedisDoTheSame(t *testing.T) {
	for kind, fresh := range buckets(t) {
		t.Run(kind, func(t *testing.T) {
			ctx, finish := t.Context(), request{}
			one := func(b bucket, r request) answer { return b.take(ctx, r)[0] }

			t.Run("a fifth of a second's tokens are there at once, and more at the rate", func(t *testing.T) {
				b, c := fresh(25)
				c.pass(time.Hour)
				drain(t, b, 0)
				if a := one(b, finish); a.granted || !near(a.retry, .04) {
					t.Errorf("without a token: %+v", a)
				}
				c.pass(41 * time.Millisecond)
				if a := one(b, finish); !a.granted {
					t.Errorf("when there is one: %+v", a)
				}
			})
			t.Run("at a low rate two tokens are there at once", func(t *testing.T) {
				b, _ := fresh(1)
				for n, want := range []bool{true, true, false} {
					if a := one(b, finish); a.granted != want {
						t.Errorf("number %d: %+v", n, a)
					}
				}
			})
			t.Run("who comes later in rank leaves more tokens", func(t *testing.T) {
				ahead := func(r request) request { r.position = 1000; return r }
				for name, c := range map[string]struct {
					request
					needs int
				}{
					"finishing":                  {finish, 1},
					"a start that is due":        {aStart("1"), 2},
					"a stranger that is due":     {aStranger("1"), 2},
					"a start before its turn":    {ahead(aStart("1")), 3},
					"a stranger before its turn": {ahead(aStranger("1")), 4},
				} {
					b, _ := fresh(25)
					drain(t, b, c.needs-1)
					if a := one(b, c.request); a.granted || !near(a.retry, .04) {
						t.Errorf("%s, a token short: %+v", name, a)
					}
					b, _ = fresh(25)
					drain(t, b, c.needs)
					if a := one(b, c.request); !a.granted {
						t.Errorf("%s: %+v", name, a)
					}
				}
			})
			t.Run("while a call that finishes waits, others need a full bucket", func(t *testing.T) {
				b, c := fresh(25)
				drain(t, b, 0)
				one(b, finish)
				c.pass(150 * time.Millisecond)
				if a := one(b, aStart("1")); a.granted || !near(a.retry, .05) {
					t.Errorf("a start after 150 ms: %+v", a)
				}
				if a := one(b, finish); !a.granted {
					t.Errorf("the call that waited: %+v", a)
				}
				c.pass(60 * time.Millisecond)
				if a := one(b, aStart("1")); !a.granted {
					t.Errorf("a start after 210 ms: %+v", a)
				}
			})
			t.Run("starts are due no faster than whole enrollments fit", func(t *testing.T) {
				b, c := fresh(25)
				for n := range 4 {
					if a := one(b, reserving(aStart(fmt.Sprint(n)))); a.granted || !near(a.turn, float64(n)*3/25) || a.position == 0 {
						t.Errorf("number %d: %+v", n, a)
					}
				}
				c.pass(time.Second / 5)
				if a := one(b, reserving(aStart("2"))); !near(a.turn, .04) {
					t.Errorf("after a fifth of a second: %+v", a)
				}
			})
			t.Run("a queue position is kept until a minute after the turn", func(t *testing.T) {
				b, c := fresh(25)
				for n := range 100 {
					one(b, reserving(aStart(fmt.Sprint(n))))
				}
				c.pass(6 * time.Second)
				before := one(b, reserving(aStart("99")))
				if !near(before.turn, 99*3/25.-6) {
					t.Errorf("%+v", before)
				}
				if again := one(b, reserving(aStart("99"))); again != before {
					t.Errorf("%+v became %+v", before, again)
				}
				if b, ok := b.(*memoryBucket); ok { // Redis deletes by its own clock.
					c.pass(before.turn + 59*time.Second)
					if a := one(b, reserving(aStart("98"))); a.position >= before.position {
						t.Errorf("59 s after the turn: %+v", a)
					}
					c.pass(2 * time.Minute)
					if a := one(b, reserving(aStart("97"))); a.position <= before.position {
						t.Errorf("two minutes later: %+v", a)
					}
				}
			})
			t.Run("whoever is admitted before the turn makes the line shorter", func(t *testing.T) {
				b, _ := fresh(25)
				for n := range 4 {
					one(b, reserving(aStart(fmt.Sprint(n))))
				}
				if a := one(b, aStart("2")); !a.granted {
					t.Fatalf("%+v", a)
				}
				if a := one(b, reserving(aStart("3"))); !near(a.turn, 2*3/25.) {
					t.Errorf("the last of four, one gone: %+v", a)
				}
				if a := one(b, reserving(aStart("2"))); !near(a.turn, 3*3/25.) {
					t.Errorf("whoever was admitted comes again, behind the last: %+v", a)
				}
			})
			t.Run("a line that is too long takes nobody more, and lets them in when calls lie idle", func(t *testing.T) {
				b, _ := fresh(25)
				short := func(n int) request {
					r := reserving(aStart(fmt.Sprint(n)))
					r.horizon = 300 * time.Millisecond
					return r
				}
				for n := range 10 {
					one(b, short(n))
				}
				if a := one(b, short(9)); a.position != 0 || !near(a.turn, 3*3/25.) {
					t.Errorf("told %v, want the end of a line of three", a)
				}
				if a := one(b, short(2)); a.position == 0 || !near(a.turn, 2*3/25.) {
					t.Errorf("the last in the line: %+v", a)
				}
				late := short(9)
				late.reserve = false
				if a := one(b, late); !a.granted {
					t.Errorf("with a full bucket: %+v", a)
				}
				if a := one(b, short(2)); !near(a.turn, 2*3/25.) {
					t.Errorf("it had no place in the line, which got no shorter: %+v", a)
				}
			})
			t.Run("a session that does not live until its turn is told so", func(t *testing.T) {
				b, c := fresh(25)
				with := func(person string) request {
					r := reserving(aStart(person))
					r.session, r.horizon = "of "+person, 100*time.Second
					return r
				}
				for n := range 1000 {
					one(b, with(fmt.Sprint(n)))
				}
				if a := one(b, with("late")); a.expired || a.position != 0 || a.turn < 100*time.Second {
					t.Errorf("the line is too long for anybody: %+v", a)
				}
				c.pass(30 * time.Second)
				if a := one(b, with("late")); !a.expired || a.position != 0 {
					t.Errorf("half a minute later, with 70 s to wait and 70 s to live: %+v", a)
				}
				if a := one(b, with("fresh")); a.expired || a.position == 0 {
					t.Errorf("a new session: %+v", a)
				}
			})
			t.Run("a session that waited and has ended is told so, and spends nothing", func(t *testing.T) {
				b, c := fresh(25)
				with := func(person string) request {
					r := reserving(aStart(person))
					r.session, r.horizon = "of "+person, 100*time.Second
					return r
				}
				one(b, with("first"))
				if a := one(b, with("second")); a.position == 0 || a.turn == 0 {
					t.Errorf("in the line: %+v", a)
				}
				c.pass(100*time.Second + sessionReserve/2)
				again := with("second")
				again.reserve = false
				if a := one(b, again); !a.granted {
					t.Errorf("as long as it may live: %+v", a)
				}
				one(b, with("another"))
				one(b, with("third"))
				c.pass(100*time.Second + sessionReserve/2 + time.Millisecond)
				again = with("third")
				again.reserve = false
				if a := one(b, again); a.granted || !a.expired || a.retry > 0 {
					t.Errorf("a millisecond longer: %+v", a)
				}
				if a := one(b, finish); !a.granted {
					t.Errorf("somebody else: %+v", a)
				}
			})
			t.Run("strangers have a line of their own, which takes a fifth of the rate when others wait", func(t *testing.T) {
				b, c := fresh(25)
				for n := range 100 {
					one(b, reserving(aStranger(fmt.Sprint(n))))
				}
				if a := one(b, reserving(aStranger("99"))); !near(a.turn, 99/25.) {
					t.Errorf("while nobody else waits: %+v", a)
				}
				for n := range 100 {
					if a := one(b, reserving(aStart(fmt.Sprint(n)))); !near(a.turn, float64(n)*3/20) {
						t.Errorf("start %d: %+v", n, a)
					}
				}
				if a := one(b, reserving(aStranger("20"))); !near(a.turn, 20/5.) {
					t.Errorf("while starts wait: %+v", a)
				}
				if a := one(b, reserving(aStranger("99"))); !near(a.turn, (99+300)/25.) {
					t.Errorf("when all starts are done before: %+v", a)
				}
				c.pass(time.Second)
				if a := one(b, reserving(aStranger("20"))); !near(a.turn, 15/5.) {
					t.Errorf("a second later: %+v", a)
				}
				if a := one(b, reserving(aStranger("99"))); !near(a.turn, (94+280)/25.) {
					t.Errorf("a second later, when all starts are done before: %+v", a)
				}
				if a := one(b, reserving(aStart("99"))); !near(a.turn, (99*3-20)/20.) {
					t.Errorf("a start a second later: %+v", a)
				}
			})
			t.Run("several requests are answered at once, in their order", func(t *testing.T) {
				b, _ := fresh(25)
				answers := b.take(ctx, finish, aStart("1"), aStart("2"), aStart("3"), finish, finish)
				for n, want := range []bool{true, true, true, false, true, true} {
					if answers[n].granted != want {
						t.Errorf("number %d: %+v", n, answers[n])
					}
				}
			})
			t.Run("a refusal empties the bucket and slows it down", func(t *testing.T) {
				b, c := fresh(25)
				b.throttle(ctx, 0)
				a, rate := one(b, finish), b.rate()
				if a.granted || !near(a.retry, 1/17.5) || math.Abs(rate-17.5) > .1 {
					t.Errorf("%+v, %v a second", a, rate)
				}
				c.pass(time.Second)
				b.throttle(ctx, 2*time.Second)
				one(b, finish)
				if again := b.rate(); again < rate {
					t.Errorf("after the refusal of an older call %v a second", again)
				}
			})
		})
	}
}

// TestRandomRequestsGetTheSameAnswersInMemoryAndInRedis compares the two step by
// step. It does not wait until queue positions expire, which Redis does by a
// clock that no test moves.
func TestRandomRequestsGetTheSameAnswersInMemoryAndInRedis(t *testing.T) {
	seed := rand.Uint64()
	random, c := rand.New(rand.NewPCG(seed, 0)), newClock()
	memory, shared := newMemoryBucket(25, c.now), sharedBy(t, openLink(t, redistest.Start(t).URL("")), "x", 25)
	shared.now, shared.tells = c.now, true
	ctx, granted := context.Background(), 0
	shared.take(ctx)         // Its clock begins now, like the other's.
	for step := range 1200 { // some 48 s
		c.pass(time.Duration(random.IntN(80e6)))
		if random.IntN(300) == 0 {
			took := time.Duration(random.IntN(500)) * time.Millisecond
			memory.throttle(ctx, took)
			shared.throttle(ctx, took)
		}
		var requests []request
		for range 1 + random.IntN(3) {
			r := request{rank: rank(random.IntN(ranks))}
			if r.rank != finishing {
				r.price, r.person, r.horizon = 1+float64(random.IntN(3)), fmt.Sprint(random.IntN(200)), 20*time.Second
				r.reserve = random.IntN(3) == 0
				if random.IntN(2) == 0 {
					r.session = r.person
				}
			}
			requests = append(requests, r)
		}
		want, got := memory.take(ctx, requests...), shared.take(ctx, requests...)
		for i := range want {
			w, g := want[i], got[i]
			if w.granted != g.granted || w.expired != g.expired || math.Abs(w.position-g.position) > 1e-3 ||
				(w.retry-g.retry).Abs() > time.Millisecond || (w.turn-g.turn).Abs() > time.Millisecond {
				t.Fatalf("seed %d, step %d, %+v: in memory %+v, in Redis %+v", seed, step, requests[i], w, g)
			}
			if w.granted {
				granted++
			}
		}
		if math.Abs(memory.rate()-shared.rate()) > .1 {
			t.Fatalf("seed %d, step %d: %v calls a second in memory, %v in Redis", seed, step, memory.rate(), shared.rate())
		}
	}
	if granted < 250 {
		t.Errorf("%d of some 2400 requests were granted", granted)
	}
}
