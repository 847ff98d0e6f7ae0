package enroll_test

import (
	"testing"

	"mfa-enrollment/internal/enroll"
)

func TestStartingAgainGivesTheSameEnrollment(t *testing.T) {
	f := newFlows(t)
	ada := f.signedIn("ada")
	first := f.start(ada)
	again := f.start(ada)
	if first.Resumed || !again.Resumed || again.Secret != first.Secret || again.URI != first.URI || !again.ExpiresAt.Equal(first.ExpiresAt) {
		t.Errorf("%+v\n%+v", first, again)
	}
	if n := f.cognito.Calls("AssociateSoftwareToken"); n != 1 {
		t.Errorf("%d calls", n)
	}
	renewed := f.renew(ada)
	if renewed.Resumed || renewed.Secret == first.Secret {
		t.Error("renew resumed")
	}
	if other := f.start(f.signedIn("linus")); other.Secret == renewed.Secret {
		t.Error("another person gets the same secret")
	}
}

func TestAnySessionOfTheChainResumesAndVerifies(t *testing.T) {
	f := newFlows(t)
	grace := f.signingIn("grace")
	first := f.start(grace)
	for _, c := range []enroll.Credential{grace, bySession(first.Session)} {
		if again := f.start(c); !again.Resumed || again.Secret != first.Secret || again.Session != first.Session {
			t.Fatalf("%+v", again)
		}
	}
	// The page that still shows the first reply holds a spent session.
	renewed := f.renew(grace)
	v, err := f.finish(bySession(first.Session), "grace", f.codeAt(renewed.Secret, 0))
	if err != nil || v.SignIn == nil || v.SignIn.Tokens == nil {
		t.Errorf("verify with an older session: %+v, %v", v, err)
	}
	_, err = f.Start(t.Context(), enroll.StartRequest{Credential: grace})
	wantKind(t, err, enroll.SessionExpired)
}
