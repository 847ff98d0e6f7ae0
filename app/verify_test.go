package app_test

import (
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

func TestVerifyByTokenSwitchesTOTPOnAndTellsTheStatus(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Begin(token, nil).JSON(t)["secret"].(string)
	r := w.Verify(token, world.Object{"code": w.CodeAt(secret, 0), "deviceName": "Ada's phone"})
	if r.Status != 200 {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	got := r.JSON(t)
	mfa, _ := got["mfa"].(world.Object)
	if status, _ := mfa["totp"].(world.Object); got["outcome"] != "enabled" || status["enabled"] != true || status["preferred"] != true {
		t.Errorf("the outcome is %v, totp is %v", got["outcome"], status)
	}
	if mfa["preferred"] != "SOFTWARE_TOKEN_MFA" {
		t.Errorf("preferred is %v", mfa["preferred"])
	}
	// The clock stands 15 s into a step, so that the next code comes in 15 s.
	if want := w.Clock.Now().Add(15 * time.Second).Format(time.RFC3339); got["codeReusableAt"] != want {
		t.Errorf("codeReusableAt is %v, want %v", got["codeReusableAt"], want)
	}
	if got["codeReusableIn"] != 15.0 {
		t.Errorf("codeReusableIn is %v, want 15", got["codeReusableIn"])
	}
	if !w.Cognito.MFAEnabled(world.Optional, "ada") {
		t.Error("Cognito would not ask for a code")
	}
	if name := w.Cognito.DeviceName(world.Optional, "ada"); name != "Ada's phone" {
		t.Errorf("the device is called %q", name)
	}
	if status := w.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: token}).JSON(t); status["totp"].(world.Object)["enabled"] != true {
		t.Errorf("GET /v1/mfa says %v", status)
	}
}

func TestVerifyLeavesTOTPUnpreferredWhenAsked(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Begin(token, nil).JSON(t)["secret"].(string)
	got := w.Verify(token, world.Object{"code": w.CodeAt(secret, 0), "preferred": false}).JSON(t)
	if status, _ := got["mfa"].(world.Object)["totp"].(world.Object); status["enabled"] != true || status["preferred"] != false {
		t.Errorf("totp is %v", status)
	}
}

func TestVerifiedButNotSwitchedOnIsSaidAndFinishedWithoutAnotherCode(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Begin(token, nil).JSON(t)["secret"].(string)
	down := cognitotest.Fault{Exception: "InternalErrorException"}
	w.Cognito.Fail("SetUserMFAPreference", down, down, down)
	r := w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)})
	if r.Status != 503 || r.Code(t) != "verified_not_enabled" || r.Header.Get("Retry-After") == "" {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	r = w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": true}})
	if r.Status != 200 || r.JSON(t)["totp"].(world.Object)["enabled"] != true {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
}

func TestStatusERRORIsAFailure(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	w.Begin(token, nil)
	w.Cognito.Fail("VerifySoftwareToken", cognitotest.Fault{StatusError: true})
	secret := w.Cognito.PendingSecret(world.Optional, "ada")
	if r := w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)}); r.Status/100 != 4 {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
	if w.Cognito.Calls("SetUserMFAPreference") != 0 {
		t.Error("TOTP was switched on without a verified secret")
	}
}

func TestOneVerifyCallFinishesTheSignIn(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	e := w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, "grace")}).JSON(t)
	r := w.Verify("", world.Object{
		"session": e["session"], "code": w.CodeAt(e["secret"].(string), 0), "username": "grace", "clientId": world.RequiredClient,
	})
	if r.Status != 200 {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	tokens, ok := r.JSON(t)["tokens"].(world.Object)
	if !ok || tokens["accessToken"] == "" || tokens["tokenType"] != "Bearer" || tokens["expiresIn"] != 3600.0 {
		t.Fatalf("no tokens: %s", r.Body)
	}
	if status := w.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: tokens["accessToken"].(string)}).JSON(t); status["totp"].(world.Object)["enabled"] != true {
		t.Errorf("the status is %v", status)
	}
}

func TestVerifyBySessionAloneGivesTheSessionThatAnswersMFASetup(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	e := w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, "grace")}).JSON(t)
	v := w.Verify("", world.Object{"session": e["session"], "code": w.CodeAt(e["secret"].(string), 0)}).JSON(t)
	if v["session"] == nil || v["tokens"] != nil {
		t.Fatalf("got %v", v)
	}
	r := w.Answer(world.Object{"challenge": "MFA_SETUP", "session": v["session"], "username": "grace", "clientId": world.RequiredClient})
	if r.Status != 200 || r.JSON(t)["tokens"] == nil {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
}

func TestASignInThatCannotBeCompletedKeepsTheSession(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	e := w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, "grace")}).JSON(t)
	w.Cognito.Fail("RespondToAuthChallenge", cognitotest.Fault{Exception: "TooManyRequestsException", Message: "Rate exceeded"})
	v := w.Verify("", world.Object{
		"session": e["session"], "code": w.CodeAt(e["secret"].(string), 0), "username": "grace", "clientId": world.RequiredClient,
	}).JSON(t)
	r := w.Answer(world.Object{"challenge": "MFA_SETUP", "session": v["session"], "username": "grace", "clientId": world.RequiredClient})
	if r.Status != 200 || r.JSON(t)["tokens"] == nil {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
}

func TestTheNextSignInAsksForACodeAndACodeWorksOnce(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	secret := w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
	answer := func(code string) world.Reply {
		challenge, session := w.SignIn("ada")
		if challenge != "SOFTWARE_TOKEN_MFA" {
			t.Fatalf("the challenge is %q", challenge)
		}
		return w.Answer(world.Object{"challenge": challenge, "session": session, "username": "ada", "clientId": world.OptionalClient, "code": code})
	}
	if r := answer(w.CodeAt(secret, 0)); r.Status != 422 || r.Code(t) != "code_already_used" {
		t.Errorf("the code that enrolled: status %d: %s", r.Status, r.Body)
	}
	if r := answer(w.WrongCode(secret)); r.Status != 422 || r.Code(t) != "code_mismatch" {
		t.Errorf("a wrong code: status %d: %s", r.Status, r.Body)
	}
	w.Clock.Advance(30 * time.Second)
	if r := answer(w.CodeAt(secret, 0)); r.Status != 200 || r.JSON(t)["tokens"] == nil {
		t.Errorf("the next code: status %d: %s", r.Status, r.Body)
	}
}

func TestTheOldPhoneWorksUntilTheNewOneIsVerified(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	old := w.Enrolled(token)
	w.Clock.Advance(time.Minute)
	fresh := w.Begin(token, nil).JSON(t)["secret"].(string)
	if got := w.Cognito.TOTPSecret(world.Optional, "ada"); got != old {
		t.Fatal("starting dropped the old phone")
	}
	if r := w.Verify(token, world.Object{"code": w.CodeAt(fresh, 0)}); r.Status != 200 {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	if got := w.Cognito.TOTPSecret(world.Optional, "ada"); got != fresh {
		t.Error("verifying did not replace the old phone")
	}
}

func TestChallengesAreAnsweredForConfiguredClientsAlone(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	body := func(change world.Object) world.Object {
		b := world.Object{"challenge": "SOFTWARE_TOKEN_MFA", "session": strings.Repeat("s", 40), "username": "ada", "clientId": world.OptionalClient, "code": "123456"}
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
		change world.Object
		field  string
	}{
		"another client":             {world.Object{"clientId": "somebody-else"}, "clientId"},
		"no code":                    {world.Object{"code": nil}, "code"},
		"a code of five digits":      {world.Object{"code": "12345"}, "code"},
		"SELECT_MFA_TYPE, no answer": {world.Object{"challenge": "SELECT_MFA_TYPE", "code": nil}, "answer"},
		"a challenge not ours":       {world.Object{"challenge": "PASSWORD_VERIFIER"}, "challenge"},
		"metadata that is no object": {world.Object{"clientMetadata": "x"}, "clientMetadata"},
		"no username":                {world.Object{"username": nil}, "username"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := w.Answer(body(test.change))
			if r.Status != 400 || r.Code(t) != "invalid_request" {
				t.Fatalf("status %d: %s", r.Status, r.Body)
			}
			if fields, _ := r.JSON(t)["fields"].([]any); len(fields) != 1 || fields[0].(world.Object)["field"] != test.field {
				t.Errorf("fields are %v, want %s", fields, test.field)
			}
		})
	}
	if w.Cognito.Calls("") != 0 {
		t.Error("calls were spent on requests that break the contract")
	}
	t.Run("a made-up session", func(t *testing.T) {
		if r := w.Answer(body(nil)); r.Status != 410 || r.Code(t) != "session_expired" {
			t.Errorf("status %d: %s", r.Status, r.Body)
		}
	})
}

func TestSelectMFATypeLeadsToTheNextChallenge(t *testing.T) {
	t.Parallel()
	pools := cognitotest.DemoPools()
	pools[0].Users = append(pools[0].Users, cognitotest.User{
		Username: "both", Password: world.Password, TOTPSecret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", Factors: []cognitotest.Factor{cognitotest.SMS},
		Attributes: map[string]string{"email": "both@example.com", "phone_number": "+15550100"},
	})
	w := world.NewWith(t, cognitotest.Options{Pools: pools}, nil)
	challenge, session := w.SignIn("both")
	if challenge != "SELECT_MFA_TYPE" {
		t.Fatalf("the challenge is %q", challenge)
	}
	r := w.Answer(world.Object{"challenge": challenge, "session": session, "username": "both", "clientId": world.OptionalClient, "answer": "SOFTWARE_TOKEN_MFA"})
	if r.Status != 200 {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	next := r.JSON(t)["challenge"].(world.Object)
	if next["name"] != "SOFTWARE_TOKEN_MFA" || next["session"] == nil {
		t.Errorf("the next challenge is %v", next)
	}
}

func TestStepUp(t *testing.T) {
	t.Parallel()
	const age = 20 * time.Minute
	setOff := func(w *world.World, token string) world.Reply {
		return w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": false}})
	}
	old := func(w *world.World) string {
		return w.Cognito.Mint(world.Optional, map[string]any{"auth_time": w.Clock.Now().Add(-age).Unix()})
	}
	wantStepUp := func(t *testing.T, r world.Reply) {
		t.Helper()
		if r.Status != 401 || r.Code(t) != "step_up_required" {
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
		challenge := r.Header.Get("WWW-Authenticate")
		if !strings.Contains(challenge, `error="insufficient_user_authentication"`) || !strings.Contains(challenge, `max_age="900"`) {
			t.Errorf("WWW-Authenticate is %s", challenge)
		}
	}
	t.Run("switching off with an old sign-in", func(t *testing.T) {
		w := world.New(t, nil)
		w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
		wantStepUp(t, setOff(w, old(w)))
		if !w.Cognito.MFAEnabled(world.Optional, "ada") {
			t.Error("it was switched off")
		}
	})
	t.Run("switching off with a fresh sign-in", func(t *testing.T) {
		w := world.New(t, nil)
		token := w.Token(world.Optional, world.OptionalClient, "ada")
		w.Enrolled(token)
		if r := setOff(w, token); r.Status != 200 || r.JSON(t)["totp"].(world.Object)["enabled"] != false {
			t.Errorf("status %d: %s", r.Status, r.Body)
		}
	})
	t.Run("a first enrollment needs none", func(t *testing.T) {
		w := world.New(t, nil)
		w.Enrolled(old(w))
	})
	t.Run("replacing is refused at the start, before a call is spent", func(t *testing.T) {
		w := world.New(t, nil)
		w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
		associated := w.Cognito.Calls("AssociateSoftwareToken")
		wantStepUp(t, w.Begin(old(w), nil))
		if w.Cognito.Calls("AssociateSoftwareToken") != associated {
			t.Error("a call was spent")
		}
	})
	t.Run("replacing is held at verify where the status was not known at the start", func(t *testing.T) {
		w := world.New(t, nil)
		w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
		w.Clock.Advance(time.Minute)
		down := cognitotest.Fault{Exception: "InternalErrorException"}
		w.Cognito.Fail("GetUser", down, down, down, down, down, down)
		token := old(w)
		secret := w.Begin(token, nil).JSON(t)["secret"].(string)
		// As long as the status cannot be read, nobody knows whether it is wanted.
		if r := w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)}); r.Status != 503 || r.Code(t) != "busy" {
			t.Errorf("status %d: %s", r.Status, r.Body)
		}
		wantStepUp(t, w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)}))
	})
	t.Run("a fresh token needs no look-up", func(t *testing.T) {
		w := world.New(t, map[string]string{"ACCOUNT_LABEL": "username"})
		w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), nil)
		if n := w.Cognito.Calls("GetUser"); n != 0 {
			t.Errorf("GetUser was called %d times", n)
		}
	})
	t.Run("off when the maximum is 0", func(t *testing.T) {
		w := world.New(t, map[string]string{"STEP_UP_MAX_AGE": "0"})
		w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
		if r := setOff(w, old(w)); r.Status != 200 {
			t.Errorf("status %d: %s", r.Status, r.Body)
		}
	})
}

func TestAPoolThatRequiresMFAKeepsIt(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Required, world.RequiredClient, "grace")
	w.Enrolled(token)
	// Pools were seen that let everything be switched off, so that the stand-in
	// does too; this is one that refuses.
	w.Cognito.Fail("SetUserMFAPreference", cognitotest.Fault{Exception: "InvalidParameterException", Message: "User pool requires MFA"})
	r := w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": false}})
	if r.Status != 409 || r.Code(t) != "mfa_required_by_pool" {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
}

func TestPreferenceBeforeAVerifiedAppSaysSo(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	r := w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: w.Token(world.Optional, world.OptionalClient, "ada"), Body: world.Object{"enabled": true}})
	if r.Status != 409 || r.Code(t) != "no_pending_enrollment" {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
}

func TestVerifyWithoutStartSaysSo(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	w.Cognito.Fail("VerifySoftwareToken", cognitotest.Fault{Exception: "SoftwareTokenMFANotFoundException", Message: "Software Token MFA does not exist for the user."})
	r := w.Verify(w.Token(world.Optional, world.OptionalClient, "ada"), world.Object{"code": "123456"})
	if r.Status != 409 || r.Code(t) != "no_pending_enrollment" {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
}
