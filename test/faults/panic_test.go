package faults_test

import (
	"net/http"
	"testing"

	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// panicking is a transport that panics as long as it is told to.
type panicking struct{ http.RoundTripper }

func (panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		panic("JBSWY3DPEHPK3PXP in the hands of " + r.Header.Get("X-Amz-Target"))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Start and verify do their work on a goroutine of their own, for all that ask
// at once. A panic there must end the request and not the process.
func TestAPanicInAnyOperationIsAProblem(t *testing.T) {
	w := world.Prepare(t, cognitotest.Options{Pools: cognitotest.DemoPools()})
	w.Options = app.Options{Transport: panicking{}}
	w.Run(nil)
	w.WaitReady()
	token, session := w.Token(world.Optional, world.OptionalClient, "ada"), w.Cognito.Session(world.Required, world.RequiredClient, "grace")
	for name, do := range map[string]func() world.Reply{
		"start by token":    func() world.Reply { return w.Begin(token, nil) },
		"start by session":  func() world.Reply { return w.Begin("", world.Object{"session": session}) },
		"verify by token":   func() world.Reply { return w.Verify(token, world.Object{"code": "483920"}) },
		"verify by session": func() world.Reply { return w.Verify("", world.Object{"session": session, "code": "483920"}) },
	} {
		t.Run(name, func(t *testing.T) {
			if r := do(); r.Status != 500 || r.Code(t) != "internal" || r.Header.Get("X-Request-Id") == "" {
				t.Errorf("status %d: %s", r.Status, r.Body)
			}
		})
	}
	if got := w.Metric("http_panics_total"); got == "0" {
		t.Error("no panic was counted")
	}
}
