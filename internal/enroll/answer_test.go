package enroll_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/test/standin"
)

// setUp answers MFA_SETUP for somebody of the required pool.
func setUp(user string, session enroll.Secret) enroll.Answer {
	return enroll.Answer{Challenge: enroll.ChallengeMFASetup, ClientID: standin.RequiredClient, Username: user, Session: session}
}

// wantSignedIn says that an answer completes a sign-in.
func (f *flows) wantSignedIn(a enroll.Answer) {
	f.t.Helper()
	if in, err := f.Answer(f.t.Context(), a); err != nil || in.Tokens == nil {
		f.t.Errorf("%s: %+v, %v", a.Challenge, in, err)
	}
}

// wantField says that an error is about one member of the request.
func wantField(t *testing.T, err error, name string) {
	t.Helper()
	wantKind(t, err, enroll.InvalidRequest)
	if e, ok := errors.AsType[*enroll.Error](err); !ok || len(e.Fields) != 1 || e.Fields[0].Name != name {
		t.Errorf("%+v is not about %s", err, name)
	}
}

func TestTheNextSignInAsksForACodeAndACodeWorksOnce(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	secret := f.enrolled(f.signedIn("ada"))
	answer := func(code enroll.Secret) (enroll.SignIn, error) {
		c := f.challenged("ada")
		if c.Name != enroll.MethodTOTP {
			t.Fatalf("the challenge is %q", c.Name)
		}
		return f.Answer(t.Context(), enroll.Answer{Challenge: c.Name, ClientID: standin.OptionalClient, Username: "ada", Session: c.Session, Code: code})
	}
	_, err := answer(f.codeAt(secret, 0)) // the code that enrolled
	wantKind(t, err, enroll.CodeAlreadyUsed)
	_, err = answer(f.wrongCode(secret))
	wantKind(t, err, enroll.CodeMismatch)
	f.clock.Advance(30 * time.Second)
	if in, err := answer(f.codeAt(secret, 0)); err != nil || in.Tokens == nil {
		t.Errorf("the next code: %+v, %v", in, err)
	}
	f.wantMetric(`mfa_challenges_answered_total{challenge="SOFTWARE_TOKEN_MFA",result="wrong_code"}`, 2)
	f.wantMetric(`mfa_challenges_answered_total{challenge="SOFTWARE_TOKEN_MFA",result="ok"}`, 1)
}

func TestAnAnswerThatCouldOnlyFailIsRefusedBeforeACall(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	answer := enroll.Answer{
		Challenge: enroll.MethodTOTP, ClientID: standin.OptionalClient, Username: "ada", Code: "123456",
		Session: enroll.Secret(strings.Repeat("s", 40)), Address: "198.51.100.7",
	}
	for name, test := range map[string]struct {
		change func(*enroll.Answer)
		field  string
	}{
		"another client":             {func(a *enroll.Answer) { a.ClientID = "somebody-else" }, "clientId"},
		"no code":                    {func(a *enroll.Answer) { a.Code = "" }, "code"},
		"no code of a message":       {func(a *enroll.Answer) { a.Challenge, a.Code = enroll.ChallengeSMS, "" }, "code"},
		"SELECT_MFA_TYPE, no answer": {func(a *enroll.Answer) { a.Challenge, a.Code = enroll.ChallengeSelectMFA, "" }, "answer"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := answer
			test.change(&wrong)
			_, err := f.Answer(t.Context(), wrong)
			wantField(t, err, test.field)
		})
	}
	f.wantCalls("", 0)
	_, err := f.Answer(t.Context(), answer) // a made-up session
	wantKind(t, err, enroll.SessionExpired)
	f.wantMetric(`mfa_challenges_answered_total{challenge="SOFTWARE_TOKEN_MFA",result="failed"}`, 1)
}

func TestSelectMFATypeLeadsToTheNextChallenge(t *testing.T) {
	t.Parallel()
	pools := cognitotest.DemoPools()
	pools[0].Factors = []cognitotest.Factor{cognitotest.SMS}
	pools[0].Users = append(pools[0].Users, cognitotest.User{
		Username: "both", Password: standin.Password, TOTPSecret: itsSecret, Factors: []cognitotest.Factor{cognitotest.SMS},
		Attributes: map[string]string{"email": "both@example.com", "phone_number": "+15550100"},
	})
	f := newFlowsAt(t, cognitotest.Options{Pools: pools})
	c := f.challenged("both")
	if c.Name != enroll.ChallengeSelectMFA {
		t.Fatalf("the challenge is %q", c.Name)
	}
	choose := enroll.Answer{Challenge: c.Name, ClientID: standin.OptionalClient, Username: "both", Session: c.Session, Method: enroll.MethodTOTP}
	in, err := f.Answer(t.Context(), choose)
	if err != nil || in.Challenge == nil || in.Challenge.Name != enroll.MethodTOTP || in.Challenge.Session == "" {
		t.Fatalf("%+v, %v", in, err)
	}
	f.wantMetric(`mfa_challenges_answered_total{challenge="SELECT_MFA_TYPE",result="challenge"}`, 1)
	_, err = f.Answer(t.Context(), choose)
	wantKind(t, err, enroll.SessionExpired) // A session works once.
	f.wantSignedIn(enroll.Answer{
		Challenge: enroll.MethodTOTP, ClientID: standin.OptionalClient, Username: "both", Session: in.Challenge.Session, Code: f.codeAt(itsSecret, 0),
	})
}

// SECRET_HASH is made of the username, so Cognito cannot tell an alias from a wrong
// secret (warrant#74, amplify-js#4047).
func TestAnAliasWithAClientSecretIsNamedAsTheUsername(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	f.cognito.Fail("RespondToAuthChallenge", cognitotest.Fault{Exception: "NotAuthorizedException", Message: "Unable to verify secret hash for client demo-required"})
	_, err := f.Answer(t.Context(), enroll.Answer{
		Challenge: enroll.MethodTOTP, ClientID: standin.RequiredClient, Username: "grace@example.com", Session: f.signingIn("grace").Session, Code: "123456",
	})
	wantField(t, err, "username")
	if e, ok := errors.AsType[*enroll.Error](err); !ok || !strings.Contains(e.Fields[0].Reason, "USER_ID_FOR_SRP") {
		t.Errorf("%+v", err)
	}
}
