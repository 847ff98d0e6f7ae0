package app_test

import (
	"strings"
	"testing"
	"time"

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
