// Package limit keeps the allowances of callers: token buckets, in the memory
// of one process or in a Redis that the replicas share. Both satisfy
// enroll.Limiter.
package limit

import (
	"context"
	"sync"
	"time"

	"github.com/jellydator/ttlcache/v3"
	"golang.org/x/time/rate"

	"mfa-enrollment/internal/enroll"
)

// capacity bounds the callers that are remembered. Who was idle for longest is
// forgotten first, and has a full allowance again.
const capacity = 100_000

// Memory keeps allowances in this process.
type Memory struct {
	now func() time.Time

	mu      sync.Mutex // finding or making a bucket is one step
	buckets *ttlcache.Cache[string, *rate.Limiter]
}

var _ enroll.Limiter = (*Memory)(nil)

// NewMemory makes an empty one.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, buckets: ttlcache.New(ttlcache.WithCapacity[string, *rate.Limiter](capacity))}
}

// Take implements enroll.Limiter.
func (m *Memory) Take(_ context.Context, g enroll.Guard, caller string) (left int, wait time.Duration) {
	now, bucket := m.now(), m.bucket(g, caller)
	r := bucket.ReserveN(now, 1)
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return 0, wait
	}
	return int(bucket.TokensAt(now)), 0
}

// GiveBack implements enroll.Limiter. A bucket never holds more than its burst.
func (m *Memory) GiveBack(_ context.Context, g enroll.Guard, caller string) {
	m.bucket(g, caller).ReserveN(m.now(), -1)
}

func (m *Memory) bucket(g enroll.Guard, caller string) *rate.Limiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := g.Name + ":" + caller
	if item := m.buckets.Get(name); item != nil {
		return item.Value()
	}
	b := rate.NewLimiter(rate.Every(g.Interval), g.Burst)
	m.buckets.Set(name, b, ttlcache.NoTTL)
	return b
}
