package pending

import (
	"context"
	"sync"
	"time"

	"mfa-enrollment/internal/enroll"
)

// sweepEvery is how long an expired entry may stay in memory. It is not found
// any more from the moment it expires.
const sweepEvery = 10 * time.Second

// Memory keeps pending enrollments in this process. It is safe for concurrent
// use.
type Memory struct {
	o      Options
	sealer *sealer
	turns  turns

	mu      sync.Mutex
	entries table[*kept]
	tries   table[tries]

	closed   chan struct{}
	close    func()
	sweeping sync.WaitGroup
}

// kept is an entry under one of its keys. It is never changed, so that two
// looks can be compared by their pointers.
type kept struct {
	blob    []byte // sealed
	started time.Time
	expires time.Time
	first   bool // under the first of its keys, and not verified: an enrollment counts once
}

func (k *kept) ended(now time.Time) bool { return !k.expires.After(now) }

// tries are the tries against a key in the running window.
type tries struct {
	count int
	ends  time.Time
}

func (t tries) ended(now time.Time) bool { return !t.ends.After(now) }

// NewMemory makes a store in memory. It fails for a seal key that is not 32
// bytes long.
func NewMemory(o Options) (*Memory, error) {
	o = o.withDefaults()
	s, err := newSealer(o.SealKeys, o.Rand)
	if err != nil {
		return nil, err
	}
	o.SealKeys = nil // The sealer has them; nobody else needs them.
	m := &Memory{
		o: o, sealer: s, closed: make(chan struct{}),
		entries: newTable[*kept](o.Capacity), tries: newTable[tries](o.Capacity),
	}
	m.close = sync.OnceFunc(func() { close(m.closed) })
	m.sweeping.Go(m.sweep)
	return m, nil
}

// Close stops the sweeping. What is kept stays readable.
func (m *Memory) Close() {
	m.close()
	m.sweeping.Wait()
}

func (m *Memory) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-m.closed:
			return
		case <-tick.C:
			m.mu.Lock()
			m.entries.sweep(m.o.Now())
			m.tries.sweep(m.o.Now())
			m.mu.Unlock()
		}
	}
}

// Len tells how many pending enrollments are kept here.
func (m *Memory) Len() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	for _, k := range m.entries.rows {
		if k.first && !k.ended(now) {
			n++
		}
	}
	return n
}

// forget forgets everything.
func (m *Memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.entries.rows)
	clear(m.tries.rows)
}

// Load implements enroll.Store.
func (m *Memory) Load(_ context.Context, key string) (enroll.Pending, bool) {
	k := m.look(key)
	if k == nil {
		return enroll.Pending{}, false
	}
	p, err := m.sealer.open(key, k.blob)
	if err != nil {
		m.o.Failed(opOpen)
		m.replace(key, k, nil)
		return enroll.Pending{}, false
	}
	return p, p.Expires.After(m.o.Now())
}

// Save implements enroll.Store.
func (m *Memory) Save(_ context.Context, p enroll.Pending) {
	m.keep(p.Keys, m.seal(p))
}

// Delete implements enroll.Store.
func (m *Memory) Delete(_ context.Context, p enroll.Pending) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range p.Keys {
		delete(m.entries.rows, key)
		delete(m.tries.rows, key)
	}
}

// Lock implements enroll.Store.
func (m *Memory) Lock(ctx context.Context, key string) (unlock func()) { return m.turns.take(ctx, key) }

// CountTry implements enroll.Store.
func (m *Memory) CountTry(_ context.Context, key string, window time.Duration) (count int, reset time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	t, found := m.tries.rows[key]
	if !found || t.ended(now) {
		t = tries{ends: now.Add(window)}
	}
	t.count++
	m.tries.put(key, t)
	return t.count, t.ends.Sub(now)
}

// seal seals an enrollment for each of its keys, in their order. It gives none
// when it has expired or cannot be sealed.
func (m *Memory) seal(p enroll.Pending) []*kept {
	if !p.Expires.After(m.o.Now()) {
		return nil
	}
	sealed := make([]*kept, 0, len(p.Keys))
	for i, key := range p.Keys {
		blob, err := m.sealer.seal(key, p)
		if err != nil {
			m.o.Failed(opSave)
			return nil
		}
		sealed = append(sealed, &kept{blob: blob, started: p.Started, expires: p.Expires, first: i == 0 && p.Secret != ""})
	}
	return sealed
}

// keep puts what seal gave under the same keys.
func (m *Memory) keep(keys []string, sealed []*kept) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, k := range sealed {
		m.entries.put(keys[i], k)
	}
}

// look finds what is kept under a key, or nil.
func (m *Memory) look(key string) *kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.entries.rows[key]; k != nil && !k.ended(m.o.Now()) {
		return k
	}
	return nil
}

// replace puts next in the place of what was seen there, nil for nothing,
// unless something else came there in between.
func (m *Memory) replace(key string, seen, next *kept) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.entries.rows[key] != seen:
	case next == nil:
		delete(m.entries.rows, key)
	default:
		m.entries.put(key, next)
	}
}
