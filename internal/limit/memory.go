// Package limit keeps the token buckets and the marks of callers, in the memory
// of one process or in a Redis that the replicas share. Both satisfy
// enroll.Limiter and pass one suite.
package limit

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"mfa-enrollment/internal/enroll"
)

const (
	// capacity bounds the buckets that are remembered, and so the marks: some
	// 14 MB. Beyond it some are forgotten, whosever they are.
	capacity = 100_000
	// firstSweep is how many there must be before any is looked at.
	firstSweep = 1_000
)

// Memory keeps buckets and marks in this process. It is safe for concurrent use.
//
// A bucket is the time at which it is full again (the generic cell rate
// algorithm): one that is full need not be kept. Times are kept as what has passed
// since the beginning, by the monotonic clock: a time.Time is three times as large,
// and there are thousands.
type Memory struct {
	now   func() time.Time
	begin time.Time

	mu      sync.Mutex
	buckets table[time.Duration]
	marks   table[mark]
}

type mark struct {
	value string
	ends  time.Duration
}

var _ enroll.Limiter = (*Memory)(nil)

// NewMemory makes an empty one.
func NewMemory(now func() time.Time) *Memory {
	m := &Memory{now: now, begin: now()}
	m.Forget()
	return m
}

// Forget empties it.
func (m *Memory) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.buckets = newTable(func(full time.Duration) time.Duration { return full })
	m.marks = newTable(func(k mark) time.Duration { return k.ends })
}

func (m *Memory) passed() time.Duration { return m.now().Sub(m.begin) }

// Take implements enroll.Limiter.
func (m *Memory) Take(_ context.Context, cases ...enroll.Case) enroll.Taken {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.passed()
	var t enroll.Taken
	for i, c := range cases {
		t = enroll.Taken{Case: i}
		if c.When != "" {
			set, there := m.marks.at(c.When, now)
			if !there {
				continue
			}
			t.Value = set.value
		}
		if m.take(c, &t, now); t.Wait == 0 || !c.Try {
			break
		}
	}
	return t
}

// take takes the tokens of a case, or says in which bucket they are missing for
// longest.
func (m *Memory) take(c enroll.Case, t *enroll.Taken, now time.Duration) {
	full := make([]time.Duration, len(c.Wants))
	for i, w := range c.Wants {
		full[i] = m.full(bucket(w, t.Value), now) + time.Duration(w.N)*w.Interval
		if wait := full[i] - now - time.Duration(w.Burst-w.Keep)*w.Interval; wait > t.Wait {
			t.Wait, t.Met = wait, w.Guard
		}
	}
	if t.Wait > 0 {
		return
	}
	for i, w := range c.Wants {
		m.buckets.set(bucket(w, t.Value), full[i], now)
	}
	m.mark(c.Sets, now)
}

// Settle implements enroll.Limiter.
func (m *Memory) Settle(_ context.Context, back []enroll.Want, marks []enroll.Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.passed()
	for _, w := range back {
		if full := m.full(bucket(w, ""), now) - time.Duration(w.N)*w.Interval; full > now {
			m.buckets.set(bucket(w, ""), full, now)
		} else {
			m.buckets.remove(bucket(w, ""))
		}
	}
	m.mark(marks, now)
}

func (m *Memory) mark(marks []enroll.Mark, now time.Duration) {
	for _, k := range marks {
		m.marks.set(k.Name, mark{k.Value, now + k.TTL}, now)
	}
}

// full is when a bucket is full, at the earliest now.
func (m *Memory) full(name string, now time.Duration) time.Duration {
	if full, there := m.buckets.at(name, now); there {
		return full
	}
	return now
}

// bucket names the bucket that somebody has of a guard.
func bucket(w enroll.Want, value string) string {
	if w.OfMark {
		return w.Name + ":" + value
	}
	return w.Name + ":" + w.Of
}

// table is a bounded map whose entries end. It has a hash of 64 bits for a name,
// which takes a tenth of the name's memory. Two of 100,000 names share one with a
// chance of 3 in 10,000,000,000, and nobody can make two that do: the seed is random.
type table[T any] struct {
	entries map[uint64]T
	seed    maphash.Seed
	ends    func(T) time.Duration
	sweepAt int // how many entries there are when it is worth looking for ended ones
}

func newTable[T any](ends func(T) time.Duration) table[T] {
	return table[T]{map[uint64]T{}, maphash.MakeSeed(), ends, firstSweep}
}

func (t *table[T]) at(name string, now time.Duration) (entry T, there bool) {
	if entry, there = t.entries[t.key(name)]; there && t.ends(entry) > now {
		return entry, true
	}
	var none T
	return none, false
}

func (t *table[T]) set(name string, entry T, now time.Duration) {
	key := t.key(name)
	if _, there := t.entries[key]; !there && len(t.entries) >= t.sweepAt {
		t.sweep(now)
	}
	t.entries[key] = entry
}

func (t *table[T]) remove(name string) { delete(t.entries, t.key(name)) }

func (t *table[T]) key(name string) uint64 { return maphash.String(t.seed, name) }

// sweep forgets the entries that have ended, and some others where there are too
// many. It looks at all of them, and so comes when there are twice as many as it
// left.
func (t *table[T]) sweep(now time.Duration) {
	for key, entry := range t.entries {
		if t.ends(entry) <= now {
			delete(t.entries, key)
		}
	}
	for key := range t.entries {
		if len(t.entries) <= capacity*7/8 {
			break
		}
		delete(t.entries, key)
	}
	t.sweepAt = max(firstSweep, min(capacity, 2*len(t.entries)))
}
