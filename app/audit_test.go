package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

// audits are the audit events so far, as "change result flow".
func (w *world) audits() (list []string, events []object) {
	w.t.Helper()
	for line := range strings.Lines(w.log.String()) {
		var event object
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			w.t.Fatal(err)
		}
		if event["msg"] == "audit" {
			events = append(events, event)
			list = append(list, event["change"].(string)+" "+event["result"].(string)+" "+event["flow"].(string))
		}
	}
	return list, events
}

func TestEveryChangeOfAFactorIsAudited(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	secret := w.begin(token, nil).json(t)["secret"].(string)
	preference := func(enabled bool) {
		w.do(request{method: "PUT", path: "/v1/mfa/totp/preference", token: token, body: object{"enabled": enabled}})
	}
	w.verify(token, object{"code": w.wrongCode(secret)})
	w.verify(token, object{"code": w.codeAt(secret, 0)})
	preference(false)
	preference(true)
	w.clock.Advance(time.Minute)
	fresh := w.begin(token, nil).json(t)["secret"].(string)
	down := cognitotest.Fault{Exception: "InternalErrorException"}
	w.cognito.Fail("SetUserMFAPreference", down, down, down)
	w.verify(token, object{"code": w.codeAt(fresh, 0)})
	e := w.begin("", object{"session": w.cognito.Session(required, requiredClient, "grace")}).json(t)
	w.verify("", object{"session": e["session"], "code": w.codeAt(e["secret"].(string), 0), "username": "grace", "clientId": requiredClient})

	got, events := w.audits()
	want := []string{
		"totp_verified code_mismatch token",
		"totp_verified ok token", "totp_enabled ok token",
		"totp_disabled ok token",
		"totp_enabled ok token",
		"totp_verified ok token", "totp_enabled verified_not_enabled token",
		"totp_verified ok session",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the events are\n%s", strings.Join(got, "\n"))
	}
	for _, event := range events {
		for _, name := range []string{"subject", "clientIp", "requestId", "time"} {
			if event[name] == "" || event[name] == nil {
				t.Errorf("an event without %s: %v", name, event)
			}
		}
	}
	if events[0]["subject"] == events[len(events)-1]["subject"] {
		t.Error("two people have one subject")
	}
}
