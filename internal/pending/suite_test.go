package pending

import (
	"context"
	"fmt"
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
	{"memory", func(t *testing.T, r *rig) enroll.Store { return newMemory(t, r.options()) }},
	{"Redis", func(t *testing.T, r *rig) enroll.Store {
		s := newRedis(t, r, redistest.Start(t).URL(""))
		t.Cleanup(func() { r.expect(t, 0, map[string]int{}) })
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
	{"what was saved is found under its name and its sessions', whole", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("first")
		for _, alias := range []string{"second", "", "third"} {
			if !save(s, p, alias) {
				t.Error("it was not saved")
			}
		}
		for _, name := range []string{"first", "second", "third"} {
			expectFound(t, s, name, p)
		}
	}},
	{"what was not saved is not found", func(t *testing.T, s enroll.Store, r *rig) {
		save(s, r.enrollment("another"), "")
		expectAbsent(t, s, "never")
	}},
	{"an enrollment with little in it is kept as it is", func(t *testing.T, s enroll.Store, r *rig) {
		p := enroll.Pending{Name: "bare", Started: r.clock(), Ends: r.clock(), Expires: r.clock().Add(time.Minute), Done: true}
		p.Tries.Ends = r.clock()
		save(s, p, "")
		expectFound(t, s, "bare", p)
	}},
	{"the newest save counts, under every name that led to the one before", func(t *testing.T, s enroll.Store, r *rig) {
		save(s, r.enrollment("renewed"), "then")
		p := r.enrollment("renewed")
		p.Secret = "ANOTHERSECRET234ANOTHERSECRET234"
		save(s, p, "now")
		for _, name := range []string{"renewed", "then", "now"} {
			expectFound(t, s, name, p)
		}
	}},
	{"an enrollment is not found from the moment it expires", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("short")
		save(s, p, "shorter")
		r.advance(15*time.Minute - 1)
		expectFound(t, s, "short", p)
		expectFound(t, s, "shorter", p)
		r.advance(1)
		expectAbsent(t, s, "short")
		expectAbsent(t, s, "shorter")
	}},
	{"an enrollment that has expired is not kept", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("late")
		r.advance(time.Hour)
		save(s, p, "later")
		expectAbsent(t, s, "late")
		expectAbsent(t, s, "later")
	}},
	{"a holder sees what is there, and what it staged last is what is written", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("held")
		save(s, p, "alias")
		h := s.Hold(t.Context(), "alias")
		got, found := h.Pending()
		if !found {
			t.Fatal("nothing is found")
		}
		same(t, "held", got, p)
		p.AccountName = "nobody"
		h.Save(p, "")
		p.AccountName = "somebody else"
		h.Save(p, "")
		expectFound(t, s, "held", got)
		if once, again := h.Release(t.Context()), h.Release(t.Context()); !once || !again {
			t.Error("it was not released")
		}
		expectFound(t, s, "held", p)
	}},
	{"a holder who stages nothing changes nothing", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("untouched")
		save(s, p, "")
		s.Hold(t.Context(), "untouched").Release(t.Context())
		expectFound(t, s, "untouched", p)
		s.Hold(t.Context(), "nothing").Release(t.Context())
		expectAbsent(t, s, "nothing")
	}},
	{"a caller who left loses nothing", func(t *testing.T, s enroll.Store, r *rig) {
		ctx, cancel := context.WithCancel(t.Context())
		p := r.enrollment("left")
		h := s.Hold(ctx, "left")
		cancel()
		h.Save(p, "")
		h.Release(ctx)
		if _, ok := s.Find(ctx, "left"); !ok {
			t.Error("not found by a caller who left")
		}
		expectFound(t, s, "left", p)
	}},
	{"one caller at a time holds an enrollment", func(t *testing.T, s enroll.Store, _ *rig) {
		expectExclusion(t, "exclusive", s)
	}},
	{"who gets it finds what its last holder saved", func(t *testing.T, s enroll.Store, r *rig) {
		expectOneCreation(t, r, s)
		expectClaim(t, r, s)
	}},
	{"all names of an enrollment are one lock", func(t *testing.T, s enroll.Store, r *rig) {
		save(s, r.enrollment("chain"), "link")
		h := s.Hold(t.Context(), "chain")
		expectWait(t, s, "link").Release(t.Context())
		h.Release(t.Context())
		s.Hold(t.Context(), "link").Release(t.Context())
	}},
	{"enrollments do not wait for each other", func(t *testing.T, s enroll.Store, _ *rig) {
		defer s.Hold(t.Context(), "mine").Release(t.Context())
		s.Hold(t.Context(), "yours").Release(t.Context())
	}},
	{"who waited in vain writes nothing while somebody else holds it", func(t *testing.T, s enroll.Store, r *rig) {
		p := r.enrollment("busy")
		h := s.Hold(t.Context(), "busy")
		late := expectWait(t, s, "busy")
		late.Save(r.enrollment("busy"), "stray")
		if late.Release(t.Context()) {
			t.Error("it says that it wrote")
		}
		p.AccountName = "the holder's"
		h.Save(p, "")
		if !h.Release(t.Context()) {
			t.Error("the holder lost it")
		}
		expectFound(t, s, "busy", p)
		expectAbsent(t, s, "stray")
	}},
	{"releasing twice does not release the next holder", func(t *testing.T, s enroll.Store, _ *rig) {
		first := s.Hold(t.Context(), "turn")
		first.Release(t.Context())
		second := s.Hold(t.Context(), "turn")
		first.Release(t.Context())
		expectWait(t, s, "turn").Release(t.Context())
		second.Release(t.Context())
	}},
}

func TestStores(t *testing.T) {
	for _, kind := range stores {
		t.Run(kind.name, func(t *testing.T) {
			r := newRig()
			s := kind.make(t, r)
			for _, b := range behaviors {
				t.Run(b.name, func(t *testing.T) { b.test(t, s, r) })
			}
		})
	}
}

// expectWait expects that a name is held, and gives what a caller gets who does
// not wait for long.
func expectWait(t *testing.T, s enroll.Store, name string) enroll.Hold {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	h := s.Hold(ctx, name)
	if ctx.Err() == nil {
		t.Errorf("%q is held by two", name)
	}
	return h
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
func expectExclusion(t *testing.T, name string, stores ...enroll.Store) {
	t.Helper()
	var inside, passed atomic.Int32
	together(20, func(i int) {
		h := stores[i%len(stores)].Hold(t.Context(), name)
		if inside.Add(1) != 1 {
			t.Error("two callers hold it")
		}
		time.Sleep(300 * time.Microsecond) // Gives another holder the time to be seen.
		inside.Add(-1)
		passed.Add(1)
		h.Release(t.Context())
	})
	if passed.Load() != 20 {
		t.Errorf("%d of 20 callers held it", passed.Load())
	}
}

// expectClaim says that a claim finds what is there, holds what is not, and waits
// for nobody.
func expectClaim(t *testing.T, r *rig, stores ...enroll.Store) {
	t.Helper()
	last := stores[len(stores)-1]
	p, first := stores[0].Claim(t.Context(), "claimed")
	if first == nil || p.Secret != "" {
		t.Fatalf("nothing is there and nobody holds it: %v, %+v", first, p)
	}
	if p, second := last.Claim(t.Context(), "claimed"); second != nil || p.Secret != "" {
		t.Errorf("somebody else holds it: %v, %+v", second, p)
	}
	saved := r.enrollment("claimed")
	first.Save(saved, "")
	if !first.Release(t.Context()) {
		t.Error("the hold of a claim was lost")
	}
	if p, third := last.Claim(t.Context(), "claimed"); third != nil || p.Secret != saved.Secret {
		t.Errorf("what was saved is not found: %v, %+v", third, p)
	}
	// What is not held can be held at once.
	last.Hold(t.Context(), "claimed").Release(t.Context())
}

// expectOneCreation does what enroll.Service.Start does, many times at once.
func expectOneCreation(t *testing.T, r *rig, stores ...enroll.Store) {
	t.Helper()
	var created atomic.Int32
	var secrets sync.Map
	together(20, func(i int) {
		h := stores[i%len(stores)].Hold(t.Context(), "created")
		p, found := h.Pending()
		if !found {
			created.Add(1)
			p = r.enrollment("created")
			p.Secret = enroll.Secret(fmt.Sprintf("SECRET%d", i))
			h.Save(p, "")
		}
		h.Release(t.Context())
		secrets.Store(p.Secret.Reveal(), true)
	})
	different := 0
	secrets.Range(func(any, any) bool { different++; return true })
	if created.Load() != 1 || different != 1 {
		t.Errorf("%d were created and %d different secrets given, want 1 and 1", created.Load(), different)
	}
}
