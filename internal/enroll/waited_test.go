package enroll_test

import (
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
)

// unanswered starts an enrollment that Cognito does not answer.
func (f *flows) unanswered(c enroll.Credential) {
	f.t.Helper()
	f.cognito.Fail("AssociateSoftwareToken", cognitotest.Fault{Exception: "InternalErrorException"}, cognitotest.Fault{Exception: "InternalErrorException"}, cognitotest.Fault{Exception: "InternalErrorException"})
	_, err := f.Start(f.t.Context(), enroll.StartRequest{Credential: c})
	wantKind(f.t, err, enroll.UpstreamUnavailable)
	f.cognito.Fail("AssociateSoftwareToken")
}

func TestASessionThatEndedWhileItWaitedIsToldSoWithoutACall(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	for range 22 { // More than the address may have refused.
		session := f.signingIn("grace")
		f.unanswered(session)
		f.clock.Advance(3 * time.Minute)
		calls := f.cognito.Calls("")
		_, err := f.Start(t.Context(), enroll.StartRequest{Credential: session})
		wantKind(t, err, enroll.SessionExpired)
		if n := f.cognito.Calls("") - calls; n != 0 {
			t.Fatalf("%d calls for a session that has ended", n)
		}
	}
	f.start(f.signingIn("grace"))
}

// A session from which an enrollment was started lives on in the sessions that
// Cognito handed out since, also at the replica that told it to come back.
func TestASessionThatWaitedAndThenStartedLivesOn(t *testing.T) {
	t.Parallel()
	one := newFlows(t)
	other := one.replica()
	session := one.signingIn("grace")
	one.unanswered(session)
	one.clock.Advance(time.Minute)
	secret := other.start(session).Secret
	one.clock.Advance(130 * time.Second)
	if _, err := one.finish(session, "grace", one.codeAt(secret, 0)); err != nil {
		t.Errorf("three minutes after it was told to come back, two after it started: %v", err)
	}
}
