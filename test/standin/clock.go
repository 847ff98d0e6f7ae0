package standin

import (
	"sync"
	"time"
)

// Clock is moved by tests. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts in the middle of a time step of TOTP (RFC 6238 §4.2).
func NewClock() *Clock { return &Clock{now: time.Date(2026, 5, 4, 12, 0, 15, 0, time.UTC)} }

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
