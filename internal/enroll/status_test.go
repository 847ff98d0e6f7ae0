package enroll_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/test/standin"
)

// status reads somebody's factors.
func (f *flows) status(c enroll.Credential) enroll.Status {
	f.t.Helper()
	status, err := f.Status(f.t.Context(), *c.Identity)
	if err != nil {
		f.t.Fatal(err)
	}
	return status
}

// prefer changes how TOTP is used.
func (f *flows) prefer(c enroll.Credential, p enroll.Preference) enroll.Status {
	f.t.Helper()
	status, err := f.SetPreference(f.t.Context(), c, p)
	if err != nil {
		f.t.Fatal(err)
	}
	return status
}

func TestStepUp(t *testing.T) {
	t.Parallel()
	old := func(f *flows) enroll.Credential { return f.anotherSignIn(20 * time.Minute) }
	wantStepUp := func(t *testing.T, err error) {
		t.Helper()
		wantKind(t, err, enroll.StepUpRequired)
		if e, ok := errors.AsType[*enroll.Error](err); !ok || e.MaxAge != 15*time.Minute {
			t.Errorf("how old the sign-in may be is not told: %+v", err)
		}
	}
	t.Run("switching off with an old sign-in", func(t *testing.T) {
		f := newFlows(t)
		f.enrolled(f.signedIn("ada"))
		_, err := f.SetPreference(t.Context(), old(f), enroll.Preference{})
		wantStepUp(t, err)
		if !f.cognito.MFAEnabled(standin.Optional, "ada") {
			t.Error("it was switched off")
		}
	})
	t.Run("switching off with a fresh sign-in", func(t *testing.T) {
		f := newFlows(t)
		ada := f.signedIn("ada")
		f.enrolled(ada)
		if status := f.prefer(ada, enroll.Preference{}); status.TOTP.Enabled {
			t.Errorf("the status is %+v", status)
		}
		f.wantMetric(`mfa_preference_changes_total{change="off",result="ok"}`, 1)
	})
	t.Run("a first enrollment needs none", func(t *testing.T) {
		f := newFlows(t)
		f.enrolled(old(f))
	})
	t.Run("replacing is refused at the start, before a call is spent", func(t *testing.T) {
		f := newFlows(t)
		f.enrolled(f.signedIn("ada"))
		_, err := f.Start(t.Context(), enroll.StartRequest{Credential: old(f)})
		wantStepUp(t, err)
		f.wantCalls("AssociateSoftwareToken", 1)
	})
	t.Run("replacing is held at verify where the status was not known at the start", func(t *testing.T) {
		f := newFlows(t)
		f.enrolled(f.signedIn("ada"))
		f.clock.Advance(time.Minute)
		f.down("GetUser", 6) // at the start, and at the first code
		ada := old(f)
		code := f.codeAt(f.start(ada).Secret, 0)
		_, err := f.verify(ada, code)
		// As long as the status cannot be read, nobody knows whether it is wanted.
		wantKind(t, err, enroll.Busy)
		_, err = f.verify(ada, code)
		wantStepUp(t, err)
	})
	t.Run("a fresh token needs no look-up", func(t *testing.T) {
		f := newFlows(t, byUsername)
		f.start(f.signedIn("ada"))
		f.wantCalls("GetUser", 0)
	})
	t.Run("off when the maximum is 0", func(t *testing.T) {
		f := newFlows(t, func(o *enroll.Options) { o.StepUpMaxAge = 0 })
		f.enrolled(f.signedIn("ada"))
		f.prefer(old(f), enroll.Preference{})
	})
}

func TestAPoolThatRequiresMFAKeepsIt(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	grace := f.bearer(f.cognito.SignIn(standin.Required, standin.RequiredClient, "grace").AccessToken)
	f.enrolled(grace)
	// Pools were seen that let everything be switched off, so that the stand-in
	// does too; this is one that refuses.
	f.cognito.Fail("SetUserMFAPreference", cognitotest.Fault{Exception: "InvalidParameterException", Message: "User pool requires MFA"})
	_, err := f.SetPreference(t.Context(), grace, enroll.Preference{})
	wantKind(t, err, enroll.MFARequiredByPool)
}

// deaf is a Cognito that says yes to a change and makes none.
type deaf struct{ enroll.UserPool }

func (deaf) SetTOTP(context.Context, permit.Permit, enroll.Secret, enroll.Preference) error {
	return nil
}

func TestAPoolThatSaysYesAndKeepsTheAppRequiresIt(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	f.enrolled(ada)
	f.options.Pool = deaf{f.options.Pool}
	_, err := f.replica().SetPreference(t.Context(), ada, enroll.Preference{})
	wantKind(t, err, enroll.MFARequiredByPool)
}

// Cognito refuses to switch off what was never set up (amplify-js#3844, #1226).
// That says nothing of what the pool requires, and all is as the person wants it.
func TestSwitchingOffWhatWasNeverSetUpIsDone(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	refuse := func(message string) {
		f.cognito.Fail("SetUserMFAPreference", cognitotest.Fault{Exception: "InvalidParameterException", Message: message})
	}
	for _, message := range []string{"", "User has not set up software token mfa", "something that nobody has seen"} {
		if message != "" {
			refuse(message)
		}
		if status := f.prefer(ada, enroll.Preference{}); status.TOTP.Enabled {
			t.Errorf("%q: %+v", message, status)
		}
	}
	f.enrolled(ada)
	refuse("something that nobody has seen") // A working app stays on.
	_, err := f.SetPreference(t.Context(), ada, enroll.Preference{})
	wantKind(t, err, enroll.RefusedByPool)
	f.down("SetUserMFAPreference", 3)
	_, err = f.SetPreference(t.Context(), ada, enroll.Preference{})
	wantKind(t, err, enroll.UpstreamUnavailable)
}

func TestNoAppToSwitchOnIsToldAsThat(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	_, err := f.SetPreference(t.Context(), f.signedIn("ada"), enroll.Preference{Enabled: true})
	wantKind(t, err, enroll.NoPendingEnrollment)
	if e, ok := errors.AsType[*enroll.Error](err); !ok || e.Reason != enroll.ReasonNoVerifiedApp {
		t.Errorf("%+v", err)
	}
	f.wantMetric(`mfa_preference_changes_total{change="on",result="failed"}`, 1)
}

func TestWhatIsOffIsNotPreferred(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	_, err := f.SetPreference(t.Context(), f.signedIn("ada"), enroll.Preference{Preferred: true})
	wantField(t, err, "preferred")
	f.wantCalls("", 0)
}

// faulty is a Cognito whose client panics in one call.
type faulty struct {
	enroll.UserPool
	associate, user bool
}

func (p faulty) Associate(ctx context.Context, m permit.Permit, c enroll.Credential) (enroll.Association, error) {
	if p.associate {
		panic(itsSecret)
	}
	return p.UserPool.Associate(ctx, m, c)
}

func (p faulty) User(ctx context.Context, m permit.Permit, token enroll.Secret) (enroll.User, error) {
	if p.user {
		panic(itsSecret)
	}
	return p.UserPool.User(ctx, m, token)
}

// A panic reaches those who share the work as an error, and does not end the
// process.
func TestAPanicIsAnErrorThatDoesNotTellItsValue(t *testing.T) {
	t.Parallel()
	f := newFlows(t, byUsername, func(o *enroll.Options) { o.Pool = faulty{UserPool: o.Pool, associate: true} })
	_, err := f.Start(t.Context(), enroll.StartRequest{Credential: f.signedIn("ada")})
	wantKind(t, err, enroll.Internal)
	if err == nil || strings.Contains(err.Error(), itsSecret) {
		t.Errorf("%v", err)
	}
	f.wantMetric("http_panics_total", 1)
}

func TestAPanicInTheLookUpOfALabelFailsNoEnrollment(t *testing.T) {
	t.Parallel()
	f := newFlows(t, func(o *enroll.Options) { o.Pool = faulty{UserPool: o.Pool, user: true} })
	if got := f.start(f.signedIn("ada")).AccountName; got != "ada" {
		t.Errorf("the account is %q", got)
	}
	f.wantMetric("http_panics_total", 1)
}
