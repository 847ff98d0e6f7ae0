package faults_test

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
	"mfa-enrollment/test/standin"
	"mfa-enrollment/test/world"
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
	prepare    func(w *world.World) (do func() world.Reply)
}

var steps = []step{
	{"AssociateSoftwareToken by token", "AssociateSoftwareToken", func(w *world.World) func() world.Reply {
		token := w.Token(world.Optional, world.OptionalClient, "ada")
		return func() world.Reply { return w.Begin(token, nil) }
	}},
	{"AssociateSoftwareToken by session", "AssociateSoftwareToken", func(w *world.World) func() world.Reply {
		session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
		return func() world.Reply { return w.Begin("", world.Object{"session": session}) }
	}},
	{"VerifySoftwareToken by token", "VerifySoftwareToken", func(w *world.World) func() world.Reply {
		token := w.Token(world.Optional, world.OptionalClient, "ada")
		secret := w.Begin(token, nil).JSON(w.T)["secret"].(string)
		return func() world.Reply { return w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)}) }
	}},
	{"VerifySoftwareToken by session", "VerifySoftwareToken", func(w *world.World) func() world.Reply {
		e := w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, "grace")}).JSON(w.T)
		return func() world.Reply {
			return w.Verify("", world.Object{"session": e["session"], "code": w.CodeAt(e["secret"].(string), 0)})
		}
	}},
	{"SetUserMFAPreference", "SetUserMFAPreference", func(w *world.World) func() world.Reply {
		token := w.Token(world.Optional, world.OptionalClient, "ada")
		w.Enrolled(token)
		return func() world.Reply {
			return w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": true}})
		}
	}},
	{"GetUser", "GetUser", func(w *world.World) func() world.Reply {
		token := w.Token(world.Optional, world.OptionalClient, "ada")
		return func() world.Reply { return w.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: token}) }
	}},
	{"RespondToAuthChallenge", "RespondToAuthChallenge", func(w *world.World) func() world.Reply {
		secret := w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
		w.Clock.Advance(30 * time.Second)
		challenge, session := w.SignIn("ada")
		return func() world.Reply {
			return w.Answer(world.Object{"challenge": challenge, "session": session, "username": "ada", "clientId": world.OptionalClient, "code": w.CodeAt(secret, 0)})
		}
	}},
}

// Every fault of the way to Cognito, for every call: what the caller sees when
// it passes and when it stays, how many calls Cognito saw, and what the same
// request gets when the fault is over.
func TestFaultsOnTheWayToCognito(t *testing.T) {
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
		{name: "connection refused", astray: standin.RefusedURL(t)},
		{name: "DNS gone", astray: "http://cognito.invalid"},
		{name: "TLS error", astray: untrusted.URL},
		{name: "reset before the work", fault: cognitotest.Fault{CutBefore: true}},
		{name: "reset after the work", fault: cognitotest.Fault{CutAfter: true}},
		{name: "truncated body", fault: cognitotest.Fault{Truncate: true}},
		{name: "500", fault: cognitotest.Fault{Exception: "InternalErrorException"}},
		{name: "503", fault: cognitotest.Fault{Status: 503}},
		{name: "429", fault: cognitotest.Fault{Status: 429}},
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
	world.Golden(t, "faults.golden", strings.Join(rows, ""))
}

func faultWorld(t *testing.T, fault cognitotest.Fault) (*world.World, *detour) {
	t.Helper()
	w := world.Prepare(t, cognitotest.Options{Pools: cognitotest.DemoPools()})
	d := &detour{}
	w.Options = app.Options{Transport: d}
	if fault.Delay > 0 {
		w.Options.CallTimeout = time.Second
	}
	w.Run(map[string]string{"ACCOUNT_LABEL": "username"})
	w.WaitReady()
	return w, d
}

// faultOnce is what the caller sees when the fault passes.
func faultOnce(t *testing.T, s step, fault cognitotest.Fault) string {
	t.Helper()
	w, _ := faultWorld(t, fault)
	do := s.prepare(w)
	before := w.Cognito.Calls(s.call)
	w.Cognito.Fail(s.call, fault)
	r := do()
	return fmt.Sprintf("%s, %d calls", seen(t, r), w.Cognito.Calls(s.call)-before)
}

// faultAlways is what the caller sees when it stays, and when it is over.
func faultAlways(t *testing.T, s step, fault cognitotest.Fault, astray string) string {
	t.Helper()
	w, d := faultWorld(t, fault)
	do := s.prepare(w)
	before := w.Cognito.Calls(s.call)
	var r world.Reply
	if astray != "" {
		stop := d.astray(t, astray)
		r = do()
		stop()
	} else {
		const enough = 4
		w.Cognito.Fail(s.call, fault, fault, fault, fault)
		r = do()
		before = w.Cognito.Calls(s.call) - before
		for range enough - before {
			w.SpendFault(s.call)
		}
		return fmt.Sprintf("%s, %d calls; afterwards: %s", seen(t, r), before, seen(t, do()))
	}
	return fmt.Sprintf("%s, %d calls; afterwards: %s", seen(t, r), w.Cognito.Calls(s.call)-before, seen(t, do()))
}

func seen(t *testing.T, r world.Reply) string {
	t.Helper()
	if r.Status/100 == 2 {
		return fmt.Sprint(r.Status)
	}
	return fmt.Sprintf("%d %s", r.Status, r.Code(t))
}
