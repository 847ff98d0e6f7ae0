// Package limit keeps the allowances of callers: token buckets, in the memory
// of one process or in a Redis that the replicas share. Both satisfy
// enroll.Limiter.
package limit

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"mfa-enrollment/internal/enroll"
)

const (
	// capacity bounds the callers that are remembered. Beyond it some are
	// forgotten, whoever they are, and have a full allowance again.
	capacity = 100_000
	// firstSweep is how many callers it takes before anybody is forgotten.
	firstSweep = 1_000
)

// Memory keeps allowances in this process. It is safe for concurrent use.
type Memory struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[bucketName]*rate.Limiter
	sweepAt int // how many buckets there are when it is worth looking for full ones
}

type bucketName struct{ guard, caller string }

var _ enroll.Limiter = (*Memory)(nil)

// NewMemory makes an empty one.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, buckets: map[bucketName]*rate.Limiter{}, sweepAt: firstSweep}
}

// Take implements enroll.Limiter.
func (m *Memory) Take(_ context.Context, g enroll.Guard, caller string) (left int, wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	bucket := m.bucket(g, caller, now)
	r := bucket.ReserveN(now, 1)
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return 0, wait
	}
	return int(bucket.TokensAt(now)), 0
}

// Left implements enroll.Limiter.
func (m *Memory) Left(_ context.Context, g enroll.Guard, caller string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.buckets[bucketName{g.Name, caller}]; b != nil {
		return int(b.TokensAt(m.now()))
	}
	return g.Burst
}

// GiveBack implements enroll.Limiter. A bucket never holds more than its burst.
func (m *Memory) GiveBack(_ context.Context, g enroll.Guard, caller string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.bucket(g, caller, now).ReserveN(now, -1)
}

// bucket finds a caller's bucket or makes a full one.
func (m *Memory) bucket(g enroll.Guard, caller string, now time.Time) *rate.Limiter {
	name := bucketName{g.Name, caller}
	if b := m.buckets[name]; b != nil {
		return b
	}
	if len(m.buckets) >= m.sweepAt {
		m.sweep(now)
	}
	b := rate.NewLimiter(rate.Every(g.Interval), g.Burst)
	m.buckets[name] = b
	return b
}

// sweep forgets the buckets that are full, as one that is not there is too. It
// looks at all of them, and so comes when there are twice as many as it left.
func (m *Memory) sweep(now time.Time) {
	for name, b := range m.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(m.buckets, name)
		}
	}
	for name := range m.buckets {
		if len(m.buckets) <= capacity*7/8 {
			break
		}
		delete(m.buckets, name)
	}
	m.sweepAt = max(firstSweep, min(capacity, 2*len(m.buckets)))
}
