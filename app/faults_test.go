package app_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
)

// detour is a transport that can be led astray.
type detour struct {
	http.Transport
	to atomic.Pointer[url.URL]
}

func (d *detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if to := d.to.Load(); to != nil {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = to.Scheme, to.Host, to.Host
	}
	return d.Transport.RoundTrip(r)
}

// astray leads every call somewhere else until it is told to stop.
func (d *detour) astray(t *testing.T, to string) (stop func()) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	d.to.Store(u)
	return func() { d.to.Store(nil) }
}

// step is one call to Cognito as a person comes to it: prepare brings the world
// there, and do makes the request.
type step struct {
	name, call string
	prepare    func(w *world) (do func() reply)
}

var steps = []step{
	{"AssociateSoftwareToken by token", "AssociateSoftwareToken", func(w *world) func() reply {
		token := w.token(optional, optionalClient, "ada")
		return func() reply { return w.begin(token, nil) }
	}},
	{"AssociateSoftwareToken by session", "AssociateSoftwareToken", func(w *world) func() reply {
		session := w.cognito.Session(required, requiredClient, "grace")
		return func() reply { return w.begin("", object{"session": session}) }
	}},
	{"VerifySoftwareToken by token", "VerifySoftwareToken", func(w *world) func() reply {
		token := w.token(optional, optionalClient, "ada")
		secret := w.begin(token, nil).json(w.t)["secret"].(string)
		return func() reply { return w.verify(token, object{"code": w.codeAt(secret, 0)}) }
	}},
	{"VerifySoftwareToken by session", "VerifySoftwareToken", func(w *world) func() reply {
		e := w.begin("", object{"session": w.cognito.Session(required, requiredClient, "grace")}).json(w.t)
		return func() reply {
			return w.verify("", object{"session": e["session"], "code": w.codeAt(e["secret"].(string), 0)})
		}
	}},
	{"SetUserMFAPreference", "SetUserMFAPreference", func(w *world) func() reply {
		token := w.token(optional, optionalClient, "ada")
		w.enrolled(token)
		return func() reply {
			return w.do(request{method: "PUT", path: "/v1/mfa/totp/preference", token: token, body: object{"enabled": true}})
		}
	}},
	{"GetUser", "GetUser", func(w *world) func() reply {
		token := w.token(optional, optionalClient, "ada")
		return func() reply { return w.do(request{method: "GET", path: "/v1/mfa", token: token}) }
	}},
	{"RespondToAuthChallenge", "RespondToAuthChallenge", func(w *world) func() reply {
		secret := w.enrolled(w.token(optional, optionalClient, "ada"))
		w.clock.Advance(30 * time.Second)
		challenge, session := w.signIn("ada")
		return func() reply {
			return w.answer(object{"challenge": challenge, "session": session, "username": "ada", "clientId": optionalClient, "code": w.codeAt(secret, 0)})
		}
	}},
}

// Every fault of the way to Cognito, for every call: what the caller sees when
// it passes and when it stays, how many calls Cognito saw, and what the same
// request gets when the fault is over.
func TestFaultsOnTheWayToCognito(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)

	faults := []struct {
		name   string
		fault  cognitotest.Fault
		astray string
	}{
		{name: "connection refused", astray: closed.URL},
		{name: "DNS gone", astray: "http://cognito.invalid"},
		{name: "TLS error", astray: untrusted.URL},
		{name: "reset before the work", fault: cognitotest.Fault{CutBefore: true}},
		{name: "reset after the work", fault: cognitotest.Fault{CutAfter: true}},
		{name: "truncated body", fault: cognitotest.Fault{Truncate: true}},
		{name: "500", fault: cognitotest.Fault{Exception: "InternalErrorException"}},
		{name: "503", fault: cognitotest.Fault{Status: 503}},
		{name: "slow", fault: cognitotest.Fault{Delay: 2 * time.Second}},
	}
	rows := make([]string, len(faults)*len(steps))
	t.Run("rows", func(t *testing.T) {
		for i, f := range faults {
			for j, s := range steps {
				t.Run(f.name+", "+s.name, func(t *testing.T) {
					t.Parallel()
					once := "-"
					if f.astray == "" && f.fault.Delay == 0 {
						once = faultOnce(t, s, f.fault)
					}
					rows[i*len(steps)+j] = fmt.Sprintf("%-22s %-34s once: %-30s always: %s\n", f.name, s.name, once, faultAlways(t, s, f.fault, f.astray))
				})
			}
		}
	})
	golden(t, "faults.golden", strings.Join(rows, ""))
}

func faultWorld(t *testing.T, fault cognitotest.Fault) (*world, *detour) {
	t.Helper()
	w := prepareWorld(t, cognitotest.Options{Pools: cognitotest.DemoPools()})
	d := &detour{}
	w.options = app.Options{Transport: d}
	if fault.Delay > 0 {
		w.options.CallTimeout = time.Second
	}
	w.run(map[string]string{"ACCOUNT_LABEL": "username"})
	w.waitReady()
	return w, d
}

// faultOnce is what the caller sees when the fault passes.
func faultOnce(t *testing.T, s step, fault cognitotest.Fault) string {
	t.Helper()
	w, _ := faultWorld(t, fault)
	do := s.prepare(w)
	before := w.cognito.Calls(s.call)
	w.cognito.Fail(s.call, fault)
	r := do()
	return fmt.Sprintf("%s, %d calls", seen(t, r), w.cognito.Calls(s.call)-before)
}

// faultAlways is what the caller sees when it stays, and when it is over.
func faultAlways(t *testing.T, s step, fault cognitotest.Fault, astray string) string {
	t.Helper()
	w, d := faultWorld(t, fault)
	do := s.prepare(w)
	before := w.cognito.Calls(s.call)
	var r reply
	if astray != "" {
		stop := d.astray(t, astray)
		r = do()
		stop()
	} else {
		const enough = 4
		w.cognito.Fail(s.call, fault, fault, fault, fault)
		r = do()
		before = w.cognito.Calls(s.call) - before
		for range enough - before {
			w.spendFault(s.call)
		}
		return fmt.Sprintf("%s, %d calls; afterwards: %s", seen(t, r), before, seen(t, do()))
	}
	return fmt.Sprintf("%s, %d calls; afterwards: %s", seen(t, r), w.cognito.Calls(s.call)-before, seen(t, do()))
}

func seen(t *testing.T, r reply) string {
	t.Helper()
	if r.status/100 == 2 {
		return fmt.Sprint(r.status)
	}
	return fmt.Sprintf("%d %s", r.status, r.code(t))
}
