package app_test

import (
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

// enrolled starts and verifies an enrollment by token and returns the secret.
func (w *world) enrolled(token string) string {
	w.t.Helper()
	secret := w.begin(token, object{"renew": true}).json(w.t)["secret"].(string)
	if r := w.verify(token, object{"code": w.codeAt(secret, 0)}); r.status != 200 {
		w.t.Fatalf("status %d: %s", r.status, r.body)
	}
	return secret
}

func TestVerifyByTokenSwitchesTOTPOnAndTellsTheStatus(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	secret := w.begin(token, nil).json(t)["secret"].(string)
	r := w.verify(token, object{"code": w.codeAt(secret, 0), "deviceName": "Ada's phone"})
	if r.status != 200 {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	got := r.json(t)
	if status := got["totp"].(object); status["enabled"] != true || status["preferred"] != true {
		t.Errorf("totp is %v", status)
	}
	if got["preferred"] != "SOFTWARE_TOKEN_MFA" {
		t.Errorf("preferred is %v", got["preferred"])
	}
	// The clock stands 15 s into a step, so that the next code comes in 15 s.
	if want := w.clock.Now().Add(15 * time.Second).Format(time.RFC3339); got["codeReusableAt"] != want {
		t.Errorf("codeReusableAt is %v, want %v", got["codeReusableAt"], want)
	}
	if !w.cognito.MFAEnabled(optional, "ada") {
		t.Error("Cognito would not ask for a code")
	}
	if name := w.cognito.DeviceName(optional, "ada"); name != "Ada's phone" {
		t.Errorf("the device is called %q", name)
	}
	if status := w.do(request{method: "GET", path: "/v1/mfa", token: token}).json(t); status["totp"].(object)["enabled"] != true {
		t.Errorf("GET /v1/mfa says %v", status)
	}
}

func TestVerifyLeavesTOTPUnpreferredWhenAsked(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	secret := w.begin(token, nil).json(t)["secret"].(string)
	got := w.verify(token, object{"code": w.codeAt(secret, 0), "preferred": false}).json(t)
	if status := got["totp"].(object); status["enabled"] != true || status["preferred"] != false {
		t.Errorf("totp is %v", status)
	}
}

func TestVerifiedButNotSwitchedOnIsSaidAndFinishedWithoutAnotherCode(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	secret := w.begin(token, nil).json(t)["secret"].(string)
	down := cognitotest.Fault{Exception: "InternalErrorException"}
	w.cognito.Fail("SetUserMFAPreference", down, down, down)
	r := w.verify(token, object{"code": w.codeAt(secret, 0)})
	if r.status != 503 || r.code(t) != "verified_not_enabled" || r.header.Get("Retry-After") == "" {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	r = w.do(request{method: "PUT", path: "/v1/mfa/totp/preference", token: token, body: object{"enabled": true}})
	if r.status != 200 || r.json(t)["totp"].(object)["enabled"] != true {
		t.Errorf("status %d: %s", r.status, r.body)
	}
}

func TestStatusERRORIsAFailure(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	w.begin(token, nil)
	w.cognito.Fail("VerifySoftwareToken", cognitotest.Fault{StatusError: true})
	secret := w.cognito.PendingSecret(optional, "ada")
	if r := w.verify(token, object{"code": w.codeAt(secret, 0)}); r.status/100 != 4 {
		t.Errorf("status %d: %s", r.status, r.body)
	}
	if w.cognito.Calls("SetUserMFAPreference") != 0 {
		t.Error("TOTP was switched on without a verified secret")
	}
}

func TestOneVerifyCallFinishesTheSignIn(t *testing.T) {
	w := newWorld(t, nil)
	e := w.begin("", object{"session": w.cognito.Session(required, requiredClient, "grace")}).json(t)
	r := w.verify("", object{
		"session": e["session"], "code": w.codeAt(e["secret"].(string), 0), "username": "grace", "clientId": requiredClient,
	})
	if r.status != 200 {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	tokens, ok := r.json(t)["tokens"].(object)
	if !ok || tokens["accessToken"] == "" || tokens["tokenType"] != "Bearer" || tokens["expiresIn"] != 3600.0 {
		t.Fatalf("no tokens: %s", r.body)
	}
	if status := w.do(request{method: "GET", path: "/v1/mfa", token: tokens["accessToken"].(string)}).json(t); status["totp"].(object)["enabled"] != true {
		t.Errorf("the status is %v", status)
	}
}

func TestVerifyBySessionAloneGivesTheSessionThatAnswersMFASetup(t *testing.T) {
	w := newWorld(t, nil)
	e := w.begin("", object{"session": w.cognito.Session(required, requiredClient, "grace")}).json(t)
	v := w.verify("", object{"session": e["session"], "code": w.codeAt(e["secret"].(string), 0)}).json(t)
	if v["session"] == nil || v["tokens"] != nil {
		t.Fatalf("got %v", v)
	}
	r := w.answer(object{"challenge": "MFA_SETUP", "session": v["session"], "username": "grace", "clientId": requiredClient})
	if r.status != 200 || r.json(t)["tokens"] == nil {
		t.Errorf("status %d: %s", r.status, r.body)
	}
}

func TestASignInThatCannotBeCompletedKeepsTheSession(t *testing.T) {
	w := newWorld(t, nil)
	e := w.begin("", object{"session": w.cognito.Session(required, requiredClient, "grace")}).json(t)
	w.cognito.Fail("RespondToAuthChallenge", cognitotest.Fault{Exception: "TooManyRequestsException", Message: "Rate exceeded"})
	v := w.verify("", object{
		"session": e["session"], "code": w.codeAt(e["secret"].(string), 0), "username": "grace", "clientId": requiredClient,
	}).json(t)
	r := w.answer(object{"challenge": "MFA_SETUP", "session": v["session"], "username": "grace", "clientId": requiredClient})
	if r.status != 200 || r.json(t)["tokens"] == nil {
		t.Errorf("status %d: %s", r.status, r.body)
	}
}

func (w *world) answer(body object) reply {
	w.t.Helper()
	return w.do(request{method: "POST", path: "/v1/auth/challenge", body: body})
}

// signIn signs in at the stand-in with a password and returns the challenge's session.
func (w *world) signIn(user string) (challenge, session string) {
	w.t.Helper()
	r := w.sendWith("POST", w.endpoint, map[string][]string{
		"X-Amz-Target": {"AWSCognitoIdentityProviderService.InitiateAuth"}, "Content-Type": {"application/x-amz-json-1.1"},
	}, strings.NewReader(`{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"`+optionalClient+`","AuthParameters":{"USERNAME":"`+user+`","PASSWORD":"`+password+`"}}`))
	got := r.json(w.t)
	challenge, _ = got["ChallengeName"].(string)
	session, _ = got["Session"].(string)
	return challenge, session
}

func TestTheNextSignInAsksForACodeAndACodeWorksOnce(t *testing.T) {
	w := newWorld(t, nil)
	secret := w.enrolled(w.token(optional, optionalClient, "ada"))
	answer := func(code string) reply {
		challenge, session := w.signIn("ada")
		if challenge != "SOFTWARE_TOKEN_MFA" {
			t.Fatalf("the challenge is %q", challenge)
		}
		return w.answer(object{"challenge": challenge, "session": session, "username": "ada", "clientId": optionalClient, "code": code})
	}
	if r := answer(w.codeAt(secret, 0)); r.status != 422 || r.code(t) != "code_already_used" {
		t.Errorf("the code that enrolled: status %d: %s", r.status, r.body)
	}
	if r := answer(w.wrongCode(secret)); r.status != 422 || r.code(t) != "code_mismatch" {
		t.Errorf("a wrong code: status %d: %s", r.status, r.body)
	}
	w.clock.Advance(30 * time.Second)
	if r := answer(w.codeAt(secret, 0)); r.status != 200 || r.json(t)["tokens"] == nil {
		t.Errorf("the next code: status %d: %s", r.status, r.body)
	}
}

func TestTheOldPhoneWorksUntilTheNewOneIsVerified(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	old := w.enrolled(token)
	w.clock.Advance(time.Minute)
	fresh := w.begin(token, nil).json(t)["secret"].(string)
	if got := w.cognito.TOTPSecret(optional, "ada"); got != old {
		t.Fatal("starting dropped the old phone")
	}
	if r := w.verify(token, object{"code": w.codeAt(fresh, 0)}); r.status != 200 {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	if got := w.cognito.TOTPSecret(optional, "ada"); got != fresh {
		t.Error("verifying did not replace the old phone")
	}
}

func TestChallengesAreAnsweredForConfiguredClientsAlone(t *testing.T) {
	w := newWorld(t, nil)
	body := func(change object) object {
		b := object{"challenge": "SOFTWARE_TOKEN_MFA", "session": strings.Repeat("s", 40), "username": "ada", "clientId": optionalClient, "code": "123456"}
		for name, value := range change {
			if value == nil {
				delete(b, name)
				continue
			}
			b[name] = value
		}
		return b
	}
	tests := map[string]struct {
		change object
		field  string
	}{
		"another client":             {object{"clientId": "somebody-else"}, "clientId"},
		"no code":                    {object{"code": nil}, "code"},
		"a code of five digits":      {object{"code": "12345"}, "code"},
		"SELECT_MFA_TYPE, no answer": {object{"challenge": "SELECT_MFA_TYPE", "code": nil}, "answer"},
		"a challenge not ours":       {object{"challenge": "PASSWORD_VERIFIER"}, "challenge"},
		"metadata that is no object": {object{"clientMetadata": "x"}, "clientMetadata"},
		"no username":                {object{"username": nil}, "username"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := w.answer(body(test.change))
			if r.status != 400 || r.code(t) != "invalid_request" {
				t.Fatalf("status %d: %s", r.status, r.body)
			}
			if fields, _ := r.json(t)["fields"].([]any); len(fields) != 1 || fields[0].(object)["field"] != test.field {
				t.Errorf("fields are %v, want %s", fields, test.field)
			}
		})
	}
	if w.cognito.Calls("") != 0 {
		t.Error("calls were spent on requests that break the contract")
	}
	t.Run("a made-up session", func(t *testing.T) {
		if r := w.answer(body(nil)); r.status != 410 || r.code(t) != "session_expired" {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
}

func TestSelectMFATypeLeadsToTheNextChallenge(t *testing.T) {
	pools := cognitotest.DemoPools()
	pools[0].Users = append(pools[0].Users, cognitotest.User{
		Username: "both", Password: password, TOTPSecret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", Factors: []cognitotest.Factor{cognitotest.SMS},
		Attributes: map[string]string{"email": "both@example.com", "phone_number": "+15550100"},
	})
	w := newWorldWith(t, cognitotest.Options{Pools: pools}, nil)
	challenge, session := w.signIn("both")
	if challenge != "SELECT_MFA_TYPE" {
		t.Fatalf("the challenge is %q", challenge)
	}
	r := w.answer(object{"challenge": challenge, "session": session, "username": "both", "clientId": optionalClient, "answer": "SOFTWARE_TOKEN_MFA"})
	if r.status != 200 {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	next := r.json(t)["challenge"].(object)
	if next["name"] != "SOFTWARE_TOKEN_MFA" || next["session"] == nil {
		t.Errorf("the next challenge is %v", next)
	}
}

func TestStepUp(t *testing.T) {
	const age = 20 * time.Minute
	setOff := func(w *world, token string) reply {
		return w.do(request{method: "PUT", path: "/v1/mfa/totp/preference", token: token, body: object{"enabled": false}})
	}
	old := func(w *world) string {
		return w.cognito.Mint(optional, map[string]any{"auth_time": w.clock.Now().Add(-age).Unix()})
	}
	wantStepUp := func(t *testing.T, r reply) {
		t.Helper()
		if r.status != 401 || r.code(t) != "step_up_required" {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		challenge := r.header.Get("WWW-Authenticate")
		if !strings.Contains(challenge, `error="insufficient_user_authentication"`) || !strings.Contains(challenge, `max_age="900"`) {
			t.Errorf("WWW-Authenticate is %s", challenge)
		}
	}
	t.Run("switching off with an old sign-in", func(t *testing.T) {
		w := newWorld(t, nil)
		w.enrolled(w.token(optional, optionalClient, "ada"))
		wantStepUp(t, setOff(w, old(w)))
		if !w.cognito.MFAEnabled(optional, "ada") {
			t.Error("it was switched off")
		}
	})
	t.Run("switching off with a fresh sign-in", func(t *testing.T) {
		w := newWorld(t, nil)
		token := w.token(optional, optionalClient, "ada")
		w.enrolled(token)
		if r := setOff(w, token); r.status != 200 || r.json(t)["totp"].(object)["enabled"] != false {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
	t.Run("a first enrollment needs none", func(t *testing.T) {
		w := newWorld(t, nil)
		w.enrolled(old(w))
	})
	t.Run("replacing is refused at the start, before a call is spent", func(t *testing.T) {
		w := newWorld(t, nil)
		w.enrolled(w.token(optional, optionalClient, "ada"))
		associated := w.cognito.Calls("AssociateSoftwareToken")
		wantStepUp(t, w.begin(old(w), nil))
		if w.cognito.Calls("AssociateSoftwareToken") != associated {
			t.Error("a call was spent")
		}
	})
	t.Run("replacing is held at verify where the status was not known at the start", func(t *testing.T) {
		w := newWorld(t, nil)
		w.enrolled(w.token(optional, optionalClient, "ada"))
		w.clock.Advance(time.Minute)
		down := cognitotest.Fault{Exception: "InternalErrorException"}
		w.cognito.Fail("GetUser", down, down, down, down, down, down)
		secret := w.begin(old(w), nil).json(t)["secret"].(string)
		wantStepUp(t, w.verify(old(w), object{"code": w.codeAt(secret, 0)}))
	})
	t.Run("a fresh token needs no look-up", func(t *testing.T) {
		w := newWorld(t, map[string]string{"ACCOUNT_LABEL": "username"})
		w.begin(w.token(optional, optionalClient, "ada"), nil)
		if n := w.cognito.Calls("GetUser"); n != 0 {
			t.Errorf("GetUser was called %d times", n)
		}
	})
	t.Run("off when the maximum is 0", func(t *testing.T) {
		w := newWorld(t, map[string]string{"STEP_UP_MAX_AGE": "0"})
		w.enrolled(w.token(optional, optionalClient, "ada"))
		if r := setOff(w, old(w)); r.status != 200 {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
}

func TestAPoolThatRequiresMFAKeepsIt(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(required, requiredClient, "grace")
	w.enrolled(token)
	r := w.do(request{method: "PUT", path: "/v1/mfa/totp/preference", token: token, body: object{"enabled": false}})
	if r.status != 409 || r.code(t) != "mfa_required_by_pool" {
		t.Errorf("status %d: %s", r.status, r.body)
	}
}

func TestPreferenceBeforeAVerifiedAppSaysSo(t *testing.T) {
	w := newWorld(t, nil)
	r := w.do(request{method: "PUT", path: "/v1/mfa/totp/preference", token: w.token(optional, optionalClient, "ada"), body: object{"enabled": true}})
	if r.status != 409 || r.code(t) != "no_pending_enrollment" {
		t.Errorf("status %d: %s", r.status, r.body)
	}
}

func TestVerifyWithoutStartSaysSo(t *testing.T) {
	w := newWorld(t, nil)
	w.cognito.Fail("VerifySoftwareToken", cognitotest.Fault{Exception: "SoftwareTokenMFANotFoundException", Message: "Software Token MFA does not exist for the user."})
	r := w.verify(w.token(optional, optionalClient, "ada"), object{"code": "123456"})
	if r.status != 409 || r.code(t) != "no_pending_enrollment" {
		t.Errorf("status %d: %s", r.status, r.body)
	}
}
