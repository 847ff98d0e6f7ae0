package quota

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/redislink/redistest"
	"mfa-enrollment/metrics"
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

// sharedBy is one replica's side of a bucket in Redis, which must not be out of
// reach.
func sharedBy(t *testing.T, link *redislink.Link, name string, limit float64) *redisBucket {
	return newRedisBucket(SharedQuota{Redis: link.Subsystem(redislink.Quota), Name: name}, limit, func() { t.Error("Redis failed") })
}

// asSlow is a rate of one call in ten thousand seconds: whatever happens in a
// test happens at one moment, and there are two tokens.
const asSlow = .0001

func TestReplicasShareTokensLineAndRate(t *testing.T) {
	server, ctx := redistest.Start(t), t.Context()
	one := sharedBy(t, openLink(t, server.URL("")), "eu-west-1", asSlow)
	other := sharedBy(t, openLink(t, server.URL("")), "eu-west-1", asSlow)
	one.take(ctx, reserving(aStart("1")))
	if a := other.take(ctx, reserving(aStart("2")))[0]; a.turn < 7*time.Hour || a.turn > 9*time.Hour {
		t.Errorf("second in the line: %+v", a)
	}
	if !one.take(ctx, request{})[0].granted || !other.take(ctx, request{})[0].granted {
		t.Error("two tokens were not there")
	}
	if one.take(ctx, request{})[0].granted || other.take(ctx, request{})[0].granted {
		t.Error("a third token was")
	}
	if elsewhere := sharedBy(t, openLink(t, server.URL("")), "us-east-1", asSlow); !elsewhere.take(ctx, request{})[0].granted {
		t.Error("another region has no quota")
	}

	fast, faster := sharedBy(t, openLink(t, server.URL("")), "rate", 2), sharedBy(t, openLink(t, server.URL("")), "rate", 2)
	begin := time.Now()
	fast.throttle(ctx, 0)
	faster.take(ctx, request{})
	if rate := faster.rate(); time.Since(begin) < 2*time.Second && rate >= 2 {
		t.Errorf("after a refusal at one replica the other goes at %v", rate)
	}
}

// A rate over a counter that appears with its first error misses that error.
func TestFailuresOfRedisAreCountedInSeriesThatExistFromTheStart(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry, metrics.BuildInfo{})
	link, err := redislink.Open("redis://redis.invalid:6379", redislink.Options{
		Metrics: m, LookEvery: time.Hour,
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("out of reach") },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	series := func() (n int) {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "redis_errors_total" {
				n = len(f.GetMetric())
			}
		}
		return n
	}
	before := series()
	b := newRedisBucket(SharedQuota{Redis: link.Subsystem(redislink.Quota), Name: "eu-west-1"}, 25, m.QuotaAlone)
	b.take(t.Context(), request{})
	b.throttle(t.Context(), 0)
	if after := series(); after != before {
		t.Errorf("%d series at the start, and %d after a failure of each operation", before, after)
	}
}

func TestEveryKeyExpires(t *testing.T) {
	server, ctx := redistest.Start(t), t.Context()
	b := sharedBy(t, openLink(t, server.URL("")), "eu-west-1", 25)
	r := reserving(aStart("1"))
	r.session = "2"
	b.take(ctx, reserving(aStart("0")), r)
	keys, err := server.Admin.Keys(ctx, "*").Result()
	slices.Sort(keys)
	prefix := "mfa-enrollment:{1}:quota:eu-west-1"
	if want := []string{prefix, prefix + ":position:1:0", prefix + ":position:1:1", prefix + ":session:2"}; err != nil || !slices.Equal(keys, want) {
		t.Errorf("%v, %v, want %v", keys, err, want)
	}
	for _, key := range keys {
		if ttl := server.Admin.TTL(ctx, key).Val(); ttl < time.Minute || ttl > 70*time.Minute {
			t.Errorf("%s lives for %v", key, ttl)
		}
	}
}

func TestSimultaneousReplicasNeverTakeATokenTwice(t *testing.T) {
	url := redistest.Start(t).URL("")
	var granted atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		replica := sharedBy(t, openLink(t, url), "x", asSlow)
		for range 20 {
			all.Go(func() {
				if replica.take(context.Background(), request{})[0].granted {
					granted.Add(1)
				}
			})
		}
	}
	all.Wait()
	if n := granted.Load(); n != 2 {
		t.Errorf("%d of 2 tokens were granted", n)
	}
}

func TestACallMakesOneRoundTripAndThoseThatWaitShareTheirs(t *testing.T) {
	newAdmission := func(t *testing.T, rps float64) *Admission {
		shared := &SharedQuota{Redis: openLink(t, redistest.Start(t).URL("")).Subsystem(redislink.Quota), Name: "x"}
		newRedisBucket(*shared, rps, nil).take(t.Context()) // The first time the script is sent.
		return New(Options{RPS: rps, Shared: shared, Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{})})
	}
	done := func(context.Context) *enroll.Error { return nil }
	for _, c := range []Call{starter(1), {Operation: Verify}, {Operation: SetPreference}, {Operation: Verify, BySession: true, Stranger: true, Person: "x"}} {
		t.Run(fmt.Sprint(c.Operation, c.Stranger), func(t *testing.T) {
			a := newAdmission(t, 25)
			var trips atomic.Int64
			if err := a.Do(redislink.WithCounter(t.Context(), &trips), c, done); err != nil || trips.Load() != 1 {
				t.Errorf("%v after %d round trips, want 1", err, trips.Load())
			}
		})
	}
	t.Run("a hundred that wait", func(t *testing.T) {
		a := newAdmission(t, 200) // 40 at once, and 60 more in 0.3 s
		var trips atomic.Int64
		ctx := redislink.WithCounter(t.Context(), &trips)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if err := a.Do(ctx, Call{Operation: Verify}, done); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := trips.Load(); n > 100 {
			t.Errorf("%d round trips for 100 calls, besides those that are shared", n)
		}
	})
}

func TestWithoutRedisAReplicaHasTheQuotaToItself(t *testing.T) {
	nowhere := openLink(t, enroll.Secret("unix://"+filepath.Join(t.TempDir(), "none")))
	failed := 0
	b := newRedisBucket(SharedQuota{Redis: nowhere.Subsystem(redislink.Quota), Name: "x"}, asSlow, func() { failed++ })
	if a := b.take(t.Context(), aStart("1"))[0]; !a.granted {
		t.Errorf("a start: %+v", a)
	}
	if a := b.take(t.Context(), request{})[0]; !a.granted {
		t.Errorf("the last token: %+v", a)
	}
	if a := b.take(t.Context(), request{})[0]; a.granted {
		t.Errorf("one more: %+v", a)
	}
	b.throttle(t.Context(), 0)
	if failed != 4 {
		t.Errorf("%d failures were counted", failed)
	}
}

func TestTheDocumentedRightsAreEnoughForTheQuota(t *testing.T) {
	server, ctx := redistest.Start(t), t.Context()
	server.User(redistest.Rights(t, "one server", "Correct-Horse-Battery"))
	b := sharedBy(t, openLink(t, server.URL("mfa-enrollment:Correct-Horse-Battery@")), "x", 25)
	r := aStart("1")
	r.session = "2"
	for range 2 {
		b.take(ctx, reserving(aStart("0")), reserving(r))
		b.take(ctx, r)
	}
	b.throttle(ctx, 0)
	if denied := server.Denied(); len(denied) > 0 {
		t.Errorf("denied: %v", denied)
	}
}
