package world

import (
	"bytes"
	"sync"
	"time"
)

// Clock is moved by tests.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts in the middle of a time step.
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

// Buffer collects the log.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends to what was collected.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is what was collected.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
