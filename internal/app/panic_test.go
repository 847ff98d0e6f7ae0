package app_test

import (
	"net/http"
	"strings"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/app"
)

// explosive is a transport that panics on one operation.
type explosive struct {
	http.Transport
	operation string
}

func (e *explosive) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+e.operation) {
		panic("with something secret")
	}
	return e.Transport.RoundTrip(r)
}

func TestAPanicDeepInsideIsAProblemAndNotTheEnd(t *testing.T) {
	for _, operation := range []string{"AssociateSoftwareToken", "GetUser"} {
		t.Run(operation, func(t *testing.T) {
			w := prepareWorld(t, cognitotest.Options{Pools: cognitotest.DemoPools()})
			w.options = app.Options{Transport: &explosive{operation: operation}}
			w.run(nil)
			w.waitReady()
			token := w.token(optional, optionalClient, "ada")
			do := func() reply {
				if operation == "GetUser" {
					return w.do(request{method: "GET", path: "/v1/mfa", token: token})
				}
				return w.begin(token, nil)
			}
			for range 2 {
				if r := do(); r.status != 500 || r.code(t) != "internal" {
					t.Fatalf("status %d: %s", r.status, r.body)
				}
			}
			if got := w.metric("http_panics_total"); got != "2" {
				t.Errorf("http_panics_total is %s", got)
			}
			if strings.Contains(w.log.String(), "something secret") {
				t.Error("the log shows the panic's value")
			}
			// The label is looked up beside the start, and never fails it.
			if r := w.begin(token, nil); operation == "GetUser" && r.status != 201 {
				t.Errorf("start: %d %s", r.status, r.body)
			}
		})
	}
}
