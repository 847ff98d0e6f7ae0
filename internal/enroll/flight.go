package enroll

import (
	"context"
	"sync"
)

// flights lets simultaneous callers with the same key share one piece of work:
// the first of them does it, the others wait for its answer. It is what
// x/sync/singleflight does, and tells the work when nobody is left who waits.
// The zero value is ready.
type flights[T any] struct {
	mu    sync.Mutex
	byKey map[string]*flight[T]
}

type flight[T any] struct {
	callers   int
	abandoned chan struct{} // closed when the last caller has left
	done      chan struct{} // closed when value and err are there
	value     T
	err       error
}

// do runs work, or waits for the answer of the one that is under way. A caller
// who leaves, because ctx ended, leaves the others their answer; the first cannot
// leave before it has done its work, which may end early once it is abandoned.
// mine reports whether this caller's work was the one that ran.
func (f *flights[T]) do(ctx context.Context, key string, work func(abandoned <-chan struct{}) (T, error)) (value T, mine bool, err error) {
	one, mine := f.join(key)
	stop := context.AfterFunc(ctx, func() { f.leave(key, one) })
	defer stop()
	if mine {
		one.value, one.err = work(one.abandoned)
		f.land(key, one)
		return one.value, true, one.err
	}
	select {
	case <-one.done:
		return one.value, false, one.err
	case <-ctx.Done():
		if stop() { // It is told here before AfterFunc has begun.
			f.leave(key, one)
		}
		return value, false, &Error{Kind: UpstreamTimeout, Reason: "the caller's time is up", Cause: ctx.Err()}
	}
}

// join finds the flight of a key, or begins one.
func (f *flights[T]) join(key string) (one *flight[T], first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one = f.byKey[key]
	if first = one == nil; first {
		one = &flight[T]{abandoned: make(chan struct{}), done: make(chan struct{})}
		if f.byKey == nil {
			f.byKey = map[string]*flight[T]{}
		}
		f.byKey[key] = one
	}
	one.callers++
	return one, first
}

// leave takes a caller off a flight. Nobody joins one that is abandoned.
func (f *flights[T]) leave(key string, one *flight[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one.callers--; one.callers == 0 {
		close(one.abandoned)
		f.forget(key, one)
	}
}

func (f *flights[T]) land(key string, one *flight[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(one.done)
	f.forget(key, one)
}

// forget is for callers who hold f.mu. Another flight may have the key by now.
func (f *flights[T]) forget(key string, one *flight[T]) {
	if f.byKey[key] == one {
		delete(f.byKey, key)
	}
}
