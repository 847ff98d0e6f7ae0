package pending

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink/redistest"
)

// stores are the kinds of store that behave alike.
var stores = []struct {
	name string
	make func(t *testing.T, r *rig) enroll.Store
}{
	{"memory", func(t *testing.T, r *rig) enroll.Store {
		m, err := NewMemory(r.options())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		t.Cleanup(func() { r.expectFailures(t, map[string]int{}) })
		return m
	}},
	{"Redis", func(t *testing.T, r *rig) enroll.Store {
		s := newRedis(t, r, redistest.Start(t).URL(""))
		t.Cleanup(func() { r.expectFailures(t, map[string]int{}) })
		return s
	}},
	{"Redis that cannot be reached", func(t *testing.T, r *rig) enroll.Store {
		return newRedis(t, r, "unix:///nowhere/redis.sock")
	}},
}

var behaviors = []struct {
	name string
	test func(t *testing.T, s enroll.Store, r *rig)
}{
	{"what was saved is found under each of its keys, whole", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("first", "second", "third")
		s.Save(t.Context(), p)
		for _, key := range p.Keys {
			expectFound(t, s, key, p)
		}
	}},
	{"what was not saved is not found", func(t *testing.T, s enroll.Store, r *rig) {
		s.Save(t.Context(), r.enrollment("another"))
		expectAbsent(t, s, "never")
	}},
	{"an enrollment without a session or a name is kept as it is", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("bare")
		p.Session, p.AccountName = "", ""
		s.Save(t.Context(), p)
		expectFound(t, s, "bare", p)
	}},
	{"the newest save counts", func(t *testing.T, s enroll.Store, r *rig) {
		s.Save(t.Context(), r.enrollment("renewed"))
		r.advance(time.Second)
		p := r.enrollment("renewed", "next")
		p.Secret = "ANOTHERSECRET234ANOTHERSECRET234"
		s.Save(t.Context(), p)
		expectFound(t, s, "renewed", p)
		expectFound(t, s, "next", p)
	}},
	{"an enrollment is not found from the moment it expires", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("short")
		s.Save(t.Context(), p)
		r.advance(15*time.Minute - 1)
		expectFound(t, s, "short", p)
		r.advance(1)
		expectAbsent(t, s, "short")
	}},
	{"an enrollment that has expired is not kept", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("late")
		r.advance(time.Hour)
		s.Save(t.Context(), p)
		expectAbsent(t, s, "late")
	}},
	{"deleting forgets it under all of its keys, its tries too, and nothing else", func(t *testing.T, s enroll.Store, r *rig) {
		p, other := r.enrollment("one", "two"), r.enrollment("other")
		s.Save(t.Context(), p)
		s.Save(t.Context(), other)
		for _, key := range []string{"one", "two", "other"} {
			s.CountTry(t.Context(), key, time.Hour)
		}
		s.Delete(t.Context(), p)
		expectAbsent(t, s, "one")
		expectAbsent(t, s, "two")
		expectFound(t, s, "other", other)
		for key, want := range map[string]int{"one": 1, "two": 1, "other": 2} {
			if tries, _ := s.CountTry(t.Context(), key, time.Hour); tries != want {
				t.Errorf("the next try of %q is number %d, want %d", key, tries, want)
			}
		}
	}},
	{"what was deleted can be saved again", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("again")
		s.Save(t.Context(), p)
		s.Delete(t.Context(), p)
		s.Save(t.Context(), p)
		expectFound(t, s, "again", p)
	}},
	{"a caller who left loses nothing", func(t *testing.T, s enroll.Store, r *rig) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p := r.enrollment("left")
		s.Save(ctx, p)
		if _, ok := s.Load(ctx, "left"); !ok {
			t.Error("not found by a caller who left")
		}
		expectFound(t, s, "left", p)
		s.Delete(ctx, p)
		expectAbsent(t, s, "left")
	}},
	{"tries are counted by key, and it is told when the window ends", func(t *testing.T, s enroll.Store, _ *rig) {
		s.CountTry(t.Context(), "elsewhere", time.Hour)
		for want := 1; want <= 12; want++ {
			tries, reset := s.CountTry(t.Context(), "tried", time.Hour)
			if tries != want || reset <= 0 || reset > time.Hour {
				t.Errorf("try %d is number %d, and the window ends in %v", want, tries, reset)
			}
		}
	}},
	{"tries begin anew after the window", func(t *testing.T, s enroll.Store, r *rig) {
		s.CountTry(t.Context(), "patient", time.Millisecond)
		eventually(t, "the tries began anew", func() bool {
			r.advance(time.Millisecond)
			tries, _ := s.CountTry(t.Context(), "patient", time.Millisecond)
			return tries == 1
		})
	}},
	{"no simultaneous try is lost", func(t *testing.T, s enroll.Store, _ *rig) {
		const many = 100
		seen := make([]int, many)
		together(many, func(i int) { seen[i], _ = s.CountTry(t.Context(), "guessed", time.Hour) })
		slices.Sort(seen)
		for i, n := range seen {
			if n != i+1 {
				t.Fatalf("the tries were numbered %v, want 1 to %d", seen, many)
			}
		}
	}},
	{"one caller at a time has the lock of a key", func(t *testing.T, s enroll.Store, _ *rig) {
		expectExclusion(t, s)
	}},
	{"who gets the lock finds what its last holder saved", func(t *testing.T, s enroll.Store, r *rig) {
		expectOneCreation(t, r, s)
	}},
	{"keys do not wait for each other's lock", func(t *testing.T, s enroll.Store, _ *rig) {
		defer s.Lock(t.Context(), "mine")()
		s.Lock(t.Context(), "yours")()
	}},
	{"who waits for a lock goes on when the time is up", func(t *testing.T, s enroll.Store, _ *rig) {
		unlock := s.Lock(t.Context(), "held")
		defer unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		s.Lock(ctx, "held")()
	}},
	{"unlocking twice does not unlock the next holder", func(t *testing.T, s enroll.Store, _ *rig) {
		first := s.Lock(t.Context(), "turn")
		first()
		second := s.Lock(t.Context(), "turn")
		first()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		third := s.Lock(ctx, "turn")
		if ctx.Err() == nil {
			t.Error("a third caller did not have to wait")
		}
		third()
		second()
	}},
}

func TestStores(t *testing.T) {
	for _, store := range stores {
		t.Run(store.name, func(t *testing.T) {
			r := newRig()
			s := store.make(t, r)
			for _, b := range behaviors {
				t.Run(b.name, func(t *testing.T) { b.test(t, s, r) })
			}
		})
	}
}

// together runs n goroutines and waits for them.
func together(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

// expectExclusion lets many callers, by turns at each of the stores, into what
// one of them at a time may do.
func expectExclusion(t *testing.T, stores ...enroll.Store) {
	t.Helper()
	var inside, passed atomic.Int32
	together(30, func(i int) {
		unlock := stores[i%len(stores)].Lock(t.Context(), "exclusive")
		if inside.Add(1) != 1 {
			t.Error("two callers hold the lock")
		}
		for range 3 {
			time.Sleep(100 * time.Microsecond) // Gives another holder the time to be seen.
		}
		inside.Add(-1)
		passed.Add(1)
		unlock()
	})
	if passed.Load() != 30 {
		t.Errorf("%d of 30 callers had the lock", passed.Load())
	}
}

// expectOneCreation does what enroll.Service.Start does, many times at once.
func expectOneCreation(t *testing.T, r *rig, stores ...enroll.Store) {
	t.Helper()
	var created atomic.Int32
	var secrets sync.Map
	together(30, func(i int) {
		s := stores[i%len(stores)]
		unlock := s.Lock(t.Context(), "created")
		defer unlock()
		p, ok := s.Load(t.Context(), "created")
		if !ok {
			created.Add(1)
			p = r.enrollment("created")
			p.Secret = enroll.Secret(fmt.Sprintf("SECRET%d", i))
			s.Save(t.Context(), p)
		}
		secrets.Store(p.Secret.Reveal(), true)
	})
	different := 0
	secrets.Range(func(any, any) bool { different++; return true })
	if created.Load() != 1 || different != 1 {
		t.Errorf("%d were created and %d different secrets given, want 1 and 1", created.Load(), different)
	}
}
