package app_test

import (
	"net/url"
	"testing"
	"time"

	"mfa-enrollment/test/world"
)

func status(w *world.World, token string) world.Reply {
	return w.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: token})
}

// What the flows do with a setting is specified in internal/enroll.
func TestTheSettingsReachTheFlows(t *testing.T) {
	t.Parallel()
	byToken := func(w *world.World) world.Object {
		return w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), world.Object{}).JSON(w.T)
	}
	endsAfter := func(w *world.World, e world.Object) any {
		ends, err := time.Parse(time.RFC3339, e["expiresAt"].(string))
		if err != nil {
			w.T.Fatal(err)
		}
		return ends.Sub(w.Clock.Now())
	}
	for _, test := range []struct {
		name, value string
		does        func(w *world.World) any
		want        any
	}{
		{"PENDING_TTL", "10m", func(w *world.World) any { return endsAfter(w, byToken(w)) }, 10 * time.Minute},
		{"AUTH_SESSION_VALIDITY", "5m", func(w *world.World) any {
			return endsAfter(w, w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, "grace")}).JSON(t))
		}, 5 * time.Minute},
		{"ACCOUNT_LABEL", "username", func(w *world.World) any { return byToken(w)["accountName"] }, "ada"},
		{"TOTP_ISSUER", "Ünïcode & Söhne + Co", func(w *world.World) any {
			u, err := url.Parse(byToken(w)["otpauthUri"].(string))
			if err != nil {
				t.Fatal(err)
			}
			return u.Query().Get("issuer")
		}, "Ünïcode ＆ Söhne ＋ Co"},
		{"STEP_UP_MAX_AGE", "0", func(w *world.World) any {
			w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
			return prefer(w, w.Cognito.Mint(world.Optional, map[string]any{"auth_time": w.Clock.Now().Add(-time.Hour).Unix()}), false).Status
		}, 200},
		{"MFA_POLICY", "offer; require for admins", func(w *world.World) any {
			return status(w, w.Token(world.Optional, world.OptionalClient, "ada")).JSON(t)["next"]
		}, "offer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := world.New(t, map[string]string{test.name: test.value})
			if got := test.does(w); got != test.want {
				t.Errorf("with %s=%s: %v, want %v", test.name, test.value, got, test.want)
			}
		})
	}
}
