package enroll_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp/totp"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/test/standin"
)

func TestVerifyByTokenSwitchesTOTPOn(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	v, err := f.Verify(t.Context(), enroll.VerifyRequest{Credential: ada, Code: f.codeAt(f.start(ada).Secret, 0), DeviceName: "Ada's phone", Preferred: true})
	if err != nil {
		t.Fatal(err)
	}
	if v.Status == nil || v.Status.TOTP != (enroll.Preference{Enabled: true, Preferred: true}) || v.Status.Preferred != enroll.MethodTOTP {
		t.Errorf("the status is %+v", v.Status)
	}
	// The clock stands 15 s into a step, so that the next code comes in 15 s.
	if want := f.clock.Now().Add(15 * time.Second); !v.CodeReusableAt.Equal(want) {
		t.Errorf("the next code comes at %v, want %v", v.CodeReusableAt, want)
	}
	if !f.cognito.MFAEnabled(standin.Optional, "ada") {
		t.Error("Cognito would not ask for a code")
	}
	if name := f.cognito.DeviceName(standin.Optional, "ada"); name != "Ada's phone" {
		t.Errorf("the device is called %q", name)
	}
	if status := f.status(ada); !status.TOTP.Enabled {
		t.Errorf("the status afterwards is %+v", status)
	}
}

func TestVerifyLeavesTOTPUnpreferredWhenAsked(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	v, err := f.Verify(t.Context(), enroll.VerifyRequest{Credential: ada, Code: f.codeAt(f.start(ada).Secret, 0)})
	if err != nil || v.Status.TOTP != (enroll.Preference{Enabled: true}) {
		t.Errorf("%+v, %v", v.Status, err)
	}
}

func TestVerifiedButNotSwitchedOnIsSaidAndFinishedWithoutAnotherCode(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	secret := f.start(ada).Secret
	f.down("SetUserMFAPreference", 3)
	_, err := f.verify(ada, f.codeAt(secret, 0))
	wantKind(t, err, enroll.VerifiedNotEnabled)
	if e, ok := errors.AsType[*enroll.Error](err); !ok || e.RetryAfter <= 0 {
		t.Errorf("nobody is told when to come back: %+v", err)
	}
	if status := f.prefer(ada, enroll.Preference{Enabled: true}); !status.TOTP.Enabled {
		t.Errorf("the status is %+v", status)
	}
}

// The second click finishes what the first could not.
func TestTheSameCodeAgainSwitchesOnWhatWasVerified(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	code := f.codeAt(f.start(ada).Secret, 0)
	f.down("SetUserMFAPreference", 3)
	_, err := f.verify(ada, code)
	wantKind(t, err, enroll.VerifiedNotEnabled)
	v, err := f.replica().verify(ada, code)
	if err != nil || !v.Status.TOTP.Enabled {
		t.Errorf("%+v, %v", v.Status, err)
	}
	f.wantCalls("VerifySoftwareToken", 1)
}

func TestADoubleClickAtTwoReplicasCountsOnce(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	replicas := []*flows{f, f.replica()}
	f.cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	ada := f.signedIn("ada")
	secret := f.start(ada).Secret
	code := f.codeAt(secret, 0)
	for _, o := range together(10, func(i int) outcome[enroll.Verification] {
		v, err := replicas[i%2].verify(ada, code)
		return outcome[enroll.Verification]{v, err}
	}) {
		if o.err != nil || o.value.Status == nil || !o.value.Status.TOTP.Enabled {
			t.Fatalf("%+v, %v", o.value, o.err)
		}
	}
	f.wantCalls("VerifySoftwareToken", 1)
	f.wantCalls("SetUserMFAPreference", 1)
	// Another code is for Cognito to judge, and so is this one later.
	_, err := f.verify(ada, f.wrongCode(secret))
	wantKind(t, err, enroll.CodeMismatch)
	f.wantCalls("VerifySoftwareToken", 2)
	f.clock.Advance(time.Minute)
	_, _ = f.verify(ada, code)
	f.wantCalls("VerifySoftwareToken", 3)
}

// The change must not look like a failure.
func TestAStatusThatCannotBeReadAfterwardsIsWhatWasSet(t *testing.T) {
	t.Parallel()
	f := newFlows(t, byUsername)
	ada := f.signedIn("ada")
	secret := f.start(ada).Secret
	f.down("GetUser", 3)
	v, err := f.verify(ada, f.codeAt(secret, 0))
	if err != nil || v.Status.TOTP != (enroll.Preference{Enabled: true, Preferred: true}) || v.Status.Preferred != enroll.MethodTOTP || v.Status.Next != enroll.NextNone {
		t.Errorf("%+v, %v", v.Status, err)
	}
}

func TestStatusERRORIsAFailure(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	secret := f.start(ada).Secret
	f.cognito.Fail("VerifySoftwareToken", cognitotest.Fault{StatusError: true})
	_, err := f.verify(ada, f.codeAt(secret, 0))
	wantKind(t, err, enroll.EnrollmentReplaced)
	f.wantCalls("SetUserMFAPreference", 0) // Nothing is switched on without a verified secret.
}

func TestOneVerifyCallFinishesTheSignIn(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	e := f.start(f.signingIn("grace"))
	v, err := f.finish(bySession(e.Session), "grace", f.codeAt(e.Secret, 0))
	if err != nil || v.SignIn == nil || v.SignIn.Tokens == nil || v.Session != "" {
		t.Fatalf("%+v, %v", v, err)
	}
	if tokens := v.SignIn.Tokens; tokens.Access == "" || tokens.Type != "Bearer" || tokens.ExpiresIn != time.Hour {
		t.Errorf("the tokens are %+v", tokens)
	}
	if status := f.status(f.bearer(v.SignIn.Tokens.Access.Reveal())); !status.TOTP.Enabled {
		t.Errorf("the status is %+v", status)
	}
}

func TestVerifyBySessionAloneGivesTheSessionThatAnswersMFASetup(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	e := f.start(f.signingIn("grace"))
	v, err := f.verify(bySession(e.Session), f.codeAt(e.Secret, 0))
	if err != nil || v.Session == "" || v.SignIn != nil {
		t.Fatalf("%+v, %v", v, err)
	}
	f.wantSignedIn(setUp("grace", v.Session))
}

func TestASignInThatCannotBeCompletedKeepsTheSession(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	e := f.start(f.signingIn("grace"))
	f.cognito.Fail("RespondToAuthChallenge", cognitotest.Fault{Exception: "TooManyRequestsException", Message: "Rate exceeded"})
	v, err := f.finish(bySession(e.Session), "grace", f.codeAt(e.Secret, 0))
	if err != nil || v.SignIn != nil {
		t.Fatalf("%+v, %v", v, err)
	}
	f.wantSignedIn(setUp("grace", v.Session))
}

func TestWhatCouldOnlyFailAfterTheCodeIsRefusedBefore(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada, grace := f.signedIn("ada"), f.signingIn("grace")
	for name, test := range map[string]struct {
		credential enroll.Credential
		signIn     enroll.CompleteSignIn
		field      string
	}{
		"signed in already": {ada, enroll.CompleteSignIn{Username: "ada", ClientID: standin.OptionalClient}, "username"},
		"no username":       {grace, enroll.CompleteSignIn{ClientID: standin.RequiredClient}, "username"},
		"no client":         {grace, enroll.CompleteSignIn{Username: "grace"}, "clientId"},
		"another client":    {grace, enroll.CompleteSignIn{Username: "grace", ClientID: "somebody-else"}, "clientId"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.Verify(t.Context(), enroll.VerifyRequest{Credential: test.credential, Code: "123456", SignIn: &test.signIn})
			wantField(t, err, test.field)
		})
	}
	f.wantCalls("", 0)
}

func TestADoubleClickOnVerifySpendsOneUseOfTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cognito := rush{takes: time.Second, calls: new(atomic.Int64)}
		s := bubble(t, func(o *enroll.Options) { o.Pool = cognito })
		c := bySession("session")
		e, err := s.Start(t.Context(), enroll.StartRequest{Credential: c})
		if err != nil {
			t.Fatal(err)
		}
		code, err := totp.GenerateCode(e.Secret.Reveal(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		cognito.calls.Store(0)
		var first *enroll.SignIn
		for _, o := range together(5, func(int) outcome[enroll.Verification] {
			v, err := s.Verify(t.Context(), enroll.VerifyRequest{
				Credential: bySession(e.Session), Code: enroll.Secret(code), SignIn: &enroll.CompleteSignIn{Username: "grace", ClientID: standin.RequiredClient},
			})
			return outcome[enroll.Verification]{v, err}
		}) {
			if o.err != nil || o.value.SignIn == nil || o.value.SignIn.Tokens == nil || first != nil && o.value.SignIn != first {
				t.Fatalf("%+v, %v", o.value, o.err)
			}
			first = o.value.SignIn
		}
		if n := cognito.calls.Load(); n != 2 { // The verification, and the end of the sign-in.
			t.Errorf("%d calls", n)
		}
	})
}

func TestFiveWrongCodesDoNotCostTheSession(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	e := f.start(f.signingIn("grace"))
	for range 5 {
		_, err := f.finish(bySession(e.Session), "grace", f.wrongCode(e.Secret))
		wantKind(t, err, enroll.CodeMismatch)
	}
	v, err := f.finish(bySession(e.Session), "grace", f.codeAt(e.Secret, 0))
	if err != nil || v.SignIn == nil || v.SignIn.Tokens == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	f.wantCalls("VerifySoftwareToken", 1)
	f.wantMetric("mfa_codes_rejected_locally_total", 5)
}

func TestTheSkewOfThePhoneIsTold(t *testing.T) {
	t.Parallel()
	for off, told := range map[time.Duration]bool{
		-90 * time.Second: true, 2 * time.Minute: true, -10 * time.Minute: true, 11 * time.Minute: false,
	} {
		t.Run(off.String(), func(t *testing.T) {
			f := newFlows(t)
			ada := f.signedIn("ada")
			_, err := f.verify(ada, f.codeAt(f.start(ada).Secret, off))
			wantKind(t, err, enroll.CodeMismatch)
			want := off
			if !told {
				want = 0
			}
			if e, ok := errors.AsType[*enroll.Error](err); !ok || e.ClockSkew != want {
				t.Errorf("the skew of %+v is not %v", err, want)
			}
		})
	}
	for _, off := range []time.Duration{-30 * time.Second, 30 * time.Second} {
		t.Run(off.String()+" is accepted", func(t *testing.T) {
			f := newFlows(t)
			ada := f.signedIn("ada")
			if _, err := f.verify(ada, f.codeAt(f.start(ada).Secret, off)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestACodeThatFitsAndIsRefusedMeansThatTheSecretWasReplaced(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	secret := f.start(ada).Secret
	f.elsewhere("AssociateSoftwareToken", ada)
	_, err := f.verify(ada, f.codeAt(secret, 0))
	wantKind(t, err, enroll.EnrollmentReplaced)
	if f.start(ada).Resumed {
		t.Error("starting again resumes what is worthless")
	}
}

func TestWrongCodesAreBounded(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	first := f.signingIn("grace")
	e := f.start(first)
	for range 10 {
		_, err := f.verify(bySession(e.Session), f.wrongCode(e.Secret))
		wantKind(t, err, enroll.CodeMismatch)
	}
	_, err := f.verify(first, f.codeAt(e.Secret, 0))
	wantKind(t, err, enroll.TooManyRequests)
	refusal, ok := errors.AsType[*enroll.Error](err)
	if !ok || refusal.RetryAfter <= 0 || refusal.RetryAfter > time.Minute {
		t.Fatalf("%+v", err)
	}
	f.clock.Advance(refusal.RetryAfter)
	if _, err := f.verify(first, f.codeAt(e.Secret, 0)); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestTheFirstPhaseIsMeasured(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	secret := f.start(ada).Secret
	f.clock.Advance(40 * time.Second)
	if _, err := f.verify(ada, f.codeAt(secret, 0)); err != nil {
		t.Fatal(err)
	}
	f.wantMetric(`mfa_enrollment_duration_seconds_sum{flow="token"}`, 40)
	f.wantMetric("mfa_code_skew_steps_count", 1)
}

func TestTheOldPhoneWorksUntilTheNewOneIsVerified(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	old := f.enrolled(ada)
	f.clock.Advance(time.Minute)
	fresh := f.start(ada).Secret
	if got := f.cognito.TOTPSecret(standin.Optional, "ada"); got != old.Reveal() {
		t.Fatal("starting dropped the old phone")
	}
	if _, err := f.verify(ada, f.codeAt(fresh, 0)); err != nil {
		t.Fatal(err)
	}
	if got := f.cognito.TOTPSecret(standin.Optional, "ada"); got != fresh.Reveal() {
		t.Error("verifying did not replace the old phone")
	}
}

func TestVerifyWithoutStartSaysSo(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	f.cognito.Fail("VerifySoftwareToken", cognitotest.Fault{Exception: "SoftwareTokenMFANotFoundException", Message: "Software Token MFA does not exist for the user."})
	_, err := f.verify(f.signedIn("ada"), "123456")
	wantKind(t, err, enroll.NoPendingEnrollment)
}
