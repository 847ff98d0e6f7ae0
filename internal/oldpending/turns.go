package pending

import (
	"context"
	"sync"
)

// turns lets one caller at a time have each key, within this process.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed when the key is free again
}

// take waits for the turn of a key while ctx lasts. The caller whose time is up
// goes without; what it does next ends by the same ctx.
func (t *turns) take(ctx context.Context, key string) (release func()) {
	for {
		free, mine := t.claim(key)
		if mine {
			return sync.OnceFunc(func() { t.release(key) })
		}
		select {
		case <-free:
		case <-ctx.Done():
			return func() {}
		}
	}
}

func (t *turns) claim(key string) (free chan struct{}, mine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if free, taken := t.taken[key]; taken {
		return free, false
	}
	if t.taken == nil {
		t.taken = make(map[string]chan struct{})
	}
	t.taken[key] = make(chan struct{})
	return nil, true
}

func (t *turns) release(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.taken[key])
	delete(t.taken, key)
}
