package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace/noop"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/metrics"
)

// What strangers send, whatever it is, is read without a panic, and never as
// something better than it is.

func FuzzAccept(f *testing.F) {
	for _, seed := range []string{
		"", "*/*", "image/png", "image/*;q=0.5, application/json;q=0.4", "application/json;q=0, */*", "text/html, */*;q=0.8", "garbage,,;q=2", "image/png;q=1e-400",
		"image/png;q=nan", "image/png;q=\"0.5\"", "IMAGE/PNG;Q=1;q=0", "image/png\napplication/json;q=0.1", strings.Repeat("*/*;q=0.1,", 500),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		accept := strings.Split(header, "\n")
		chosen := negotiate(accept, typeJSON, typePNG)
		if chosen != "" && chosen != typeJSON && chosen != typePNG {
			t.Fatalf("%q was never offered", chosen)
		}
		for _, offer := range []string{typeJSON, typePNG} {
			q := quality(accept, offer)
			if q < 0 || q > 1 || q != q {
				t.Errorf("a quality of %v", q)
			}
			if q > quality(accept, chosen) {
				t.Errorf("%q was chosen, and %q is liked better", chosen, offer)
			}
		}
		// The picture must never come unasked: it is a secret that is seen.
		if chosen == typePNG && !strings.Contains(strings.ToLower(header), "image/") && !strings.Contains(header, "*/*") {
			t.Errorf("the picture for %q", header)
		}
	})
}

func FuzzForwardedAddress(f *testing.F) {
	for _, seed := range [][2]string{
		{"203.0.113.9:1", "198.51.100.1"}, {"10.0.0.1:1", "203.0.113.9"}, {"10.0.0.1:1", "198.51.100.1, 203.0.113.9, 10.9.9.9"}, {"[2001:db8::1]:1", "2001:db9::1"},
		{"10.0.0.1:1", "[2001:db9::1]"}, {"10.0.0.1:1", "::ffff:203.0.113.9"}, {"10.0.0.1:1", ",, ,"}, {"10.0.0.1:1", "203.0.113.9:4711"}, {"10.0.0.1:1", "fe80::1%eth0"},
		{"10.0.0.1:1", "10.0.0.2\n10.0.0.3"}, {"10.0.0.1:1", "127.0.0.1"},
	} {
		f.Add(seed[0], seed[1])
	}
	trusted := make([]*net.IPNet, 2)
	for i, r := range []string{"10.0.0.0/8", "2001:db8::/32"} {
		_, network, err := net.ParseCIDR(r)
		if err != nil {
			f.Fatal(err)
		}
		trusted[i] = network
	}
	isTrusted := func(text string) bool {
		ip, ok := parseHop(strings.TrimSpace(text))
		return ok && slices.ContainsFunc(trusted, func(n *net.IPNet) bool { return n.Contains(ip.AsSlice()) })
	}
	extract := ClientIPFrom(trusted, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		host, _, err := net.SplitHostPort(peer)
		if err != nil || net.ParseIP(host) == nil {
			t.Skip("net/http gives an address and a port")
		}
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": strings.Split(forwarded, "\n")}}
		got := extract(r)
		if !isTrusted(host) {
			if !net.ParseIP(got).Equal(net.ParseIP(host)) {
				t.Errorf("a stranger at %s became %s", host, got)
			}
			return
		}
		// What was believed was told by trusted proxies alone: every hop to the
		// right of it is one.
		hops := strings.Split(strings.ReplaceAll(forwarded, "\n", ","), ",")
		for _, hop := range slices.Backward(hops) {
			hop = strings.TrimSpace(hop)
			if hop == "" {
				continue
			}
			address, ok := parseHop(hop)
			if !ok {
				if got != unknownAddress {
					t.Errorf("%s, although %q cannot be read", got, hop)
				}
				return
			}
			if address.String() == got {
				return
			}
			if !isTrusted(hop) {
				break
			}
		}
		if !net.ParseIP(got).Equal(net.ParseIP(host)) {
			t.Errorf("%s, from %q", got, forwarded)
		}
	})
}

// nobody is a user pool and a verifier that take everything, so that a body
// that gets through the contract gets an answer.
type nobody struct{ enroll.NoStore }

func (nobody) Verify(context.Context, string) (enroll.Identity, error) {
	return enroll.Identity{Subject: "nobody", Username: "nobody"}, nil
}

type emptyPool struct{}

func (emptyPool) Associate(context.Context, permit.Permit, enroll.Credential) (enroll.Association, error) {
	return enroll.Association{Secret: "JBSWY3DPEHPK3PXP", Session: enroll.Secret(strings.Repeat("s", 20))}, nil
}

func (emptyPool) Verify(context.Context, permit.Permit, enroll.Credential, enroll.Secret, string) (enroll.Secret, error) {
	return enroll.Secret(strings.Repeat("s", 20)), nil
}

func (emptyPool) SetTOTP(context.Context, permit.Permit, enroll.Secret, enroll.Preference) error {
	return nil
}

func (emptyPool) User(context.Context, permit.Permit, enroll.Secret) (enroll.User, error) {
	return enroll.User{}, nil
}

func (emptyPool) Answer(context.Context, permit.Permit, enroll.Answer) (enroll.SignIn, error) {
	return enroll.SignIn{Challenge: &enroll.Challenge{Name: "SOFTWARE_TOKEN_MFA"}}, nil
}

type unlimited struct{}

func (unlimited) Take(_ context.Context, cases ...enroll.Case) enroll.Taken {
	return enroll.Taken{Case: len(cases) - 1}
}

func (unlimited) Settle(context.Context, []enroll.Want, []enroll.Mark) {}

func fuzzedServer(f *testing.F) http.Handler {
	f.Helper()
	m := metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{})
	logger := slog.New(slog.DiscardHandler)
	h, err := New(Options{
		Enroll: enroll.New(enroll.Options{
			Pool: emptyPool{}, Store: enroll.NoStore{}, Limiter: unlimited{}, Metrics: m, Logger: logger, Now: time.Now,
			Issuer: "Example", ClientIDs: []string{"client"}, WriteRPS: 25, WorkTimeout: time.Minute,
		}),
		Verifier: nobody{}, Metrics: m, Logger: logger, Now: time.Now, Tracer: noop.NewTracerProvider().Tracer(""),
		ClientIP: ClientIPFrom(nil, nil), RequestTimeout: time.Minute,
	})
	if err != nil {
		f.Fatal(err)
	}
	return h
}

func FuzzBody(f *testing.F) {
	operations := []struct{ method, path string }{
		{"POST", "/v1/mfa/totp"}, {"POST", "/v1/mfa/totp/verify"}, {"PUT", "/v1/mfa/totp/preference"}, {"POST", "/v1/auth/challenge"}, {"GET", "/v1/mfa"},
	}
	for i := range operations {
		for _, seed := range []string{
			`{}`, `null`, `{"session":"AYABeExampleSessionOfTheChallenge","accountName":"ada@example.com"}`, `{"code":"123456","deviceName":"phone"}`, `{"enabled":true,"preferred":false}`,
			`{"challenge":"SOFTWARE_TOKEN_MFA","clientId":"client","username":"ada","session":"AYABeExampleSessionOfTheChallenge","code":"123456","clientMetadata":{"a":"b"}}`,
			`{"code":"123456","code":"1"}`, `{"code":"123456"}{}`, `{"code":1e400}`, `{"accountName":"\ud800\u0000"}`, "\xff", `[[[[`, ` {"renew":null} `, `{"\u0063ode":"123456"}`,
		} {
			f.Add(uint8(i), "application/json", true, []byte(seed)) //nolint:gosec // Five operations.
		}
	}
	f.Add(uint8(0), "application/json; charset=utf-16", false, []byte(`{}`))
	f.Add(uint8(1), "multipart/form-data; boundary=a", false, []byte("--a--"))
	server := fuzzedServer(f)
	f.Fuzz(func(t *testing.T, which uint8, contentType string, bearer bool, body []byte) {
		o := operations[int(which)%len(operations)]
		// Of no known length, so that nothing is cut before it is read.
		r := httptest.NewRequest(o.method, o.path, io.NopCloser(bytes.NewReader(body)))
		r.Header["Content-Type"] = []string{contentType}
		if bearer {
			r.Header.Set("Authorization", "Bearer a.b.c")
		}
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, r)
		switch {
		case rec.Code >= 500:
			t.Errorf("status %d: %s", rec.Code, rec.Body)
		case rec.Code >= 400 && rec.Header().Get("Content-Type") != "application/problem+json":
			t.Errorf("status %d with Content-Type %q", rec.Code, rec.Header().Get("Content-Type"))
		case rec.Code < 300 && len(body) > 0 && !json.Valid(body):
			t.Errorf("status %d for what is no JSON", rec.Code)
		case rec.Code < 300 && len(body) > 64<<10:
			t.Errorf("status %d for %d bytes", rec.Code, len(body))
		}
		if !json.Valid(rec.Body.Bytes()) {
			t.Errorf("the reply is no JSON: %s", rec.Body)
		}
	})
}
