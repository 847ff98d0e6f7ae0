package enroll_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/test/standin"
)

// madeUp is the i-th session that Cognito never gave.
func madeUp(i int) enroll.Secret {
	return enroll.Secret(fmt.Sprintf("%s%04d", strings.Repeat("made-up", 6), i))
}

// from is a session from an address.
func from(address string, session enroll.Secret) enroll.Credential {
	return enroll.Credential{Session: session, Address: address}
}

func TestMadeUpSessionsFromOneAddressCostLittle(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	limited := 0
	for i := range 200 {
		_, err := f.Start(t.Context(), enroll.StartRequest{Credential: from("203.0.113.9", madeUp(i))})
		switch enroll.KindOf(err) {
		case enroll.SessionExpired:
		case enroll.TooManyRequests:
			limited++
			e, ok := errors.AsType[*enroll.Error](err)
			if !ok || e.RetryAfter != 6*time.Second || e.Limit == nil || *e.Limit != (enroll.Guard{Name: "address", Burst: 20, Interval: 6 * time.Second}) {
				t.Fatalf("%+v", err)
			}
		default:
			t.Fatal(err)
		}
	}
	f.wantCalls("", 20)
	f.wantMetric(`rate_limited_total{limit="address"}`, 180)
	if limited != 180 {
		t.Errorf("%d were limited", limited)
	}
	f.start(from("203.0.113.10", f.signingIn("grace").Session)) // an honest person at another address
	f.clock.Advance(6 * time.Second)
	f.start(from("203.0.113.9", f.signingIn("linus").Session)) // and at the same address, later
}

func TestACompanyBehindOneAddressIsNotLimited(t *testing.T) {
	t.Parallel()
	const people = 100
	f := newFlowsAt(t, standin.Crowd(people), func(o *enroll.Options) { o.WriteRPS = 1000 })
	for i := range people {
		c := bySession(enroll.Secret(f.cognito.Session(standin.Optional, standin.OptionalClient, standin.Person(i))))
		e := f.start(c)
		v, err := f.Verify(t.Context(), enroll.VerifyRequest{
			Credential: c, Code: f.codeAt(e.Secret, 0), SignIn: &enroll.CompleteSignIn{Username: standin.Person(i), ClientID: standin.OptionalClient},
		})
		if err != nil || v.SignIn == nil {
			t.Fatalf("person %d: %+v, %v", i, v, err)
		}
	}
}

// rush is a Cognito that takes its time, and refuses what it never gave. By the
// clock of a bubble.
type rush struct {
	atOnce
	takes time.Duration
	calls *atomic.Int64
}

func (r rush) Associate(ctx context.Context, p permit.Permit, c enroll.Credential) (enroll.Association, error) {
	r.calls.Add(1)
	time.Sleep(r.takes)
	if strings.HasPrefix(c.Session.Reveal(), "made-up") {
		return enroll.Association{}, enroll.Fail(enroll.SessionExpired, "NotAuthorizedException")
	}
	return r.atOnce.Associate(ctx, p, c)
}

func (r rush) Verify(ctx context.Context, p permit.Permit, c enroll.Credential, code enroll.Secret, deviceName string) (enroll.Secret, error) {
	r.calls.Add(1)
	time.Sleep(r.takes)
	return r.atOnce.Verify(ctx, p, c, code, deviceName)
}

func (r rush) Answer(ctx context.Context, p permit.Permit, a enroll.Answer) (enroll.SignIn, error) {
	r.calls.Add(1)
	time.Sleep(r.takes)
	return r.atOnce.Answer(ctx, p, a)
}

// rushed starts n enrollments of one address at once, and counts what came of them
// by kind.
func rushed(t *testing.T, s *enroll.Service, n int, session func(i int) enroll.Secret) map[enroll.Kind]int {
	t.Helper()
	kinds := map[enroll.Kind]int{}
	for _, err := range together(n, func(i int) error {
		_, err := s.Start(t.Context(), enroll.StartRequest{Credential: bySession(session(i))})
		return err
	}) {
		kinds[enroll.KindOf(err)]++
	}
	return kinds
}

func genuine(i int) enroll.Secret { return enroll.Secret("genuine" + standin.Person(i)) }

func TestACompanyBehindOneAddressMayComeAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cognito := rush{takes: 50 * time.Millisecond, calls: new(atomic.Int64)}
		s := bubble(t, func(o *enroll.Options) { o.Pool, o.WriteRPS = cognito, 1000 })
		rushed(t, s, 1, func(int) enroll.Secret { return "genuine, and the first" }) // The address is known from here.
		begin := time.Now()
		if got := rushed(t, s, 99, genuine); got[""] != 99 {
			t.Errorf("what came of 99 people: %v", got)
		}
		// Twenty at a time.
		if took := time.Since(begin); took != 5*cognito.takes {
			t.Errorf("it took %v", took)
		}
		// What is refused counts all the same.
		made := cognito.calls.Load()
		if got := rushed(t, s, 30, madeUp); got[enroll.SessionExpired] != 20 || got[enroll.TooManyRequests] != 10 {
			t.Errorf("what came of 30 made-up sessions: %v", got)
		}
		if n := cognito.calls.Load() - made; n != 20 {
			t.Errorf("%d made-up sessions reached Cognito from a known address", n)
		}
	})
}

// Whoever waits at an address for the answers to others' calls does so for five
// seconds, and at most 200 do.
func TestTheDoorOfAnAddressHasItsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cognito := rush{takes: 8 * time.Second, calls: new(atomic.Int64)}
		s := bubble(t, func(o *enroll.Options) { o.Pool, o.WriteRPS = cognito, 1000 })
		rushed(t, s, 1, func(int) enroll.Secret { return "genuine, and the first" })
		begin := time.Now()
		if got := rushed(t, s, 40, genuine); got[""] != 20 || got[enroll.TooManyRequests] != 20 {
			t.Errorf("what came of 40 people, of whom twenty wait too long: %v", got)
		}
		if took := time.Since(begin); took != cognito.takes {
			t.Errorf("it took %v", took)
		}
		time.Sleep(10 * time.Minute)
		cognito.takes = 4 * time.Second
		s.Pool = cognito
		if got := rushed(t, s, 230, func(i int) enroll.Secret { return genuine(1000 + i) }); got[""] != 40 || got[enroll.TooManyRequests] != 190 {
			t.Errorf("what came of 230 people: %v", got)
		}
	})
}

func TestOneSubjectCannotSpendTheQuotaAndAPendingStartIsNeverRefused(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	limited := 0
	for range 30 {
		_, err := f.Start(t.Context(), enroll.StartRequest{Credential: ada, Renew: true})
		if enroll.KindOf(err) == enroll.TooManyRequests {
			limited++
		}
	}
	f.wantCalls("AssociateSoftwareToken", 20)
	if limited != 10 {
		t.Errorf("%d were limited", limited)
	}
	for range 50 { // a page that mounts again
		if !f.start(ada).Resumed {
			t.Fatal("another secret")
		}
	}
	f.start(f.signedIn("linus"))
}

// What Cognito refused lately costs nothing and reaches nobody.
func TestATokenThatWasRefusedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	f := newFlows(t, byUsername)
	ada := f.signedIn("ada")
	f.elsewhere("GlobalSignOut", ada)
	for range 100 {
		_, err := f.Start(t.Context(), enroll.StartRequest{Credential: ada})
		wantKind(t, err, enroll.InvalidToken)
	}
	f.wantCalls("AssociateSoftwareToken", 1)
	f.clock.Advance(5*time.Minute + time.Second)
	_, err := f.Start(t.Context(), enroll.StartRequest{Credential: ada})
	wantKind(t, err, enroll.InvalidToken)
	f.wantCalls("AssociateSoftwareToken", 2)
}

// A new address that meets the limit of all unknown addresses keeps its right to
// one session, and gets through when it comes back.
func TestAStrangerIsToldToComeBackAndGetsThrough(t *testing.T) {
	t.Parallel()
	f := newFlowsAt(t, standin.Crowd(3), func(o *enroll.Options) { o.WriteRPS = 2.5 }) // Ten unknown ones at once, and one more each two seconds.
	session := func(i int) enroll.Secret {
		return enroll.Secret(f.cognito.Session(standin.Optional, standin.OptionalClient, standin.Person(i)))
	}
	for i := range 10 { // from everywhere
		_, err := f.Start(t.Context(), enroll.StartRequest{Credential: from(fmt.Sprintf("192.0.%d.1", i), madeUp(i))})
		wantKind(t, err, enroll.SessionExpired)
	}
	newcomer := from("2001:db8:1:2::/64", session(0))
	_, err := f.Start(t.Context(), enroll.StartRequest{Credential: newcomer})
	wantKind(t, err, enroll.TooManyRequests)
	e, ok := errors.AsType[*enroll.Error](err)
	if !ok || e.Limit == nil || e.Limit.Name != "strangers" || e.RetryAfter <= 0 {
		t.Fatalf("%+v", err)
	}
	f.clock.Advance(e.RetryAfter)
	f.start(newcomer)
}
