package enroll_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/pending"
	"mfa-enrollment/test/standin"
)

// reads tells whether somebody's status can be read.
func (f *flows) reads(c enroll.Credential) bool {
	_, err := f.Status(f.t.Context(), *c.Identity)
	return err == nil
}

// anotherSignIn signs ada in once more; the sign-in is so old.
func (f *flows) anotherSignIn(age time.Duration) enroll.Credential {
	f.t.Helper()
	return f.minted(map[string]any{"auth_time": f.clock.Now().Add(-age).Unix(), "origin_jti": "another-sign-in"})
}

func TestAnOldSignInIsNotShownWhatAFreshOneStarted(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	f.enrolled(f.signedIn("ada"))
	f.clock.Advance(time.Minute)
	fresh, old := f.signedIn("ada"), f.anotherSignIn(365*24*time.Hour)
	secret := f.renew(fresh).Secret

	_, err := f.Start(t.Context(), enroll.StartRequest{Credential: old})
	wantKind(t, err, enroll.StepUpRequired)
	calls := f.cognito.Calls("VerifySoftwareToken")
	for range 10 { // Neither does it learn which code is right, nor use up the owner's tries.
		for _, code := range []enroll.Secret{f.codeAt(secret, 0), f.wrongCode(secret)} {
			_, err := f.verify(old, code)
			wantKind(t, err, enroll.NoPendingEnrollment)
		}
	}
	if n := f.cognito.Calls("VerifySoftwareToken") - calls; n != 0 {
		t.Errorf("%d calls for codes of another sign-in's secret", n)
	}
	if _, err := f.verify(fresh, f.codeAt(secret, 0)); err != nil {
		t.Errorf("the owner's right code: %v", err)
	}
}

func TestASignInThatWasRevokedBeforeIsNotShownTheSecret(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	revoked := f.signedIn("ada")
	f.elsewhere("GlobalSignOut", revoked)
	f.start(f.signedIn("ada"))
	_, err := f.Start(t.Context(), enroll.StartRequest{Credential: revoked})
	wantKind(t, err, enroll.InvalidToken)
}

func TestTheNewestSignInCountsAndTheOneBeforeIsTold(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	first, second := f.signedIn("ada"), f.signedIn("ada")
	overtaken := f.start(first)
	newest := f.start(second)
	if newest.Resumed || newest.Secret == overtaken.Secret {
		t.Fatal("the second sign-in is shown the first one's secret")
	}
	_, err := f.verify(first, f.codeAt(overtaken.Secret, 0))
	wantKind(t, err, enroll.EnrollmentReplaced)
	if n := f.cognito.Calls("VerifySoftwareToken"); n != 0 {
		t.Errorf("%d calls", n)
	}
	if _, err := f.verify(second, f.codeAt(newest.Secret, 0)); err != nil {
		t.Error(err)
	}
}

func TestARefreshedTokenIsOfTheSameSignIn(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	claims := map[string]any{"origin_jti": "the-sign-in", "auth_time": f.clock.Now().Unix()}
	before := f.start(f.minted(claims))
	claims["jti"] = "refreshed"
	if after := f.start(f.minted(claims)); !after.Resumed || after.Secret != before.Secret {
		t.Error("a refreshed token got another secret")
	}
	// Where the pool's clients have no token revocation there is no origin_jti.
	claims["origin_jti"] = nil
	other := f.start(f.minted(claims))
	claims["jti"] = "refreshed again"
	if again := f.start(f.minted(claims)); other.Resumed || !again.Resumed || again.Secret != other.Secret {
		t.Error("auth_time does not name the sign-in where there is no origin_jti")
	}
}

func TestARefusedTokenDoesNotRefuseAFreshOne(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	revoked := f.signedIn("ada")
	f.elsewhere("GlobalSignOut", revoked)
	fresh := f.signedIn("ada")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			c, want := fresh, enroll.Kind("")
			if i%2 == 0 {
				c, want = revoked, enroll.InvalidToken
			}
			_, err := f.Start(t.Context(), enroll.StartRequest{Credential: c})
			wantKind(t, err, want)
		})
	}
	all.Wait()
}

func TestWeakeningAWorkingAppWantsARecentSignIn(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	f.enrolled(f.signedIn("ada"))
	old := f.anotherSignIn(time.Hour)
	for _, p := range []enroll.Preference{{}, {Enabled: true}} {
		_, err := f.SetPreference(t.Context(), old, p)
		wantKind(t, err, enroll.StepUpRequired)
	}
	if _, err := f.SetPreference(t.Context(), old, enroll.Preference{Enabled: true, Preferred: true}); err != nil {
		t.Errorf("strengthening it: %v", err)
	}
}

func TestAStatusThatCannotBeReadIsNeitherAPassNorASignIn(t *testing.T) {
	t.Parallel()
	for _, exception := range []string{"InternalErrorException", "TooManyRequestsException"} {
		t.Run(exception, func(t *testing.T) {
			f := newFlows(t)
			old := f.anotherSignIn(time.Hour)
			f.cognito.Fail("GetUser", cognitotest.Fault{Exception: exception}, cognitotest.Fault{Exception: exception}, cognitotest.Fault{Exception: exception})
			secret := f.start(old).Secret // It may begin: verifying it holds the step-up again.
			for !f.reads(old) {
			}
			for range 4 { // more often than the client repeats a read
				f.cognito.Fail("GetUser", cognitotest.Fault{Exception: exception})
			}
			_, err := f.verify(old, f.codeAt(secret, 0))
			wantKind(t, err, enroll.Busy)
			if n := f.cognito.Calls("VerifySoftwareToken"); n != 0 {
				t.Errorf("%d calls", n)
			}
			for !f.reads(old) { // the faults that are left
			}
			if _, err := f.verify(old, f.codeAt(secret, 0)); err != nil {
				t.Errorf("repeated: %v", err)
			}
		})
	}
}

func TestOneSignInAsksForABoundedNumberOfSecrets(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	c := f.signingIn("grace")
	first := f.start(c)
	f.clock.Advance(time.Minute)
	var last enroll.Enrollment
	renewals := 0
	for range 100 {
		e, err := f.Start(t.Context(), enroll.StartRequest{Credential: c, Renew: true})
		if err != nil {
			wantKind(t, err, enroll.TooManyRequests)
			break
		}
		last, renewals = e, renewals+1
	}
	if renewals != 10 {
		t.Errorf("%d renewals", renewals)
	}
	if !last.ExpiresAt.Equal(first.ExpiresAt) {
		t.Errorf("asking for another secret moved the end from %v to %v", first.ExpiresAt, last.ExpiresAt)
	}
	if _, err := f.finish(bySession(first.Session), "grace", f.codeAt(last.Secret, 0)); err != nil {
		t.Errorf("the newest secret, by an early session of the chain: %v", err)
	}
}

func TestAReplacedSecretDoesNotMoveTheEndOfASignIn(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	first := f.start(f.signingIn("grace"))
	f.clock.Advance(time.Minute)
	f.cognito.Fail("VerifySoftwareToken", cognitotest.Fault{Exception: "EnableSoftwareTokenMFAException"})
	_, err := f.verify(bySession(first.Session), f.codeAt(first.Secret, 0))
	wantKind(t, err, enroll.EnrollmentReplaced)
	if again := f.start(bySession(first.Session)); !again.ExpiresAt.Equal(first.ExpiresAt) {
		t.Errorf("the end moved from %v to %v", first.ExpiresAt, again.ExpiresAt)
	}
}

func TestTwoSessionsOfOneSignInAreSpentOnce(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	first := f.signingIn("grace")
	e := f.start(first)
	replicas := []*flows{f, f.replica()}
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for i, c := range []enroll.Credential{first, bySession(e.Session), bySession(e.Session), first} {
		all.Go(func() {
			_, err := replicas[i%2].verify(c, f.codeAt(e.Secret, 0))
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	all.Wait()
	if n := f.cognito.Calls("VerifySoftwareToken"); n != 1 {
		t.Errorf("%d calls", n)
	}
	if !slices.Contains(errs, nil) {
		t.Errorf("nobody succeeded: %v", errs)
	}
}

// The service may not know the enrollment: it began elsewhere, or Redis lost it.
func TestASessionOfAnUnknownEnrollmentIsSpentOnce(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	e := f.start(f.signingIn("grace"))
	store, err := pending.NewMemory(pending.Options{Now: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	f.options.Store = store
	for i, replica := range []*flows{f.replica(), f.replica()} {
		_, err := replica.verify(bySession(e.Session), f.codeAt(e.Secret, 0))
		if want := []enroll.Kind{"", enroll.SessionExpired}[i]; enroll.KindOf(err) != want {
			t.Errorf("click %d: %v", i, err)
		}
	}
	if n := f.cognito.Calls("VerifySoftwareToken"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// Those at the replica that is first share its answer, those at the other one are
// told.
func TestADoubleClickOnAChallengeAtTwoReplicasSpendsTheSessionOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared enroll.Options
		cognito := rush{takes: time.Second, calls: new(atomic.Int64)}
		replicas := []*enroll.Service{
			bubble(t, func(o *enroll.Options) { o.Pool = cognito; shared = *o }),
			bubble(t, func(o *enroll.Options) { *o = shared }),
		}
		kinds := together(4, func(i int) enroll.Kind {
			_, err := replicas[i%2].Answer(t.Context(), enroll.Answer{
				Challenge: enroll.ChallengeMFASetup, ClientID: standin.RequiredClient, Username: "grace", Session: "session",
			})
			return enroll.KindOf(err)
		})
		if n := cognito.calls.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
		first, second := []enroll.Kind{"", enroll.SessionExpired, "", enroll.SessionExpired}, []enroll.Kind{enroll.SessionExpired, "", enroll.SessionExpired, ""}
		if !slices.Equal(kinds, first) && !slices.Equal(kinds, second) {
			t.Errorf("%q", kinds)
		}
	})
}
