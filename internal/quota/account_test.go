package quota

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/redislink/redistest"
)

// openLink opens a replica's link to a redis-server.
func openLink(t *testing.T, url enroll.Secret) *redislink.Link {
	t.Helper()
	l, err := redislink.Open(url, redislink.Options{LookEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// asSlow is a quota of one call in ten thousand seconds: whatever happens in a
// test happens at one moment. There are two tokens, and room for three starts at
// this price.
const (
	asSlow = .0001
	price  = .0003
)

// quotas makes the two kinds of quota.
func quotas(t *testing.T) map[string]func(limit float64) quota {
	server := redistest.Start(t)
	n := 0
	return map[string]func(float64) quota{
		"in memory": func(limit float64) quota { return newAccount(limit) },
		"in Redis": func(limit float64) quota {
			n++
			return sharedBy(t, openLink(t, server.URL("")), fmt.Sprint(n), limit)
		},
	}
}

// older lets a quota take a session's first coming for longer ago.
func older(q quota, session string, by time.Duration) {
	switch q := q.(type) {
	case *account:
		q.seen[session] = q.seen[session].Add(-by)
	case *sharedAccount:
		q.Redis.Do(context.Background(), "test", func(ctx context.Context, c redis.UniversalClient) error {
			return c.IncrByFloat(ctx, q.keys[0]+":seen:"+session, -by.Seconds()).Err()
		})
	}
}

// sharedBy is one replica's side of a quota in Redis, which must not be out of
// reach.
func sharedBy(t *testing.T, link *redislink.Link, name string, limit float64) *sharedAccount {
	return newSharedAccount(SharedQuota{Redis: link.Subsystem(redislink.Quota), Name: name}, limit, func() { t.Error("Redis failed") })
}

func aStart(person string) claim {
	return claim{start: true, person: person, cost: price, ahead: time.Hour * 1000}
}

func looking(c claim) claim {
	c.look, c.queued = true, 1
	return c
}

func TestAnAccountInMemoryAndOneInRedisDoTheSame(t *testing.T) {
	finish := claim{}
	for kind, make := range quotas(t) {
		t.Run(kind, func(t *testing.T) {
			ctx := t.Context()
			take := func(q quota, c claim) verdict { return q.take(ctx, c, 0) }

			t.Run("a call that finishes takes the last token", func(t *testing.T) {
				q := make(asSlow)
				for n := range 2 {
					if v := take(q, finish); !v.granted || v.wait != 0 {
						t.Fatalf("number %d: %+v", n, v)
					}
				}
				if v := take(q, finish); v.granted || !near(v.wait, 1/asSlow) {
					t.Errorf("without a token: %+v", v)
				}
			})
			t.Run("a start leaves one", func(t *testing.T) {
				q := make(asSlow)
				if v := take(q, aStart("1")); !v.granted {
					t.Fatalf("%+v", v)
				}
				if v := take(q, aStart("2")); v.granted || !near(v.wait, 1/asSlow) {
					t.Errorf("of two: %+v", v)
				}
				if v := take(q, finish); !v.granted {
					t.Errorf("and the one that was left: %+v", v)
				}
			})
			t.Run("a start waits for room for its whole enrollment, another call does not", func(t *testing.T) {
				q := make(asSlow)
				dear := aStart("1")
				dear.cost = .002
				if v := take(q, dear); v.granted || !near(v.wait, (.002-asSlow*10)/asSlow/overdrive) {
					t.Errorf("%+v", v)
				}
				if v := take(q, finish); !v.granted {
					t.Errorf("finishing: %+v", v)
				}
			})
			t.Run("what is paid back is room", func(t *testing.T) {
				q := make(asSlow)
				dear := aStart("1")
				dear.cost = asSlow * 10
				if v := take(q, dear); !v.granted {
					t.Fatalf("%+v", v)
				}
				q.take(ctx, looking(aStart("2")), price)
				paid := q.take(ctx, claim{start: true, person: "2", cost: price}, 0)
				// Only the token is missing.
				if paid.granted || !near(paid.wait, 1/asSlow) {
					t.Errorf("%+v", paid)
				}
			})
			t.Run("a start that has paid needs no more room", func(t *testing.T) {
				q := make(asSlow)
				dear := aStart("1")
				dear.cost = asSlow * 10
				take(q, dear)
				if v := take(q, claim{start: true, person: "1"}); v.granted || !near(v.wait, 1/asSlow) {
					t.Errorf("%+v", v)
				}
			})
			t.Run("people stand in the line in the order in which they came, and keep their places", func(t *testing.T) {
				q := make(asSlow)
				var places []int64
				for round := range 2 {
					for n := range 4 {
						v := take(q, looking(aStart(fmt.Sprint(n))))
						if v.granted || !near(v.wait, float64(n)*price/asSlow) {
							t.Errorf("round %d, number %d: %+v", round, n, v)
						}
						if places = append(places, v.place); round > 0 && places[n] != v.place {
							t.Errorf("number %d had place %d and has %d", n, places[n], v.place)
						}
					}
				}
				if places[0] <= 0 || places[0] >= places[1] || places[1] >= places[2] || places[2] >= places[3] {
					t.Errorf("places %v", places)
				}
			})
			t.Run("who starts or leaves makes the line shorter", func(t *testing.T) {
				q := make(asSlow)
				for n := range 4 {
					take(q, looking(aStart(fmt.Sprint(n))))
				}
				q.leave(ctx, "1")
				q.leave(ctx, "who is not in the line")
				if v := take(q, aStart("0")); !v.granted {
					t.Fatalf("%+v", v)
				}
				if v := take(q, looking(aStart("3"))); !near(v.wait, price/asSlow) {
					t.Errorf("the last of four, two gone: %+v", v)
				}
			})
			t.Run("a line that is too long takes nobody more", func(t *testing.T) {
				q := make(asSlow)
				short := func(n int) claim {
					c := looking(aStart(fmt.Sprint(n)))
					c.ahead = time.Duration(2.5 * price / asSlow * float64(time.Second))
					return c
				}
				for n := range 10 {
					take(q, short(n))
				}
				if v := take(q, short(9)); !near(v.wait, 3*price/asSlow) {
					t.Errorf("told %v, want the end of a line of three", v.wait)
				}
				if v := take(q, short(2)); !near(v.wait, 2*price/asSlow) {
					t.Errorf("the last in the line: told %v", v.wait)
				}
			})
			t.Run("who comes with what is too old to wait is told so", func(t *testing.T) {
				q := make(asSlow)
				aging := func(person string) claim {
					c := looking(aStart(person))
					c.aging, c.ahead = "of "+person, 100*time.Second
					return c
				}
				// Each of the line takes three seconds.
				for n := range 40 {
					take(q, aging(fmt.Sprint(n)))
				}
				if v := take(q, aging("late")); v.stale || v.wait < 100*time.Second {
					t.Errorf("the line is too long for anybody: %+v", v)
				}
				for n := range 20 {
					q.leave(ctx, fmt.Sprint(n))
				}
				older(q, "of late", 60*time.Second)
				if v := take(q, aging("late")); !v.stale {
					t.Errorf("a minute later, with less than that to wait: %+v", v)
				}
				before := take(q, aging("fresh"))
				if again := take(q, aging("fresh")); before.stale || again.stale || again.place != before.place {
					t.Errorf("somebody else: %+v, then %+v", before, again)
				}
			})
			t.Run("when calls lie idle nobody waits for those who are not here", func(t *testing.T) {
				q := make(asSlow)
				for n := range 4 {
					take(q, looking(aStart(fmt.Sprint(n))))
				}
				here := looking(aStart("5"))
				here.queued = 0
				if v := take(q, here); v.wait != 0 {
					t.Errorf("%+v", v)
				}
				take(q, finish)
				if v := take(q, here); v.wait == 0 {
					t.Errorf("with one token: %+v", v)
				}
			})
			t.Run("a refusal takes what is left and slows down", func(t *testing.T) {
				begin, q := time.Now(), make(2)
				q.refused(ctx, 0)
				v := take(q, finish)
				rate := q.rate()
				q.refused(ctx, time.Hour)
				if again := q.rate(); time.Since(begin) < time.Second/2 && (v.granted || rate < 1.4 || rate > 1.7 || again < rate) {
					t.Errorf("%+v, %v a second, and after the refusal of an older call %v", v, rate, again)
				}
			})
		})
	}
}

// near allows for the seconds that a test takes.
func near(got time.Duration, want float64) bool {
	return got.Seconds() <= want+.01 && got.Seconds() > .9*want-60
}
