package faults_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/internal/redislink/redistest"
	"mfa-enrollment/test/long"
	"mfa-enrollment/test/world"
)

// Redis becomes slow, or swallows everything, under a replica that was well. Each
// request waits for Redis for 300 ms at most, and then goes on without: everybody
// finishes. The times are logged, since a slow machine has others.
func TestASlowRedisKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	for name, delay := range map[string]time.Duration{
		"as fast as ever": 0, "50 ms": 50 * time.Millisecond, "200 ms": 200 * time.Millisecond, "500 ms": 500 * time.Millisecond,
		"2 s": 2 * time.Second, "a black hole": time.Hour,
	} {
		if !long.Asked() && delay != 200*time.Millisecond && delay != time.Hour {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := world.StartRedis(t)
			gate := redistest.NewGate(t, server.Socket)
			settings := map[string]string{"COGNITO_WRITE_RPS": "1000"}
			maps.Copy(settings, server.Settings())
			settings["REDIS_URL"] = "redis://" + gate.Addr()
			w := world.NewWith(t, world.Crowd(60), settings)
			if r := w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), nil); r.Status != 201 {
				t.Fatalf("from a healthy start: %d %s", r.Status, r.Body)
			}
			gate.Delay(delay)

			const people, every = 30, 100 * time.Millisecond
			var mu sync.Mutex
			var starts, verifications []time.Duration
			timed := func(times *[]time.Duration, do func() world.Reply) world.Reply {
				begin := time.Now()
				r := do()
				mu.Lock()
				defer mu.Unlock()
				*times = append(*times, time.Since(begin))
				return r
			}
			var all sync.WaitGroup
			for i := range people {
				time.Sleep(every)
				all.Go(func() {
					token, start, verify := "", world.Object{}, world.Object{}
					if i%2 == 0 {
						token = w.Token(world.Optional, world.OptionalClient, world.Person(i))
					} else {
						start["session"] = w.Cognito.Session(world.Optional, world.OptionalClient, world.Person(i))
						verify["username"], verify["clientId"] = world.Person(i), world.OptionalClient
					}
					r := timed(&starts, func() world.Reply { return w.Begin(token, start) })
					if r.Status != 201 {
						t.Errorf("start of person %d: %d %s", i, r.Status, r.Body)
						return
					}
					begun := r.JSON(t)
					if next, ok := begun["session"]; ok {
						verify["session"] = next
					}
					verify["code"] = w.CodeAt(begun["secret"].(string), 0)
					r = timed(&verifications, func() world.Reply { return w.Verify(token, verify) })
					if r.Status != 200 {
						t.Errorf("verification of person %d: %d %s", i, r.Status, r.Body)
					}
				})
			}
			all.Wait()
			t.Logf("start %s, verify %s", quantiles(starts), quantiles(verifications))
		})
	}
}

func quantiles(times []time.Duration) string {
	slices.Sort(times)
	at := func(q float64) time.Duration { return times[int(q*float64(len(times)-1))].Round(time.Millisecond) }
	return fmt.Sprintf("p50 %v p95 %v max %v", at(.5), at(.95), at(1))
}
