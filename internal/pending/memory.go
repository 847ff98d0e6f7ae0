package pending

import (
	"context"
	"sync"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/seal"
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

	mu   sync.Mutex
	rows table[row]

	closed   chan struct{}
	close    func()
	sweeping sync.WaitGroup
}

// row is an entry, or a pointer to one. Its times are nanoseconds since 1970: a
// time.Time is three times as large, and there are thousands.
type row struct {
	blob    []byte // sealed
	expires int64
	shown   int64 // until when it counts as pending; zero: it does not
}

func (r row) pointer() bool { return seal.Kind(r.blob[0]) == seal.Pointer }

func (r row) ended(now time.Time) bool { return r.expires <= now.UnixNano() }

// NewMemory makes a store in memory. It fails for a seal key that is not 32
// bytes long.
func NewMemory(o Options) (*Memory, error) {
	o = o.withDefaults()
	s, err := newSealer(o.SealKeys, o.Rand)
	if err != nil {
		return nil, err
	}
	o.SealKeys = nil // The sealer has them; nobody else needs them.
	m := &Memory{o: o, sealer: s, rows: newTable[row](o.Capacity), closed: make(chan struct{})}
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
			m.rows.sweep(m.o.Now())
			m.mu.Unlock()
		}
	}
}

// Len tells how many enrollments are pending here: those that were verified, or
// are not shown any more, are not.
func (m *Memory) Len() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	for _, r := range m.rows.rows {
		if !r.ended(now) && r.shown > now.UnixNano() {
			n++
		}
	}
	return n
}

// forget forgets everything.
func (m *Memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.rows.rows)
}

// Find implements enroll.Store.
func (m *Memory) Find(_ context.Context, name string) (enroll.Pending, bool) {
	name, blob := m.look(name)
	return m.read(name, blob)
}

// look follows a name to the entry that it leads to; nil is none.
func (m *Memory) look(name string) (target string, blob []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	r, found := m.rows.at(name)
	if found && r.pointer() && !r.ended(now) {
		to, err := m.sealer.follow(name, r.blob)
		if err != nil {
			m.o.Unreadable()
			return name, nil
		}
		name = to
		r, found = m.rows.at(name)
	}
	if !found || r.pointer() || r.ended(now) {
		return name, nil
	}
	return name, r.blob
}

// read opens what is kept under a name; nil is nothing.
func (m *Memory) read(name string, blob []byte) (enroll.Pending, bool) {
	if blob == nil {
		return enroll.Pending{}, false
	}
	p, err := m.sealer.open(name, blob)
	if err != nil {
		m.o.Unreadable()
		return enroll.Pending{}, false
	}
	return p, p.Expires.After(m.o.Now())
}

// Claim implements enroll.Store.
func (m *Memory) Claim(ctx context.Context, name string) (enroll.Pending, enroll.Hold) {
	target, _ := m.look(name)
	release, mine := m.turns.try(target)
	p, found := m.Find(ctx, name)
	if !mine {
		return p, nil
	}
	if again, _ := m.look(name); found || again != target {
		release()
		return p, nil
	}
	return enroll.Pending{}, &memoryHold{memory: m, target: target, free: release, mine: true}
}

// Hold implements enroll.Store.
func (m *Memory) Hold(ctx context.Context, name string) enroll.Hold { return m.hold(ctx, name) }

func (m *Memory) hold(ctx context.Context, name string) *memoryHold {
	for {
		target, _ := m.look(name)
		release, mine := m.turns.take(ctx, target)
		again, blob := m.look(name)
		if mine && again != target { // Meanwhile it leads elsewhere.
			release()
			continue
		}
		h := &memoryHold{memory: m, target: again, free: release, mine: mine}
		h.seen, h.found = m.read(again, blob)
		return h
	}
}

// staged is what a holder wants written. Both kinds of hold have it.
type staged struct {
	seen  enroll.Pending
	found bool
	save  *enroll.Pending
	alias string
}

func (s *staged) Pending() (enroll.Pending, bool) { return s.seen, s.found }

// Save implements enroll.Hold.
func (s *staged) Save(p enroll.Pending, alias string) { s.save, s.alias = &p, alias }

// memoryHold is a hold in this process. Where ctx ended before its turn came,
// it is not mine: it then writes only while nobody else holds the enrollment.
type memoryHold struct {
	staged
	memory *Memory
	target string
	free   func()
	mine   bool

	once sync.Once
	kept bool
}

// Release implements enroll.Hold.
func (h *memoryHold) Release(context.Context) bool {
	h.once.Do(func() {
		if !h.mine {
			free, alone := h.memory.turns.try(h.target)
			if !alone {
				return
			}
			h.free = free
		}
		h.memory.write(h.staged)
		h.kept = true
		h.free()
	})
	return h.kept
}

// write does what a holder staged. What cannot be sealed is not kept.
func (m *Memory) write(s staged) {
	w, err := m.sealed(s)
	if err != nil {
		m.o.Unreadable()
		return
	}
	if w.entry == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := row{blob: w.entry, expires: s.save.Expires.UnixNano()}
	if s.save.Secret != "" && !s.save.Done {
		p.shown = s.save.Ends.UnixNano()
	}
	m.rows.put(s.save.Name, p)
	if w.pointer != nil {
		m.rows.put(s.alias, row{blob: w.pointer, expires: s.save.Expires.UnixNano()})
	}
}

// sealed is what is to be written: an entry, and a pointer to it.
type sealed struct{ entry, pointer []byte }

// sealed seals what a holder staged. It gives nothing where nothing was, or where
// it has expired.
func (m *Memory) sealed(s staged) (w sealed, err error) {
	if s.save == nil || !s.save.Expires.After(m.o.Now()) {
		return sealed{}, nil
	}
	if w.entry, err = m.sealer.seal(*s.save); err != nil {
		return sealed{}, err
	}
	if s.alias != "" && s.alias != s.save.Name {
		w.pointer, err = m.sealer.point(s.alias, s.save.Name)
	}
	return w, err
}
