package world

import (
	"bytes"
	"sync"
)

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
