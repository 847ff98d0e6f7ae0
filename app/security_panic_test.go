package app_test

import (
	"net/http"
	"testing"

	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
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
	w := prepareWorld(t, cognitotest.Options{Pools: cognitotest.DemoPools()})
	w.options = app.Options{Transport: panicking{}}
	w.run(nil)
	w.waitReady()
	token, session := w.token(optional, optionalClient, "ada"), w.cognito.Session(required, requiredClient, "grace")
	for name, do := range map[string]func() reply{
		"start by token":    func() reply { return w.begin(token, nil) },
		"start by session":  func() reply { return w.begin("", object{"session": session}) },
		"verify by token":   func() reply { return w.verify(token, object{"code": "483920"}) },
		"verify by session": func() reply { return w.verify("", object{"session": session, "code": "483920"}) },
	} {
		t.Run(name, func(t *testing.T) {
			if r := do(); r.status != 500 || r.code(t) != "internal" || r.header.Get("X-Request-Id") == "" {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		})
	}
	if got := w.metric("http_panics_total"); got == "0" {
		t.Error("no panic was counted")
	}
}
