package pending

import (
	"context"
	"sync"
)

// turns lets one caller at a time have each name, within this process. Callers
// get it in the order in which they came.
type turns struct {
	mu    sync.Mutex
	lines map[string][]chan struct{} // who has the name, and who waits behind
}

// take waits for the turn of a name while ctx lasts. Where ctx ends first the
// name is not the caller's, and release does nothing.
func (t *turns) take(ctx context.Context, name string) (release func(), mine bool) {
	turn := t.enter(name)
	select {
	case <-turn:
		return sync.OnceFunc(func() { t.leave(name, turn) }), true
	default:
	}
	select {
	case <-turn:
		return sync.OnceFunc(func() { t.leave(name, turn) }), true
	case <-ctx.Done():
		t.leave(name, turn)
		return func() {}, false
	}
}

// try takes a name that nobody has.
func (t *turns) try(name string) (release func(), mine bool) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	return t.take(ended, name)
}

func (t *turns) enter(name string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines == nil {
		t.lines = map[string][]chan struct{}{}
	}
	turn := make(chan struct{})
	if t.lines[name] = append(t.lines[name], turn); len(t.lines[name]) == 1 {
		close(turn)
	}
	return turn
}

// leave takes a caller out of the line, and calls the next one where it was first.
func (t *turns) leave(name string, turn chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.lines[name]
	for i, other := range line {
		if other != turn {
			continue
		}
		line = append(line[:i:i], line[i+1:]...)
		if i == 0 && len(line) > 0 {
			close(line[0])
		}
		break
	}
	if t.lines[name] = line; len(line) == 0 {
		delete(t.lines, name)
	}
}
