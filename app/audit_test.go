package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// audits are the audit events so far, as "change result flow".
func audits(w *world.World) (list []string, events []world.Object) {
	w.T.Helper()
	for line := range strings.Lines(w.Log.String()) {
		var event world.Object
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			w.T.Fatal(err)
		}
		if event["msg"] == "audit" {
			events = append(events, event)
			list = append(list, event["change"].(string)+" "+event["result"].(string)+" "+event["flow"].(string))
		}
	}
	return list, events
}

func TestEveryChangeOfAFactorIsAudited(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Begin(token, nil).JSON(t)["secret"].(string)
	preference := func(enabled bool) {
		w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": enabled}})
	}
	w.Verify(token, world.Object{"code": w.WrongCode(secret)})
	w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)})
	preference(false)
	preference(true)
	w.Clock.Advance(time.Minute)
	fresh := w.Begin(token, nil).JSON(t)["secret"].(string)
	down := cognitotest.Fault{Exception: "InternalErrorException"}
	w.Cognito.Fail("SetUserMFAPreference", down, down, down)
	w.Verify(token, world.Object{"code": w.CodeAt(fresh, 0)})
	e := w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, "grace")}).JSON(t)
	w.Verify("", world.Object{"session": e["session"], "code": w.CodeAt(e["secret"].(string), 0), "username": "grace", "clientId": world.RequiredClient})

	got, events := audits(w)
	want := []string{
		"totp_shown ok token",
		"totp_verified code_mismatch token",
		"totp_verified ok token", "totp_enabled ok token",
		"totp_disabled ok token",
		"totp_enabled ok token",
		"totp_shown ok token",
		"totp_verified ok token", "totp_enabled verified_not_enabled token",
		"totp_shown ok session",
		"totp_verified ok session",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the events are\n%s", strings.Join(got, "\n"))
	}
	for _, event := range events {
		for _, name := range []string{"subject", "clientIp", "requestId", "time"} {
			if name == "subject" && event["change"] == "totp_shown" && event["flow"] == "session" {
				continue // During a sign-in nobody is known yet.
			}
			if event[name] == "" || event[name] == nil {
				t.Errorf("an event without %s: %v", name, event)
			}
		}
	}
	if events[0]["subject"] == events[len(events)-1]["subject"] {
		t.Error("two people have one subject")
	}
}
