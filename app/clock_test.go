package app_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// worldOff is a service whose own clock is off against Cognito's.
func worldOff(t *testing.T, off time.Duration, settings map[string]string) *world.World {
	t.Helper()
	w := world.Prepare(t, cognitotest.Options{Pools: cognitotest.DemoPools()})
	w.Options.Now = func() time.Time { return w.Clock.Now().Add(off) }
	w.Run(settings)
	w.WaitReady()
	return w
}

func TestAClockOfTheServiceThatIsOffIsNobodysFault(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{
		"75 s fast": 75 * time.Second, "75 s slow": -75 * time.Second, "an hour fast": time.Hour, "an hour slow": -time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOff(t, off, nil)

			token := w.Token(world.Optional, world.OptionalClient, "ada")
			begun := w.Begin(token, nil)
			if begun.Status != 201 {
				t.Fatalf("a fresh token: status %d: %s", begun.Status, begun.Body)
			}
			if again := w.Begin(token, nil); again.Status != 200 {
				t.Errorf("the pending enrollment is not found: status %d: %s", again.Status, again.Body)
			}
			expires, err := time.Parse(time.RFC3339, begun.JSON(t)["expiresAt"].(string))
			if err != nil || expires.Sub(w.Clock.Now().Add(15*time.Minute)).Abs() > time.Second {
				t.Errorf("expiresAt is %v at Cognito's %v: %v", expires, w.Clock.Now(), err)
			}
			if in := begun.JSON(t)["expiresIn"].(float64); in < 898 || in > 900 {
				t.Errorf("expiresIn is %v of 900", in)
			}
			secret := begun.JSON(t)["secret"].(string)
			if r := w.Verify(token, world.Object{"code": w.WrongCode(secret)}); r.JSON(t)["clockSkewSeconds"] != nil {
				t.Errorf("a wrong code is blamed on the phone: %s", r.Body)
			}
			r := w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)})
			if r.Status != 200 {
				t.Fatalf("a right code: status %d: %s", r.Status, r.Body)
			}
			if in := r.JSON(t)["codeReusableIn"].(float64); in < 1 || in > 30 {
				t.Errorf("codeReusableIn is %v of 30 at most", in)
			}

			session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
			e := w.Begin("", world.Object{"session": session}).JSON(t)
			code := w.CodeAt(e["secret"].(string), 0)
			if r := w.Verify("", world.Object{"session": e["session"], "code": code, "username": "grace", "clientId": world.RequiredClient}); r.Status != 200 {
				t.Errorf("a right code in mid-sign-in: status %d: %s", r.Status, r.Body)
			}

			told, err := strconv.ParseFloat(w.Metric("cognito_clock_offset_seconds"), 64)
			if err != nil || told+off.Seconds() > 1 || told+off.Seconds() < -1 {
				t.Errorf("the metric tells %v s, want %v: %v", told, -off, err)
			}
		})
	}
}

// A phone whose clock is off is still told so, and by how much.
func TestAPhoneIsHeldAgainstCognitosClock(t *testing.T) {
	t.Parallel()
	w := worldOff(t, time.Hour, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Begin(token, nil).JSON(t)["secret"].(string)
	r := w.Verify(token, world.Object{"code": w.CodeAt(secret, -2*time.Minute)})
	if got := r.JSON(t)["clockSkewSeconds"]; got != -120.0 {
		t.Errorf("clockSkewSeconds is %v: %s", got, r.Body)
	}
}

// A receiver refuses a signature whose time is minutes off (Standard Webhooks).
func TestEventsAreSignedByCognitosClock(t *testing.T) {
	t.Parallel()
	signed := make(chan string, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		signed <- r.Header.Get("webhook-timestamp")
	}))
	defer receiver.Close()
	w := worldOff(t, time.Hour, map[string]string{"EVENTS_URL": receiver.URL, "EVENTS_SECRETS": eventsSecret})
	w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
	at, err := strconv.ParseInt(<-signed, 10, 64)
	if off := time.Unix(at, 0).Sub(w.Clock.Now()); err != nil || off.Abs() > 2*time.Second {
		t.Errorf("signed %v from now: %v", off, err)
	}
}
