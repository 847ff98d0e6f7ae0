package redislink

import (
	"context"
	"sync"
	"time"
)

// budget is what one request may still spend on waiting for Redis.
type budget struct {
	mu   sync.Mutex
	left time.Duration
}

type budgetKey struct{}

// WithBudget bounds what a request waits for Redis, over all of its operations
// together. When it is spent the request goes on without Redis.
func WithBudget(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, budgetKey{}, &budget{left: d})
}

// WithoutBudget is for operations that are part of waiting for something else: a
// place in the queue, or a lock. Each may take the link's own patience.
func WithoutBudget(ctx context.Context) context.Context {
	return context.WithValue(ctx, budgetKey{}, (*budget)(nil))
}

// budgetOf is nil where there is none.
func budgetOf(ctx context.Context) *budget {
	b, _ := ctx.Value(budgetKey{}).(*budget)
	return b
}

func (b *budget) spent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left <= 0
}

// wait waits for an answer while the budget lasts, and pays for it.
func (b *budget) wait(answer <-chan bool) bool {
	b.mu.Lock()
	timer, begin := time.NewTimer(b.left), time.Now()
	b.mu.Unlock()
	defer func() {
		timer.Stop()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.left -= time.Since(begin)
	}()
	select {
	case a := <-answer:
		return a
	case <-timer.C:
		return false
	}
}
