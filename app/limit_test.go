package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

func TestMadeUpSessionsFromOneAddressCostLittle(t *testing.T) {
	w := newWorld(t, map[string]string{"TRUSTED_PROXIES": "127.0.0.1"})
	from := func(address, session string) reply {
		return w.do(request{method: "POST", path: "/v1/mfa/totp", body: object{"session": session}, header: http.Header{"X-Forwarded-For": {address}, "Content-Type": {"application/json"}}})
	}
	limited := 0
	for i := range 200 {
		r := from("203.0.113.9", fmt.Sprintf("%s%04d", strings.Repeat("made-up", 6), i))
		switch r.status {
		case 410:
		case 429:
			limited++
			if r.code(t) != "too_many_requests" || r.header.Get("Retry-After") != "6" || r.header.Get("RateLimit") != `"address";r=0;t=6` || r.header.Get("RateLimit-Policy") != `"address";q=20;w=120` {
				t.Fatalf("%v %s", r.header, r.body)
			}
		default:
			t.Fatalf("status %d: %s", r.status, r.body)
		}
	}
	if n := w.cognito.Calls(""); n != 20 || limited != 180 {
		t.Errorf("%d calls reached Cognito, %d were limited", n, limited)
	}
	if r := from("203.0.113.10", w.cognito.Session(required, requiredClient, "grace")); r.status != 201 {
		t.Errorf("an honest person at another address: %d %s", r.status, r.body)
	}
	w.clock.Advance(6 * time.Second)
	if r := from("203.0.113.9", w.cognito.Session(required, requiredClient, "linus")); r.status != 201 {
		t.Errorf("an honest person at the same address, later: %d %s", r.status, r.body)
	}
	if got := w.metric(`rate_limited_total{limit="address"}`); got != "180" {
		t.Errorf("counted: %s", got)
	}
}

// Ten thousand made-up sessions from five hundred addresses, while people sign in
// at others and others are signed in already.
func TestMadeUpSessionsFromManyAddressesShareOneAllowance(t *testing.T) {
	const addresses, each, honest = 500, 20, 20
	w := newWorldWith(t, crowd(2*honest), map[string]string{"TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "ERROR", "COGNITO_WRITE_RPS": "250"})
	from := func(address, session string) reply {
		return w.do(request{method: "POST", path: "/v1/mfa/totp", body: object{"session": session}, header: http.Header{"X-Forwarded-For": {address}, "Content-Type": {"application/json"}}})
	}
	for i := range addresses * each {
		from(fmt.Sprintf("198.51.%d.%d", i%addresses/250, i%250), fmt.Sprintf("%s%05d", strings.Repeat("made-up", 6), i))
		if n := i / (addresses * each / honest); i%(addresses*each/honest) == 0 {
			if r := from(fmt.Sprintf("203.0.113.%d", n), w.cognito.Session(optional, optionalClient, person(n))); r.status != 201 {
				t.Fatalf("a person who signs in: %d %s", r.status, r.body)
			}
			w.enrolled(w.token(optional, optionalClient, person(honest+n)))
		}
	}
	// One for each address with a clean slate, and the burst that they share: two
	// seconds of the quota.
	made := func() int { return w.cognito.Calls("AssociateSoftwareToken") - 2*honest }
	before := made()
	if before != addresses+500 {
		t.Errorf("%d made-up sessions reached Cognito", before)
	}
	// No address has a clean slate again soon: in seven seconds a fifth of the
	// quota is for all of them together.
	w.clock.Advance(7 * time.Second)
	for i := range addresses {
		from(fmt.Sprintf("198.51.%d.%d", i/250, i%250), fmt.Sprintf("%s%05d", strings.Repeat("made-up", 6), addresses*each+i))
	}
	if n := made() - before; n != 7*250/5 {
		t.Errorf("%d made-up sessions reached Cognito seven seconds later", n)
	}
}

func TestACompanyBehindOneAddressIsNotLimited(t *testing.T) {
	w := newWorldWith(t, crowd(100), map[string]string{"COGNITO_WRITE_RPS": "1000"})
	for i := range 100 {
		session := w.cognito.Session(optional, optionalClient, person(i))
		e := w.begin("", object{"session": session})
		if e.status != 201 {
			t.Fatalf("person %d: %d %s", i, e.status, e.body)
		}
		r := w.verify("", object{"session": session, "code": w.codeAt(e.json(t)["secret"].(string), 0), "username": person(i), "clientId": optionalClient})
		if r.status != 200 {
			t.Fatalf("person %d: %d %s", i, r.status, r.body)
		}
	}
}

func TestACompanyBehindOneAddressMayComeAllAtOnce(t *testing.T) {
	w := newWorldWith(t, crowd(100), map[string]string{"COGNITO_WRITE_RPS": "1000"})
	begin := func(i int) reply {
		return w.begin("", object{"session": w.cognito.Session(optional, optionalClient, person(i))})
	}
	begin(0) // The address is known from here.
	w.cognito.SetLatency(cognitotest.Latency{Min: 50 * time.Millisecond})
	for i, r := range together(99, func(i int) reply { return begin(i + 1) }) {
		if r.status != 201 {
			t.Fatalf("person %d: %d %s", i+1, r.status, r.body)
		}
	}
	// What is refused counts all the same.
	made := w.cognito.Calls("AssociateSoftwareToken")
	for i := range 30 {
		w.begin("", object{"session": strings.Repeat("made-up", 6) + person(i)})
	}
	if n := w.cognito.Calls("AssociateSoftwareToken") - made; n != 20 {
		t.Errorf("%d made-up sessions reached Cognito from a known address", n)
	}
}

func TestOneSubjectCannotSpendTheQuotaAndAPendingStartIsNeverRefused(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	limited := 0
	for range 30 {
		if r := w.begin(token, object{"renew": true}); r.status == 429 {
			limited++
		}
	}
	if n := w.cognito.Calls("AssociateSoftwareToken"); n != 20 || limited != 10 {
		t.Errorf("%d calls, %d limited", n, limited)
	}
	for range 50 {
		if r := w.begin(token, nil); r.status != 200 {
			t.Fatalf("a page that mounts again: %d %s", r.status, r.body)
		}
	}
	if r := w.begin(w.token(optional, optionalClient, "linus"), nil); r.status != 201 {
		t.Errorf("another subject: %d", r.status)
	}
}

func TestLimitsAreSharedThroughRedis(t *testing.T) {
	server := startRedis(t)
	w := newWorld(t, server.settings())
	other := w.replica(server.settings())
	for i := range 60 {
		[]*world{w, other}[i%2].begin("", object{"session": strings.Repeat("made-up", 6) + person(i)})
	}
	// Redis's own clock runs meanwhile: one more every six seconds.
	if n := w.cognito.Calls(""); n < 20 || n > 30 {
		t.Errorf("%d calls reached Cognito from one address over two replicas", n)
	}
	server.kill()
	if r := w.begin(w.token(optional, optionalClient, "ada"), nil); r.status != 201 {
		t.Errorf("without Redis: %d %s", r.status, r.body)
	}
}
