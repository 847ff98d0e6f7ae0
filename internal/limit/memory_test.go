package limit

import (
	"fmt"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

// noon is when these tests begin.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

var guard = enroll.Guard{Name: "subject", Burst: 3, Interval: 10 * time.Second}

func TestAnAllowanceIsSpentAndComesBack(t *testing.T) {
	now := noon
	m := NewMemory(func() time.Time { return now })
	take := func(caller string, left int, wait time.Duration) {
		t.Helper()
		if gotLeft, gotWait := m.Take(t.Context(), guard, caller); gotLeft != left || gotWait.Round(time.Millisecond) != wait {
			t.Errorf("%d left, wait %v; want %d, %v", gotLeft, gotWait, left, wait)
		}
	}
	take("ada", 2, 0)
	take("ada", 1, 0)
	take("ada", 0, 0)
	take("ada", 0, 10*time.Second) // And what is refused costs nothing.
	take("ada", 0, 10*time.Second)
	take("grace", 2, 0)

	now = now.Add(4 * time.Second)
	take("ada", 0, 6*time.Second)
	m.GiveBack(t.Context(), guard, "ada")
	take("ada", 0, 0)

	now = now.Add(time.Hour)
	m.GiveBack(t.Context(), guard, "ada") // It is full already.
	take("ada", 2, 0)

	other := guard
	other.Name = "address"
	if left, _ := m.Take(t.Context(), other, "ada"); left != 2 {
		t.Errorf("%d left of another guard", left)
	}
}

func TestWhoHasAFullAllowanceIsForgottenAndNobodyElse(t *testing.T) {
	now := noon
	m := NewMemory(func() time.Time { return now })
	for i := range firstSweep {
		m.Take(t.Context(), guard, fmt.Sprint(i))
	}
	now = now.Add(guard.Interval - time.Nanosecond)
	m.Take(t.Context(), guard, "one more")
	if n := len(m.buckets); n != firstSweep+1 {
		t.Errorf("%d are remembered whose allowance is not full", n)
	}
	now = now.Add(time.Nanosecond)
	for i := range firstSweep {
		m.Take(t.Context(), guard, fmt.Sprint("others", i))
	}
	if n := len(m.buckets); n > firstSweep+1 {
		t.Errorf("%d are remembered", n)
	}
	if left, _ := m.Take(t.Context(), guard, "one more"); left != 1 {
		t.Errorf("%d left for who was there a moment ago", left)
	}
}

func TestHoweverManyCallersMemoryIsBounded(t *testing.T) {
	m := NewMemory(func() time.Time { return noon })
	for i := range capacity * 5 / 4 {
		m.Take(t.Context(), guard, fmt.Sprint(i))
		if n := len(m.buckets); n > capacity {
			t.Fatalf("%d callers are remembered", n)
		}
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
		m.Take(b.Context(), guard, callers[i%len(callers)])
	}
}
