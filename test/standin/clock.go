package standin

import (
	"sync"
	"time"
)

// Clock is moved by tests. It is safe for concurrent use.
type Clock struct {
	base  func() time.Time
	mu    sync.Mutex
	ahead time.Duration
}

// NewClock stands still, in the middle of a time step of TOTP (RFC 6238 §4.2),
// until the test moves it.
func NewClock() *Clock {
	start := time.Date(2026, 5, 4, 12, 0, 15, 0, time.UTC)
	return NewClockOver(func() time.Time { return start })
}

// NewClockOver goes as another one does, until the test moves it.
func NewClockOver(base func() time.Time) *Clock { return &Clock{base: base} }

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base().Add(c.ahead)
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}
