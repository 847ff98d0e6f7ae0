package enroll_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
)

// faraway is a Cognito to which a code travels: for as long as the quota's queue,
// a repeated call, a slow network or a clock that is not known better makes it.
type faraway struct {
	enroll.UserPool
	travel func()
}

func (p *faraway) Verify(ctx context.Context, allowed permit.Permit, c enroll.Credential, code enroll.Secret, deviceName string) (enroll.Secret, error) {
	p.travel()
	return p.UserPool.Verify(ctx, allowed, c, code, deviceName)
}

// The clock stands 15 s into a step.
func TestARefusedCodeMeansAnotherSecretOnlyWhereCognitoHadToTakeIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		begin    time.Duration // when it is looked at here
		off      time.Duration // of the phone's clock
		takes    time.Duration // until Cognito judges it, and negative where Cognito's clock is behind
		replaced bool          // another secret was asked for elsewhere
		want     enroll.Kind
	}{
		"the step before's, as the step ends":         {14 * time.Second, -30 * time.Second, 2 * time.Second, false, enroll.CodeMismatch},
		"the step before's, after the quota's queue":  {8 * time.Second, -30 * time.Second, 8 * time.Second, false, enroll.CodeMismatch},
		"this step's, after a whole step":             {0, 0, 50 * time.Second, false, enroll.CodeMismatch},
		"the next step's, Cognito a second behind":    {-15 * time.Second, 30 * time.Second, -time.Second, false, enroll.CodeMismatch},
		"the step before's, replaced, as it ends":     {14 * time.Second, -30 * time.Second, 0, true, enroll.CodeMismatch},
		"the step before's, replaced, in mid-step":    {0, -30 * time.Second, time.Second, true, enroll.EnrollmentReplaced},
		"this step's, replaced, as the step ends":     {14 * time.Second, 0, 2 * time.Second, true, enroll.EnrollmentReplaced},
		"the next step's, replaced, in mid-step":      {0, 30 * time.Second, time.Second, true, enroll.EnrollmentReplaced},
		"the next step's, replaced, after two steps":  {0, 30 * time.Second, 40 * time.Second, true, enroll.EnrollmentReplaced},
		"the next step's, replaced, as a step begins": {-15 * time.Second, 30 * time.Second, 0, true, enroll.CodeMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			far := &faraway{}
			f := newFlows(t, func(o *enroll.Options) { far.UserPool, o.Pool = o.Pool, far })
			far.travel = func() { f.clock.Advance(test.takes) }
			ada := f.signedIn("ada")
			secret := f.start(ada).Secret
			if test.replaced {
				f.elsewhere("AssociateSoftwareToken", ada)
			}
			f.clock.Advance(test.begin)
			_, err := f.verify(ada, f.codeAt(secret, test.off))
			wantKind(t, err, test.want)
			far.travel = func() {}
			if test.replaced {
				return
			}
			if e := f.start(ada); !e.Resumed || e.Secret != secret {
				t.Error("the QR code that was scanned is shown no more")
			}
			if _, err := f.verify(ada, f.codeAt(secret, 0)); err != nil {
				t.Errorf("the next code: %v", err)
			}
		})
	}
}

var noSoftwareToken = cognitotest.Fault{Exception: "SoftwareTokenMFANotFoundException", Message: "Software Token MFA does not exist for the user."}

// A help desk removes a lost app (AdminDeleteSoftwareToken), and with it what waits
// for its first code. Whoever starts again, as the reply says, must not be shown the
// same QR code for as long as it is kept.
func TestAnEnrollmentThatCognitoDoesNotKnowIsNotShownAgain(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	ada := f.signedIn("ada")
	secret := f.start(ada).Secret
	f.cognito.Fail("VerifySoftwareToken", noSoftwareToken)
	_, err := f.verify(ada, f.codeAt(secret, 0))
	wantKind(t, err, enroll.NoPendingEnrollment)
	again := f.start(ada)
	if again.Resumed || again.Secret == secret {
		t.Fatal("starting again resumes what is worthless")
	}
	_, err = f.verify(ada, f.codeAt(secret, 0))
	wantKind(t, err, enroll.SupersededCode)
	if _, err := f.verify(ada, f.codeAt(again.Secret, 0)); err != nil {
		t.Error(err)
	}
}

func TestInMidSignInAnEnrollmentThatCognitoDoesNotKnowIsNotShownAgain(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	first := f.signingIn("grace")
	e := f.start(first)
	f.cognito.Fail("VerifySoftwareToken", noSoftwareToken)
	_, err := f.verify(bySession(e.Session), f.codeAt(e.Secret, 0))
	wantKind(t, err, enroll.NoPendingEnrollment)
	again := f.start(first)
	if again.Resumed {
		t.Fatal("starting again resumes what is worthless")
	}
	if _, err := f.finish(bySession(again.Session), "grace", f.codeAt(again.Secret, 0)); err != nil {
		t.Error(err)
	}
}

// A code that meets an outage or the quota is sent again by itself, for as long as
// the replies say so, and becomes too old meanwhile.
func TestACodeThatGrewOldHereIsNotBlamedOnThePhone(t *testing.T) {
	t.Parallel()
	for _, waited := range []time.Duration{61 * time.Second, 5 * time.Minute, 14 * time.Minute, 15 * time.Minute} {
		t.Run(waited.String(), func(t *testing.T) {
			f := newFlows(t)
			ada := f.signedIn("ada")
			secret := f.start(ada).Secret
			code := f.codeAt(secret, 0)
			f.down("VerifySoftwareToken", 3)
			_, err := f.verify(ada, code)
			wantKind(t, err, enroll.UpstreamUnavailable)
			f.clock.Advance(waited)
			for range 2 {
				_, err = f.verify(ada, code)
				wantKind(t, err, enroll.CodeMismatch)
				if e, ok := errors.AsType[*enroll.Error](err); !ok || e.ClockSkew != 0 {
					t.Errorf("the phone is told to be wrong by %v", e.ClockSkew)
				}
			}
			_, err = f.verify(ada, f.codeAt(secret, -2*time.Minute)) // Another code, of a phone that is slow.
			if e, ok := errors.AsType[*enroll.Error](err); !ok || e.ClockSkew != -2*time.Minute {
				t.Errorf("a slow phone: %+v", err)
			}
			if _, err := f.verify(ada, f.codeAt(secret, 0)); err != nil {
				t.Errorf("the code of now: %v", err)
			}
		})
	}
}
