package events

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"
)

// Bounds of what waits: an event takes some 700 bytes.
const (
	maxPeople    = 10_000 // with an event that waits
	maxEach      = 100    // events of one person
	maxInProcess = 10_000 // events of this replica
)

// item is a sealed event that waits to be sent.
type item struct {
	person string // enroll.Person.Name
	blob   []byte
	at     time.Time // when it happened; zero where another replica put it
}

// lent is the oldest event of a person, lent to one sender. Until it is given back
// nobody else gets an event of this person.
type lent struct {
	item
	failed int    // how often it was given back already
	token  string // what says that it is this loan; Redis alone needs it
}

// queue keeps events in order for each person.
type queue interface {
	// put adds an event. It reports false where there is no room.
	put(ctx context.Context, i item) bool
	// take lends an event whose time has come, or tells for how long there will be
	// none.
	take(ctx context.Context, now time.Time) (l lent, ok bool, wait time.Duration)
	// done forgets a lent event: it was delivered, or given up.
	done(ctx context.Context, l lent, now time.Time)
	// later gives it back, to be lent again at a time.
	later(ctx context.Context, l lent, at time.Time)
	// waiting tells how many events of this replica wait, and since when the oldest
	// does.
	waiting() (n int, since time.Time)
	// ready reports whether one of these is being sent, or could be at once.
	ready(now time.Time) bool
}

// memory is a queue in this process. It is safe for concurrent use.
type memory struct {
	mu     sync.Mutex
	people map[string]*line
	count  int
}

// line is the events of one person.
type line struct {
	items  []item
	due    time.Time
	failed int // attempts for the first of them
	busy   bool
}

func newMemory() *memory { return &memory{people: map[string]*line{}} }

func (m *memory) put(_ context.Context, i item) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.people[i.person]
	if m.count >= maxInProcess || p != nil && len(p.items) >= maxEach {
		return false
	}
	if p == nil {
		p = &line{}
		m.people[i.person] = p
	}
	p.items = append(p.items, i)
	m.count++
	return true
}

func (m *memory) take(_ context.Context, now time.Time) (l lent, ok bool, wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var first *line
	for _, p := range m.people {
		if p.busy || first != nil && !p.due.Before(first.due) {
			continue
		}
		first, l = p, lent{item: p.items[0], failed: p.failed}
	}
	switch {
	case first == nil:
		return lent{}, false, pollEvery
	case first.due.After(now):
		return lent{}, false, first.due.Sub(now)
	}
	first.busy = true
	return l, true, 0
}

func (m *memory) done(_ context.Context, l lent, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(l.item)
	if p := m.people[l.person]; p != nil {
		p.busy, p.due, p.failed = false, now, 0
	}
}

// remove is for callers who hold m.mu.
func (m *memory) remove(i item) {
	p := m.people[i.person]
	if p == nil {
		return
	}
	at := slices.IndexFunc(p.items, func(other item) bool { return bytes.Equal(other.blob, i.blob) })
	if at < 0 {
		return
	}
	p.items = slices.Delete(p.items, at, at+1)
	m.count--
	if len(p.items) == 0 {
		delete(m.people, i.person)
	}
}

func (m *memory) later(_ context.Context, l lent, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.people[l.person]; p != nil {
		p.busy, p.due, p.failed = false, at, l.failed+1
	}
}

func (m *memory) waiting() (n int, since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.people {
		if at := p.items[0].at; since.IsZero() || at.Before(since) {
			since = at
		}
	}
	return m.count, since
}

func (m *memory) ready(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.people {
		if p.busy || !p.due.After(now) {
			return true
		}
	}
	return false
}

// all is everything that waits, each person's events in order.
func (m *memory) all() (items []item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.people {
		items = append(items, p.items...)
	}
	return items
}

// forget forgets one event, wherever it stands.
func (m *memory) forget(i item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(i)
}

// without is a list without one event.
func without(items []item, i item) []item {
	return slices.DeleteFunc(slices.Clone(items), func(other item) bool { return bytes.Equal(other.blob, i.blob) })
}
