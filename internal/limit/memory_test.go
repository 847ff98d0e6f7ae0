package limit

import (
	"context"
	"fmt"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

// noon is when these tests begin.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

var guard = enroll.Guard{Name: "subject", Burst: 3, Interval: 10 * time.Second}

func (m *Memory) one(of string) {
	m.Take(context.Background(), enroll.Case{Wants: []enroll.Want{{Guard: guard, Of: of, N: 1}}})
}

func TestAFullBucketIsForgottenAndNoOther(t *testing.T) {
	now := noon
	m := NewMemory(func() time.Time { return now })
	for i := range firstSweep {
		m.one(fmt.Sprint(i))
	}
	now = now.Add(guard.Interval - time.Nanosecond)
	m.one("one more")
	if n := len(m.buckets.entries); n != firstSweep+1 {
		t.Errorf("%d are remembered that are not full", n)
	}
	now = now.Add(time.Nanosecond)
	for i := range firstSweep {
		m.one(fmt.Sprint("others", i))
	}
	if n := len(m.buckets.entries); n > firstSweep+1 {
		t.Errorf("%d are remembered", n)
	}
	if m.full("subject:one more", m.passed()) == m.passed() {
		t.Error("what was taken a moment ago is forgotten")
	}
}

func TestHoweverManyCallersMemoryIsBounded(t *testing.T) {
	m := NewMemory(func() time.Time { return noon })
	for i := range capacity * 5 / 4 {
		m.one(fmt.Sprint(i))
		m.Settle(t.Context(), nil, []enroll.Mark{{Name: fmt.Sprint(i), TTL: time.Hour}})
		if n := max(len(m.buckets.entries), len(m.marks.entries)); n > capacity {
			t.Fatalf("%d callers are remembered", n)
		}
	}
}

func TestMemoryForgetsEverythingWhenItIsTold(t *testing.T) {
	m := NewMemory(func() time.Time { return noon })
	m.one("ada")
	m.Settle(t.Context(), nil, []enroll.Mark{{Name: "known", TTL: time.Hour}})
	m.Forget()
	if n := len(m.buckets.entries) + len(m.marks.entries); n != 0 {
		t.Errorf("%d are remembered", n)
	}
}

func BenchmarkTake(b *testing.B) {
	m := NewMemory(time.Now)
	callers := make([]string, 10_000)
	for i := range callers {
		callers[i] = fmt.Sprintf("%043d", i)
	}
	b.ReportAllocs()
	for i := range b.N {
		m.one(callers[i%len(callers)])
	}
}
