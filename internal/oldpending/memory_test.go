package pending

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func newMemory(t testing.TB, o Options) *Memory {
	t.Helper()
	m, err := NewMemory(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func TestMemoryIsBounded(t *testing.T) {
	r := newRig()
	o := r.options()
	o.Capacity = 10
	m := newMemory(t, o)
	for i := range 25 {
		p := r.enrollment(fmt.Sprint(i))
		m.Save(t.Context(), p)
		m.CountTry(t.Context(), p.Keys[0], time.Hour)
	}
	if m.Len() != 10 || len(m.tries.rows) != 10 {
		t.Errorf("%d enrollments and the tries of %d are kept, want 10 of each", m.Len(), len(m.tries.rows))
	}
	expectFound(t, m, "24", r.enrollment("24"))
}

func TestWhatIsSavedAgainTakesNobodysPlace(t *testing.T) {
	r := newRig()
	o := r.options()
	o.Capacity = 2
	m := newMemory(t, o)
	m.Save(t.Context(), r.enrollment("one"))
	m.Save(t.Context(), r.enrollment("two"))
	m.Save(t.Context(), r.enrollment("two"))
	expectFound(t, m, "one", r.enrollment("one"))
	expectFound(t, m, "two", r.enrollment("two"))
}

func TestLenCountsEnrollments(t *testing.T) {
	r := newRig()
	m := newMemory(t, r.options())
	chain, single := r.enrollment("a", "b", "c"), r.enrollment("d")
	m.Save(t.Context(), chain)
	m.Save(t.Context(), single)
	if m.Len() != 2 {
		t.Errorf("%d, want 2: a chain of sessions is one enrollment", m.Len())
	}
	m.Delete(t.Context(), chain)
	if m.Len() != 1 {
		t.Errorf("%d after one of two was deleted, want 1", m.Len())
	}
	r.advance(time.Hour)
	if m.Len() != 0 {
		t.Errorf("%d after all expired, want 0", m.Len())
	}
}

// An entry must not stay for long after it expired, looked for or not, and
// looking at it must not lengthen its life.
func TestMemoryForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := NewMemory(Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := newRig().enrollment("key")
		p.Started, p.Expires = time.Now(), time.Now().Add(time.Minute)
		m.Save(t.Context(), p)
		m.CountTry(t.Context(), "key", time.Minute)
		time.Sleep(59 * time.Second)
		expectFound(t, m, "key", p)
		time.Sleep(time.Second + sweepEvery)
		synctest.Wait()
		if n, tries := len(m.entries.rows), len(m.tries.rows); n != 0 || tries != 0 {
			t.Errorf("%d entries and %d tries are still in memory", n, tries)
		}
		m.Close()
		m.Close()
	})
}

func TestMemoryIsSealedToo(t *testing.T) {
	r := newRig()
	m := newMemory(t, r.options())
	p := r.enrollment("key")
	m.Save(t.Context(), p)
	for _, k := range m.entries.rows {
		for _, clear := range []string{p.Secret.Reveal(), p.Session.Reveal(), p.AccountName} {
			if bytes.Contains(k.blob, []byte(clear)) {
				t.Error("an entry in memory is not sealed")
			}
		}
	}
}

func TestAnAlteredEntryInMemoryIsRefusedAndForgotten(t *testing.T) {
	r := newRig()
	m := newMemory(t, r.options())
	m.Save(t.Context(), r.enrollment("key"))
	m.look("key").blob[20] ^= 1
	expectAbsent(t, m, "key")
	r.expectFailures(t, map[string]int{opOpen: 1})
	if m.look("key") != nil {
		t.Error("it is still kept")
	}
}

func BenchmarkMemorySave(b *testing.B) {
	m, r := newMemory(b, Options{}), newRig()
	p := r.enrollment("key")
	p.Started, p.Expires = time.Now(), time.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		m.Save(b.Context(), p)
	}
}

func BenchmarkMemoryLoad(b *testing.B) {
	m, r := newMemory(b, Options{}), newRig()
	p := r.enrollment("key")
	p.Started, p.Expires = time.Now(), time.Now().Add(time.Hour)
	m.Save(b.Context(), p)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := m.Load(b.Context(), "key"); !ok {
			b.Fatal("lost")
		}
	}
}
