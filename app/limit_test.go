package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

func TestMadeUpSessionsFromOneAddressCostLittle(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"TRUSTED_PROXIES": "127.0.0.1"})
	from := func(address, session string) world.Reply {
		return w.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp", Body: world.Object{"session": session}, Header: http.Header{"X-Forwarded-For": {address}, "Content-Type": {"application/json"}}})
	}
	limited := 0
	for i := range 200 {
		r := from("203.0.113.9", fmt.Sprintf("%s%04d", strings.Repeat("made-up", 6), i))
		switch r.Status {
		case 410:
		case 429:
			limited++
			if r.Code(t) != "too_many_requests" || r.Header.Get("Retry-After") != "6" || r.Header.Get("RateLimit") != `"address";r=0;t=6` || r.Header.Get("RateLimit-Policy") != `"address";q=20;w=120` {
				t.Fatalf("%v %s", r.Header, r.Body)
			}
		default:
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
	}
	if n := w.Cognito.Calls(""); n != 20 || limited != 180 {
		t.Errorf("%d calls reached Cognito, %d were limited", n, limited)
	}
	if r := from("203.0.113.10", w.Cognito.Session(world.Required, world.RequiredClient, "grace")); r.Status != 201 {
		t.Errorf("an honest person at another address: %d %s", r.Status, r.Body)
	}
	w.Clock.Advance(6 * time.Second)
	if r := from("203.0.113.9", w.Cognito.Session(world.Required, world.RequiredClient, "linus")); r.Status != 201 {
		t.Errorf("an honest person at the same address, later: %d %s", r.Status, r.Body)
	}
	if got := w.Metric(`rate_limited_total{limit="address"}`); got != "180" {
		t.Errorf("counted: %s", got)
	}
}

func TestACompanyBehindOneAddressIsNotLimited(t *testing.T) {
	t.Parallel()
	w := world.NewWith(t, world.Crowd(100), map[string]string{"COGNITO_WRITE_RPS": "1000"})
	for i := range 100 {
		session := w.Cognito.Session(world.Optional, world.OptionalClient, world.Person(i))
		e := w.Begin("", world.Object{"session": session})
		if e.Status != 201 {
			t.Fatalf("person %d: %d %s", i, e.Status, e.Body)
		}
		r := w.Verify("", world.Object{"session": session, "code": w.CodeAt(e.JSON(t)["secret"].(string), 0), "username": world.Person(i), "clientId": world.OptionalClient})
		if r.Status != 200 {
			t.Fatalf("person %d: %d %s", i, r.Status, r.Body)
		}
	}
}

func TestACompanyBehindOneAddressMayComeAllAtOnce(t *testing.T) {
	t.Parallel()
	w := world.NewWith(t, world.Crowd(100), map[string]string{"COGNITO_WRITE_RPS": "1000"})
	begin := func(i int) world.Reply {
		return w.Begin("", world.Object{"session": w.Cognito.Session(world.Optional, world.OptionalClient, world.Person(i))})
	}
	begin(0) // The address is known from here.
	w.Cognito.SetLatency(cognitotest.Latency{Min: 50 * time.Millisecond})
	for i, r := range world.Together(99, func(i int) world.Reply { return begin(i + 1) }) {
		if r.Status != 201 {
			t.Fatalf("person %d: %d %s", i+1, r.Status, r.Body)
		}
	}
	// What is refused counts all the same.
	made := w.Cognito.Calls("AssociateSoftwareToken")
	for i := range 30 {
		w.Begin("", world.Object{"session": strings.Repeat("made-up", 6) + world.Person(i)})
	}
	if n := w.Cognito.Calls("AssociateSoftwareToken") - made; n != 20 {
		t.Errorf("%d made-up sessions reached Cognito from a known address", n)
	}
}

func TestOneSubjectCannotSpendTheQuotaAndAPendingStartIsNeverRefused(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	limited := 0
	for range 30 {
		if r := w.Begin(token, world.Object{"renew": true}); r.Status == 429 {
			limited++
		}
	}
	if n := w.Cognito.Calls("AssociateSoftwareToken"); n != 20 || limited != 10 {
		t.Errorf("%d calls, %d limited", n, limited)
	}
	for range 50 {
		if r := w.Begin(token, nil); r.Status != 200 {
			t.Fatalf("a page that mounts again: %d %s", r.Status, r.Body)
		}
	}
	if r := w.Begin(w.Token(world.Optional, world.OptionalClient, "linus"), nil); r.Status != 201 {
		t.Errorf("another subject: %d", r.Status)
	}
}

func TestLimitsAreSharedThroughRedis(t *testing.T) {
	t.Parallel()
	server := world.StartRedis(t)
	w := world.New(t, server.Settings())
	other := w.Replica(server.Settings())
	for i := range 60 {
		[]*world.World{w, other}[i%2].Begin("", world.Object{"session": strings.Repeat("made-up", 6) + world.Person(i)})
	}
	// Redis's own clock runs meanwhile: one more every six seconds.
	if n := w.Cognito.Calls(""); n < 20 || n > 30 {
		t.Errorf("%d calls reached Cognito from one address over two replicas", n)
	}
	server.Kill()
	if r := w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), nil); r.Status != 201 {
		t.Errorf("without Redis: %d %s", r.Status, r.Body)
	}
}
