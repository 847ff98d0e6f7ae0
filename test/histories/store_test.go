package histories_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

// temporary
type shared struct {
	mu      sync.Mutex
	entries map[string]enroll.Pending
	ptr     map[string]string
	locks   map[string]*lock
	down    map[*link]bool
}
type lock struct{ until time.Time }
type link struct {
	s     *shared
	local *shared
	store enroll.Store
}

func newShared(*testing.T) *shared {
	return &shared{entries: map[string]enroll.Pending{}, ptr: map[string]string{}, locks: map[string]*lock{}, down: map[*link]bool{}}
}
func (s *shared) connect() *link {
	l := &link{s: s, local: newShared(nil)}
	l.store = l
	return l
}
func (s *shared) cut(l *link) { s.mu.Lock(); defer s.mu.Unlock(); s.down[l] = true }
func (s *shared) mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.down {
		l.local = newShared(nil)
	}
	s.down = map[*link]bool{}
}
func (s *shared) forgetLocks() { s.mu.Lock(); defer s.mu.Unlock(); s.locks = map[string]*lock{} }
func (s *shared) close()       {}

func (l *link) at() *shared {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.s.down[l] {
		return l.local
	}
	return l.s
}
func (s *shared) find(name string) (enroll.Pending, string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to, ok := s.ptr[name]; ok {
		name = to
	}
	p, ok := s.entries[name]
	if ok && !p.Expires.After(time.Now()) {
		return enroll.Pending{}, name, false
	}
	return p, name, ok
}
func (l *link) Find(_ context.Context, name string) (enroll.Pending, bool) {
	time.Sleep(time.Millisecond)
	p, _, ok := l.at().find(name)
	return p, ok
}

type hold struct {
	l      *link
	s      *shared
	name   string
	mine   *lock
	p      enroll.Pending
	ok     bool
	staged func()
	over   bool
}

func (l *link) Hold(ctx context.Context, name string) enroll.Hold {
	for {
		time.Sleep(time.Millisecond)
		s := l.at()
		_, entry, _ := s.find(name)
		s.mu.Lock()
		if k := s.locks[entry]; k == nil || k.until.Before(time.Now()) {
			mine := &lock{time.Now().Add(20 * time.Second)}
			s.locks[entry] = mine
			s.mu.Unlock()
			p, _, ok := s.find(name)
			return &hold{l: l, s: s, name: entry, mine: mine, p: p, ok: ok}
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return &hold{l: l, s: s, name: entry}
		case <-time.After(20 * time.Millisecond):
		}
	}
}
func (h *hold) Pending() (enroll.Pending, bool) { return h.p, h.ok }
func (h *hold) Save(p enroll.Pending, alias string) {
	h.staged = func() {
		h.s.entries[p.Name] = p
		if alias != "" {
			h.s.ptr[alias] = p.Name
		}
	}
}
func (h *hold) Delete() { h.staged = func() { delete(h.s.entries, h.name) } }
func (h *hold) Release(context.Context) bool {
	if h.over {
		return true
	}
	h.over = true
	time.Sleep(time.Millisecond)
	s := h.s
	if now := h.l.at(); now != s {
		return true // written locally, or lost
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.mine == nil || s.locks[h.name] != h.mine {
		return h.mine == nil
	}
	if h.staged != nil {
		h.staged()
	}
	delete(s.locks, h.name)
	return true
}

func (l *link) Claim(ctx context.Context, name string) (enroll.Pending, enroll.Hold) {
	if p, ok := l.Find(ctx, name); ok {
		return p, nil
	}
	short, cancel := context.WithCancel(ctx)
	cancel()
	h := l.Hold(short, name).(*hold)
	if h.mine == nil {
		return enroll.Pending{}, nil
	}
	if h.ok {
		h.Release(ctx)
		return h.p, nil
	}
	return enroll.Pending{}, h
}
