package budget

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp/totp"

	"mfa-enrollment/cognito/cognitotest"
)

// These are attacks, and honest days, that this service once met badly. Each
// comment says what happened then.

// In 16 s 446 calls of SetUserMFAPreference; 38 of 40 starts of other people were
// told `busy`.
func TestARevokedTokenSpendsNothingWorthHaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, people)
		token := w.token("ada")
		w.revoke(token)
		var all sync.WaitGroup
		end := time.Now().Add(16 * time.Second)
		for range 4 {
			all.Go(func() {
				for time.Now().Before(end) {
					w.send(attacker, request{method: "PUT", path: "/v1/mfa/totp/preference", token: token, from: hisAddress, body: map[string]any{"enabled": true}})
				}
			})
		}
		lives := w.crowd(people)
		all.Wait()
		if n := w.caused(attacker); n > 5 {
			t.Errorf("%d calls to Cognito by a revoked token", n)
		}
		if _, finished, _ := outcome(lives); finished != people {
			t.Errorf("%d of %d finished", finished, people)
		}
	})
}

// 25 starts with a revoked token of hers cost the owner her right code: 429.
func TestARevokedTokenCostsItsPersonNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		stolen := w.token(person(0))
		w.revoke(stolen)
		time.Sleep(time.Second)
		own := &one{world: w, name: person(0), from: "203.0.113.9", token: w.token(person(0)), scan: time.Second}
		r := own.send(honest, request{method: "POST", path: "/v1/mfa/totp", token: own.token, from: own.from})
		for range 25 {
			w.send(attacker, request{method: "POST", path: "/v1/mfa/totp", token: stolen, from: hisAddress, body: map[string]any{"renew": true}})
		}
		if r.status != 201 {
			t.Fatalf("the owner's start: %d %v", r.status, r.body)
		}
		code, err := totp.GenerateCode(r.body["secret"].(string), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if r := own.send(honest, request{method: "POST", path: "/v1/mfa/totp/verify", token: own.token, from: own.from, body: map[string]any{"code": code}}); r.status != 200 {
			t.Errorf("the owner's right code: %d %v", r.status, r.body)
		}
	})
}

// One token in a loop of GETs spent the 120 reads a second, and 7 of 10 people
// with a right code for their first app were asked to sign in again, since a
// status that could not be read counted as a working app.
func TestALoopOfReadsAsksNobodyForAStepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		tokens := make([]string, 10)
		for i := range tokens {
			tokens[i] = w.token(person(i))
		}
		time.Sleep(20 * time.Minute) // They are too old to replace an app.
		k := caller{rate: 250, prepare: func(w *world) func(int) credential {
			token := w.token("ada")
			return func(int) credential { return credential{token: token, from: hisAddress} }
		}}
		stop := w.attack(k, "getMfa")
		time.Sleep(5 * time.Second)
		for i, token := range tokens {
			l := life{}
			p := &one{world: w, name: person(i), from: "203.0.113.9", token: token, scan: time.Second}
			secret, ok := p.start(time.Now(), &l)
			if !ok {
				t.Errorf("person %d: %s", i, l.last)
				continue
			}
			code, err := totp.GenerateCode(secret, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if r := p.send(honest, request{method: "POST", path: "/v1/mfa/totp/verify", token: token, from: p.from, body: map[string]any{"code": code}}); r.status != 200 {
				t.Errorf("person %d with a right code for the first app: %d %v", i, r.status, r.body["code"])
			}
		}
		took := stop()
		if n := w.caused(attacker, "GetUser"); float64(n) > 60+took.Seconds()+1 {
			t.Errorf("%d reads in %v", n, took)
		}
	})
}

// 400 of 400 reached Cognito, where 20 were promised.
func TestSimultaneousMadeUpSessionsAreCountedBeforeTheyAreAnswered(t *testing.T) {
	for _, known := range []bool{false, true} {
		t.Run(fmt.Sprintf("known %t", known), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 0)
				if known {
					w.send("ada", request{method: "POST", path: "/v1/mfa/totp", from: hisAddress, body: map[string]any{"session": w.cognito.Session(pool, client, "ada")}})
				}
				var all sync.WaitGroup
				for i := range 400 {
					all.Go(func() {
						w.send(attacker, request{method: "POST", path: "/v1/mfa/totp", from: hisAddress, body: map[string]any{"session": fmt.Sprintf("%s%06d", strings.Repeat("made-up", 6), i)}})
					})
				}
				all.Wait()
				if n := w.caused(attacker); n > 20 {
					t.Errorf("%d of 400 reached Cognito", n)
				}
			})
		})
	}
}

// begins starts an enrollment in mid-sign-in.
func (w *world) begins(user, from string) reply {
	return w.send(honest, request{method: "POST", path: "/v1/mfa/totp", from: from, body: map[string]any{"session": w.cognito.Session(pool, client, user)}})
}

// After 61 minutes of steady use a company of a hundred behind one address met 429
// eighty times: the address was known from its first good session, not its latest.
func TestACompanyStaysKnownFromItsLatestGoodSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 113)
		w.cognito.SetQuota(cognitotest.Quota{})
		for i := range 12 { // Every five minutes, for 55 minutes.
			if r := w.begins(person(i), hisAddress); r.status != 201 {
				t.Fatalf("person %d: %d", i, r.status)
			}
			time.Sleep(5 * time.Minute)
		}
		time.Sleep(time.Minute)
		var all sync.WaitGroup
		for i := range 100 { // All at once, before any of them is answered.
			all.Go(func() {
				if r := w.begins(person(12+i), hisAddress); r.status == 429 {
					t.Errorf("colleague %d: %d %v", i, r.status, r.body["code"])
				}
			})
		}
		all.Wait()
	})
}

// 30 honest calls that timed out, or 25 that Cognito refused for the account's
// quota, and the next colleague met 429.
func TestAnOutageCountsAgainstNobody(t *testing.T) {
	for name, begins := range map[string]func(w *world, user string) reply{
		noAnswer:                 func(w *world, user string) reply { return w.begins(user, hisAddress) },
		"InternalErrorException": func(w *world, user string) reply { return w.begins(user, hisAddress) },
		// Starts wait while the account is throttled; answers to challenges do not.
		"TooManyRequestsException": (*world).answers,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 42)
				w.cognito.SetQuota(cognitotest.Quota{})
				if r := w.begins(person(41), hisAddress); r.status != 201 {
					t.Fatalf("before: %d", r.status)
				}
				w.fails.Store(name)
				var all sync.WaitGroup
				for i := range 40 { // One a second.
					all.Go(func() {
						time.Sleep(time.Duration(i) * time.Second)
						begins(w, person(i))
					})
				}
				all.Wait()
				w.fails.Store("")
				if r := w.begins(person(40), hisAddress); r.status == 429 {
					t.Errorf("the next colleague: %d %v", r.status, r.body)
				}
			})
		})
	}
}

// answers answers a challenge in mid-sign-in.
func (w *world) answers(user string) reply {
	r, _ := requestOf("answerChallenge", credential{session: w.cognito.Session(pool, client, user), from: hisAddress}, 0)
	return w.send(honest, r)
}

// A start that was refused at the limit cost a read.
func TestAStartThatIsRefusedAtTheLimitCostsNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		token, refused := w.token("ada"), 0
		time.Sleep(20 * time.Minute) // So old that the status is read first.
		for range 30 {
			before := w.caused(attacker)
			r := w.send(attacker, request{method: "POST", path: "/v1/mfa/totp", token: token, from: hisAddress, body: map[string]any{"renew": true}})
			if r.status != 429 {
				continue
			}
			refused++
			if n := w.caused(attacker) - before; n != 0 {
				t.Errorf("%d calls for a start that was refused", n)
			}
		}
		if refused == 0 {
			t.Error("no start was refused")
		}
	})
}

// With Redis, whoever was told `busy` at a new address came back as a stranger: what
// was given back was not written when the bucket was full then (package limit tests
// that with Redis).
func TestWhoWasToldBusyComesBackAsBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 400)
		var all sync.WaitGroup
		for i := range 399 { // As many as make the line longer than anybody waits.
			all.Go(func() {
				w.send("others", request{method: "POST", path: "/v1/mfa/totp", token: w.token(person(i)), from: "203.0.113.1"})
			})
		}
		time.Sleep(2 * time.Second)
		session := w.cognito.Session(pool, client, person(399))
		begin := func() reply {
			return w.send(honest, request{method: "POST", path: "/v1/mfa/totp", from: hisAddress, body: map[string]any{"session": session}})
		}
		r := begin()
		if r.status != 503 {
			t.Fatalf("the line is not long: %d %v", r.status, r.body)
		}
		for came := 0; r.status == 503 && came < 5; came++ {
			time.Sleep(r.wait)
			r = begin()
		}
		if r.status != 201 {
			t.Errorf("told to come back, and then: %d %v", r.status, r.body)
		}
		all.Wait()
	})
}

// An office has one address. While Cognito is down everybody there is told to come
// back, for longer than a session lives. The ended sessions must not count as
// attacks, or the limit of the address locks everybody out.
func TestAnOfficeWhoseSessionsEndedDuringAnOutageComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const office = "203.0.113.1"
		w := newWorld(t, 200)
		first := &one{world: w, name: person(0), from: office, scan: time.Second, rand: rand.New(rand.NewPCG(1, 1))}
		first.signIn()
		var known life
		if first.enroll(&known); !known.finished {
			t.Fatalf("before the outage: %s", known.last)
		}
		lives := make([]life, 199)
		var all sync.WaitGroup
		w.fails.Store("InternalErrorException")
		for i := range lives {
			p := &one{world: w, name: person(i + 1), from: office, scan: 3 * time.Second, rand: rand.New(rand.NewPCG(2, uint64(i)))}
			all.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				p.signIn()
				p.start(time.Now(), &lives[i])
				time.Sleep(200 * time.Second)
				p.enroll(&lives[i])
			})
		}
		time.Sleep(190 * time.Second)
		w.fails.Store("")
		all.Wait()
		begun, finished, _ := outcome(lives)
		t.Logf("within %v of the outage's end %d of 199 began and %d finished", patience, begun, finished)
		if finished < 199 {
			t.Errorf("%d of 199 finished", finished)
		}
	})
}
