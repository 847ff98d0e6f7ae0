package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/test/world"
)

// The address is the one that a trusted proxy names.
func TestALimitIsToldInTheHeaders(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"TRUSTED_PROXIES": "127.0.0.1"})
	from := func(address, session string) world.Reply {
		return w.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp", Body: world.Object{"session": session}, Header: http.Header{"X-Forwarded-For": {address}, "Content-Type": {"application/json"}}})
	}
	for i := range 20 {
		if r := from("203.0.113.9", strings.Repeat("made-up", 6)+world.Person(i)); r.Status != 410 {
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
	}
	r := from("203.0.113.9", strings.Repeat("made-up", 6)+world.Person(20))
	if r.Status != 429 || r.Code(t) != "too_many_requests" || r.Header.Get("Retry-After") != "6" || r.Header.Get("RateLimit") != `"address";r=0;t=6` || r.Header.Get("RateLimit-Policy") != `"address";q=20;w=120` {
		t.Errorf("status %d: %v %s", r.Status, r.Header, r.Body)
	}
	if r := from("203.0.113.10", w.Cognito.Session(world.Required, world.RequiredClient, "grace")); r.Status != 201 {
		t.Errorf("an honest person at another address: %d %s", r.Status, r.Body)
	}
}

func TestLimitsAreSharedThroughRedis(t *testing.T) {
	t.Parallel()
	server := world.StartRedis(t)
	w := world.New(t, server.Settings())
	other := w.Replica(server.Settings())
	began := time.Now()
	for i := range 60 {
		[]*world.World{w, other}[i%2].Begin("", world.Object{"session": strings.Repeat("made-up", 6) + world.Person(i)})
	}
	// Redis's own clock runs meanwhile: one more every six seconds, and a slow
	// machine takes as long.
	most := 20 + int(time.Since(began)/(6*time.Second)) + 1
	if n := w.Cognito.Calls(""); n < 20 || n > most {
		t.Errorf("%d calls reached Cognito from one address over two replicas, want 20 to %d", n, most)
	}
	server.Kill()
	if r := w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), nil); r.Status != 201 {
		t.Errorf("without Redis: %d %s", r.Status, r.Body)
	}
}
