package pending

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

func TestMemoryIsBounded(t *testing.T) {
	r := newRig()
	o := r.options()
	o.Capacity = 10
	m := newMemory(t, o)
	for i := range 25 {
		save(m, r.enrollment(fmt.Sprint(i)), fmt.Sprint("alias of ", i))
		if len(m.rows.rows) > 10 {
			t.Fatalf("%d entries and pointers are kept, want at most 10", len(m.rows.rows))
		}
	}
}

func TestWhatIsSavedAgainTakesNobodysPlace(t *testing.T) {
	r := newRig()
	o := r.options()
	o.Capacity = 2
	m := newMemory(t, o)
	for _, name := range []string{"one", "two", "two"} {
		save(m, r.enrollment(name), "")
	}
	expectFound(t, m, "one", r.enrollment("one"))
	expectFound(t, m, "two", r.enrollment("two"))
}

// A thousand renewals in one sign-in are one entry and a thousand small pointers.
func TestRenewingCostsLittleMemory(t *testing.T) {
	r := newRig()
	m, size := newMemory(t, r.options()), 0
	for i := range 1000 {
		save(m, r.enrollment("first"), fmt.Sprint("session:", i))
	}
	for _, row := range m.rows.rows {
		size += int(unsafe.Sizeof(row)) + len(row.blob)
	}
	if size > 100_000 {
		t.Errorf("%d bytes for one enrollment", size)
	}
}

func TestLenCountsWhatIsPending(t *testing.T) {
	r := newRig()
	m := newMemory(t, r.options())
	expect := func(when string, want int) {
		t.Helper()
		if n := m.Len(); n != want {
			t.Errorf("%d %s, want %d", n, when, want)
		}
	}
	save(m, r.enrollment("a"), "b")
	save(m, r.enrollment("a"), "c")
	save(m, r.enrollment("d"), "")
	expect("with two, one of them with three names", 2)
	for i, name := range []string{"a", "d"} {
		save(m, verified(r.enrollment(name)), "")
		expect("when "+name+" was verified", 1-i)
	}
	save(m, r.enrollment("e"), "")
	r.advance(10 * time.Minute)
	expect("when it is not shown any more", 0)
	if _, found := m.Find(t.Context(), "e"); !found {
		t.Error("it is forgotten too soon")
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
		p := newRig().enrollment("name")
		p.Expires = time.Now().Add(time.Minute)
		save(m, p, "alias")
		time.Sleep(59 * time.Second)
		if _, found := m.Find(t.Context(), "alias"); !found {
			t.Error("it is forgotten too soon")
		}
		time.Sleep(time.Second + sweepEvery)
		if synctest.Wait(); len(m.rows.rows) != 0 {
			t.Errorf("%d rows are still in memory", len(m.rows.rows))
		}
		m.Close()
		m.Close()
	})
}

func TestMemoryIsSealedToo(t *testing.T) {
	r := newRig()
	m, p := newMemory(t, r.options()), r.enrollment("name")
	save(m, p, "alias")
	for _, row := range m.rows.rows {
		for _, clear := range []string{p.Secret.Reveal(), p.Session.Reveal(), p.AccountName, p.SignIn, p.Earlier[0].Secret.Reveal()} {
			if bytes.Contains(row.blob, []byte(clear)) {
				t.Error("an entry in memory is not sealed")
			}
		}
	}
}

func TestAnAlteredEntryInMemoryIsRefused(t *testing.T) {
	r := newRig()
	m := newMemory(t, r.options())
	save(m, r.enrollment("name"), "alias")
	m.rows.rows[m.rows.key("name")].blob[20] ^= 1
	expectAbsent(t, m, "name")
	m.rows.rows[m.rows.key("alias")].blob[20] ^= 1
	expectAbsent(t, m, "alias")
	r.expect(t, 2, map[string]int{})
}

func BenchmarkMemoryHold(b *testing.B) {
	m, r := newMemory(b, Options{}), newRig()
	p := r.enrollment("name")
	p.Expires = time.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		save(m, p, "")
	}
}

func BenchmarkMemoryFind(b *testing.B) {
	m, r := newMemory(b, Options{}), newRig()
	p := r.enrollment("name")
	p.Expires = time.Now().Add(time.Hour)
	save(m, p, "")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := m.Find(b.Context(), "name"); !ok {
			b.Fatal("lost")
		}
	}
}
