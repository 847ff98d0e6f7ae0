package redislink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink/redistest"
)

// told is what a link told: its log and its counts.
type told struct {
	mu       sync.Mutex
	log      bytes.Buffer
	failures map[string]int
	took     map[string]int
}

func (w *told) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

func (w *told) RedisFailed(subsystem, operation string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures[subsystem+" "+operation]++
}

func (w *told) RedisTook(subsystem string, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.took[subsystem]++
}

func (w *told) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *told) failed() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.failures)
}

func open(t *testing.T, url string, lookEvery time.Duration) (*Link, *told) {
	t.Helper()
	w := &told{failures: map[string]int{}, took: map[string]int{}}
	l, err := Open(enroll.Secret(url), Options{Logger: slog.New(slog.NewTextHandler(w, nil)), Metrics: w, LookEvery: lookEvery})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, w
}

// replies is a Redis that replies as it is told, without a network.
func replies(err error) func(context.Context, redis.UniversalClient) error {
	return func(context.Context, redis.UniversalClient) error { return err }
}

// reply is an error reply of Redis.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

func ping(ctx context.Context, c redis.UniversalClient) error { return c.Get(ctx, "x").Err() }

func TestALostRedisIsNotAskedAgainBeforeItIsBack(t *testing.T) {
	server := redistest.Start(t)
	l, w := open(t, server.URL("").Reveal(), 5*time.Millisecond)
	pending, quota := l.Subsystem(Pending), l.Subsystem(Quota)
	if !pending.Do(t.Context(), "find", ping) {
		t.Fatal("Redis does not answer")
	}
	server.Kill()
	if pending.Do(t.Context(), "find", ping) {
		t.Fatal("a killed Redis answered")
	}
	asked := false
	if quota.Do(t.Context(), "take", func(context.Context, redis.UniversalClient) error { asked = true; return nil }) || asked {
		t.Error("a lost Redis was asked by another subsystem")
	}
	if notes := l.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "out of reach") {
		t.Errorf("the notes are %q", notes)
	}
	server.Restart()
	for deadline := time.Now().Add(time.Minute); len(l.Notes()) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is never back")
		}
	}
	for _, s := range []*Subsystem{pending, quota} {
		if s.Back() != 1 {
			t.Errorf("%s was back %d times", s.name, s.Back())
		}
		if !s.Do(t.Context(), "again", ping) {
			t.Errorf("Redis is back and does not answer %s", s.name)
		}
	}
	if got, want := w.failed(), map[string]int{"pending find": 1, "quota take": 1}; !maps.Equal(got, want) {
		t.Errorf("the failures are %v, want %v", got, want)
	}
	if strings.Count(w.logged(), "\n") != 2 || strings.Contains(w.logged(), server.Socket) {
		t.Errorf("the log: %s", w.logged())
	}
}

func TestARefusalConcernsOneSubsystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := open(t, "redis://127.0.0.1:1", time.Hour)
		one, other := l.Subsystem(Limit), l.Subsystem(Quota)
		noPermission := replies(reply("NOPERM this user has no permissions to run the 'evalsha' command"))
		for range 5 {
			one.Do(t.Context(), "take", noPermission)
		}
		if one.Do(t.Context(), "mark", replies(nil)) {
			t.Error("half of a subsystem is in Redis and half in memory")
		}
		if !other.Do(t.Context(), "take", replies(nil)) {
			t.Error("another subsystem goes without Redis")
		}
		if notes := l.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "limit (NOPERM)") {
			t.Errorf("the notes are %q", notes)
		}
		if log := w.logged(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "subsystem=limit operation=take reason=NOPERM") || strings.Contains(log, "evalsha") {
			t.Errorf("the log: %s", log)
		}
		if got, want := w.failed(), map[string]int{"limit take": 5, "limit mark": 1}; !maps.Equal(got, want) {
			t.Errorf("the failures are %v, want %v", got, want)
		}

		time.Sleep(retryRefused)
		if !one.Do(t.Context(), "take", replies(redis.Nil)) || !one.Do(t.Context(), "mark", replies(nil)) {
			t.Error("it is permitted now, and not done")
		}
		if one.Back() != 1 || other.Back() != 0 || len(l.Notes()) != 0 {
			t.Errorf("back %d and %d times, notes %q", one.Back(), other.Back(), l.Notes())
		}
	})
}

func TestARefusedOperationThatDoesNotComeAgainIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := open(t, "redis://127.0.0.1:1", time.Hour)
		s := l.Subsystem(Pending)
		s.Do(t.Context(), "hold", replies(reply("OOM command not allowed when used memory > 'maxmemory'.")))
		if !strings.Contains(w.logged(), "reason=OOM") || !strings.Contains(w.logged(), "out of memory") || !strings.Contains(l.Notes()[0], "out of memory") {
			t.Errorf("the log: %s, the notes: %q", w.logged(), l.Notes())
		}
		time.Sleep(refusalLasts - 1)
		if s.Do(t.Context(), "find", replies(nil)) {
			t.Error("it is forgotten too soon")
		}
		time.Sleep(time.Nanosecond)
		if !s.Do(t.Context(), "find", replies(nil)) || s.Back() != 1 {
			t.Error("it is not forgotten")
		}
	})
}

func TestARedisThatCanDoNothingIsOutOfReach(t *testing.T) {
	for _, err := range []error{
		reply("LOADING Redis is loading the dataset in memory"), reply("READONLY You can't write against a read only replica."),
		reply("CLUSTERDOWN The cluster is down"), io.EOF, context.DeadlineExceeded, errors.New("redis: client is closed"),
	} {
		synctest.Test(t, func(t *testing.T) {
			l, _ := open(t, "redis://127.0.0.1:1", time.Hour)
			l.Subsystem(Pending).Do(t.Context(), "find", replies(err))
			if notes := l.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "out of reach") {
				t.Errorf("%v: the notes are %q", err, notes)
			}
			l.Close()
		})
	}
}

func TestARequestSpendsItsBudgetAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w := open(t, "redis://127.0.0.1:1", time.Hour)
		s := l.Subsystem(Pending)
		var done atomic.Int64
		slow := func(context.Context, redis.UniversalClient) error {
			time.Sleep(200 * time.Millisecond)
			done.Add(1)
			return nil
		}
		ctx, begin := WithBudget(t.Context(), 300*time.Millisecond), time.Now()
		expect := func(what string, answered, want bool, at time.Duration) {
			t.Helper()
			if answered != want || time.Since(begin) != at {
				t.Errorf("%s: answered %v after %v, want %v after %v", what, answered, time.Since(begin), want, at)
			}
		}
		expect("within the budget", s.Do(ctx, "find", slow), true, 200*time.Millisecond)
		expect("beyond it", s.Do(ctx, "hold", slow), false, 300*time.Millisecond)
		expect("with none left", s.Do(ctx, "take", slow), false, 300*time.Millisecond)
		expect("what must be sent", s.Send(ctx, "release", slow), false, 300*time.Millisecond)
		expect("waiting for something else", s.Do(WithoutBudget(ctx), "look", slow), true, 500*time.Millisecond)
		if synctest.Wait(); done.Load() != 4 || len(l.Notes()) != 0 {
			t.Errorf("%d operations were done, notes %q: a slow Redis is not lost", done.Load(), l.Notes())
		}
		if got, want := w.failed(), map[string]int{"pending hold": 1, "pending take": 1, "pending release": 1}; !maps.Equal(got, want) {
			t.Errorf("the failures are %v, want %v", got, want)
		}
	})
}

func TestRoundTripsAreCountedAndTimed(t *testing.T) {
	l, w := open(t, redistest.Start(t).URL("").Reveal(), time.Hour)
	s := l.Subsystem(Limit)
	var n atomic.Int64
	ctx := WithCounter(t.Context(), &n)
	s.Do(ctx, "take", ping)
	s.Do(ctx, "take", func(ctx context.Context, c redis.UniversalClient) error {
		_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.Get(ctx, "x")
			return p.Get(ctx, "y").Err()
		})
		return err
	})
	s.Do(t.Context(), "take", ping)
	if n.Load() != 2 || w.took[Limit] != 3 {
		t.Errorf("%d round trips were counted and %d timed, want 2 and 3", n.Load(), w.took[Limit])
	}
}

func TestAClosedLinkAnswersNothing(t *testing.T) {
	l, _ := open(t, redistest.Start(t).URL("").Reveal(), time.Hour)
	l.Close()
	l.Close()
	if l.Subsystem(Pending).Do(t.Context(), "find", ping) {
		t.Error("answered")
	}
}
