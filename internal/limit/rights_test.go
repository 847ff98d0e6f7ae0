package limit

import (
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/redislink/redistest"
)

func TestTheDocumentedRightsAreEnough(t *testing.T) {
	server := redistest.Start(t)
	server.User(redistest.Rights(t, "one server", "Correct-Horse-Battery"))
	link, err := redislink.Open(server.URL("mfa-enrollment:Correct-Horse-Battery@"), redislink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	l := NewRedis(link.Subsystem(redislink.Limit), NewMemory(time.Now))
	want := enroll.Want{Guard: enroll.Guard{Name: "person", Burst: 2, Interval: time.Minute}, Of: "ada", N: 1}
	mark := enroll.Mark{Name: "seen", Value: "x", TTL: time.Minute}
	l.Take(t.Context(), enroll.Case{Wants: []enroll.Want{want}, Sets: []enroll.Mark{mark}})
	l.Take(t.Context(), enroll.Case{When: "seen", Wants: []enroll.Want{want}})
	l.Settle(t.Context(), []enroll.Want{want}, []enroll.Mark{mark})
	l.Settle(t.Context(), []enroll.Want{want, want}, nil)
	if denied := server.Denied(); len(denied) > 0 || len(link.Notes()) > 0 {
		t.Errorf("denied: %v, notes: %q", denied, link.Notes())
	}
}
