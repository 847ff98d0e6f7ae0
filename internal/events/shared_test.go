package events

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/test/long"
)

// fakeRedis is a Redis in the test's own process, spoken to over pipes, so that
// virtual time holds for the leases in it.
type fakeRedis struct {
	redis  *miniredis.Miniredis
	closed chan struct{}

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func startFakeRedis() *fakeRedis {
	f := &fakeRedis{redis: miniredis.NewMiniRedis(), closed: make(chan struct{})}
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f.redis.FastForward(time.Second)
			case <-f.closed:
				return
			}
		}
	}()
	return f
}

func (f *fakeRedis) dial(context.Context, string, string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return nil, errors.New("the network is down")
	}
	conn, err := f.redis.Dial()
	if err == nil {
		f.conns = append(f.conns, conn)
	}
	return conn, err
}

// kill takes Redis away with all that it holds.
func (f *fakeRedis) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = true
	for _, conn := range f.conns {
		_ = conn.Close()
	}
	f.conns = nil
	f.redis.FlushAll()
}

func (f *fakeRedis) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = false
}

// replica is one process's outbox over it.
func (f *fakeRedis) replica(t testing.TB, r *testReceiver) (*Outbox, *counts, func()) {
	t.Helper()
	link, err := redislink.Open("redis://127.0.0.1:6379", redislink.Options{Dial: f.dial})
	if err != nil {
		t.Fatal(err)
	}
	b, c := newOutbox(t, "https://receiver.example/", r, link.Subsystem(redislink.Events))
	return b, c, func() { closed(b); link.Close() }
}

// course is what happens to receiver and Redis meanwhile. begin is the moment at
// which the first of some events happens; the last happens 20 minutes later.
type course struct {
	name     string
	answer   func(*rand.Rand) func(int) int
	pause    time.Duration
	during   func(*fakeRedis, *testReceiver)
	within   time.Duration // after the last event all have come
	once     bool          // none comes twice
	replicas int
	seldom   bool // with LONG=1 alone: two replicas take a second
}

func always(status int) func(int) int { return func(int) int { return status } }

func courses() []course {
	down := func(_ *fakeRedis, r *testReceiver) { // for ten minutes
		time.Sleep(5 * time.Minute)
		r.set(0, always(0))
		time.Sleep(10 * time.Minute)
		r.set(0, nil)
	}
	killed := func(f *fakeRedis, _ *testReceiver) { // for five minutes
		time.Sleep(5 * time.Minute)
		f.kill()
		time.Sleep(5 * time.Minute)
		f.restart()
	}
	all := []course{
		{name: "all is well", within: 2 * time.Second, once: true},
		{name: "the receiver is down for ten minutes", during: down, within: 15 * time.Minute, once: true},
		{name: "the receiver answers 500 to half of all", seldom: true, within: 12 * time.Hour, once: true, answer: func(r *rand.Rand) func(int) int {
			return func(int) int { return []int{200, 500}[r.IntN(2)] }
		}},
		{name: "the receiver answers slowly", seldom: true, pause: 12 * time.Second, within: 45 * time.Minute, once: true},
		{name: "the receiver breaks one connection in three after it took the event", seldom: true, within: 12 * time.Hour, answer: func(r *rand.Rand) func(int) int {
			return func(int) int { return []int{200, 200, took}[r.IntN(3)] }
		}},
	}
	var each []course
	for _, c := range all {
		alone := c
		alone.seldom = false
		c.replicas = 2
		each = append(each, alone, c)
	}
	return append(each,
		course{name: "Redis is killed for five minutes", during: killed, within: time.Minute, replicas: 2, seldom: true},
		course{name: "Redis is killed while the receiver is down", during: func(f *fakeRedis, r *testReceiver) {
			time.Sleep(4 * time.Minute)
			r.set(0, always(0))
			time.Sleep(2 * time.Minute)
			f.kill()
			time.Sleep(time.Minute)
			f.restart()
			time.Sleep(7 * time.Minute)
			r.set(0, nil)
		}, within: 15 * time.Minute, replicas: 2},
	)
}

// Every event comes at least once and each person's in order, whatever happens to
// receiver and Redis: 10 people with 8 events each, from one process or from two
// replicas. Where two replicas go on without Redis, each keeps the order of its own.
func TestEveryEventComesInOrderWhateverHappens(t *testing.T) {
	const people, each = 10, 8
	for _, c := range courses() {
		if c.seldom && !long.Asked() {
			continue
		}
		t.Run(fmt.Sprintf("%s, %d replicas", c.name, max(c.replicas, 1)), func(t *testing.T) {
			random := seeded(t)
			synctest.Test(t, func(t *testing.T) {
				r := &testReceiver{t: t, secret: newSecret}
				r.set(c.pause, nil)
				if c.answer != nil {
					r.set(c.pause, c.answer(random))
				}
				var boxes []*Outbox
				var stops []func()
				var tallies []*counts
				redis := startFakeRedis()
				for range c.replicas {
					b, tally, stop := redis.replica(t, r)
					boxes, stops, tallies = append(boxes, b), append(stops, stop), append(tallies, tally)
				}
				if c.replicas == 0 {
					b, tally := newOutbox(t, "https://receiver.example/", r, nil)
					boxes, stops, tallies = []*Outbox{b}, []func(){func() { closed(b) }}, []*counts{tally}
				}
				var course sync.WaitGroup
				if c.during != nil {
					course.Go(func() { c.during(redis, r) })
				}
				// Events of one person come through whichever replica while Redis is
				// there, and through one of them where it may be gone.
				through := func(i, n int) *Outbox {
					if c.during != nil && c.replicas > 0 && c.name[:5] == "Redis" {
						return boxes[i%len(boxes)]
					}
					return boxes[(i+n)%len(boxes)]
				}
				for n := range each {
					for i := range people {
						through(i, n).Happened(happening(i, n))
						time.Sleep(20 * time.Minute / (people * each))
					}
				}
				course.Wait()
				begin := time.Now()
				for r.count() < people*each && time.Since(begin) < 3*time.Hour {
					time.Sleep(time.Second)
				}
				lasted := time.Since(begin)
				for _, stop := range stops {
					stop()
				}
				close(redis.closed)
				redis.redis.Close()

				order, often := r.taken()
				if len(order) != people*each || lasted > c.within {
					t.Errorf("%d of %d came within %s, want all within %s", len(order), people*each, lasted, c.within)
				}
				inOrder(t, order, each)
				var times []int
				for _, n := range often {
					times = append(times, n)
				}
				slices.Sort(times)
				if twice := times[len(times)-1]; c.once && twice > 1 {
					t.Errorf("an event came %d times", twice)
				}
				more := 0
				for _, n := range times {
					more += n - 1
				}
				t.Logf("%d events, %d came again, all there %s after the last; attempts %d; %v", len(order), more, lasted, len(r.got), tallies)
			})
		})
	}
}

// Of two replicas that see the same queue one sends an event.
func TestReplicasDoNotAllSendEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &testReceiver{t: t, secret: oldSecret}
		redis := startFakeRedis()
		var stops []func()
		var first *Outbox
		var tallies []*counts
		for range 4 {
			b, c, stop := redis.replica(t, r)
			if first == nil {
				first = b
			}
			stops, tallies = append(stops, stop), append(tallies, c)
		}
		for i := range 400 {
			first.Happened(happening(i, 0))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		if n, _ := first.Waiting(); n != 0 || len(r.got) != 400 {
			t.Errorf("%d requests for 400 events, and %d still count as waiting", len(r.got), n)
		}
		for _, stop := range stops {
			stop()
		}
		close(redis.closed)
		redis.redis.Close()
		t.Logf("%v", tallies)
	})
}

// What a replica took into Redis is sent by another when it ends.
func TestAnotherReplicaSendsWhatADeadOneLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &testReceiver{t: t, secret: oldSecret}
		r.set(0, always(500))
		redis := startFakeRedis()
		dead, _, stop := redis.replica(t, r)
		for n := range len(enroll.EventTypes()) {
			dead.Happened(happening(0, n))
		}
		time.Sleep(time.Minute)
		dead.stop() // As if the process were killed in the middle of an attempt.
		dead.idle()
		r.set(0, nil)
		_, _, stopOther := redis.replica(t, r)
		time.Sleep(3 * time.Minute)
		order, _ := r.taken()
		inOrder(t, order, len(enroll.EventTypes()))
		if len(order) != len(enroll.EventTypes()) {
			t.Errorf("%d came", len(order))
		}
		stop()
		stopOther()
		close(redis.closed)
		redis.redis.Close()
	})
}
