package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/token"
	"mfa-enrollment/metrics"
)

var update = flag.Bool("update", false, "write the golden files")

// written is the reply to an error, headers and body, as text.
func written(t *testing.T, err error) string {
	t.Helper()
	s := &Server{Options{Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}), Logger: slog.New(slog.DiscardHandler)}}
	rec := httptest.NewRecorder()
	c := echo.New().NewContext(httptest.NewRequest(http.MethodPost, "/", nil), rec)
	c.Response().Header().Set(echo.HeaderXRequestID, "REQUEST-ID")
	s.writeProblem(c, asDomain(err))
	var text strings.Builder
	fmt.Fprintf(&text, "HTTP %d\n", rec.Code)
	for _, name := range []string{"Content-Type", "Retry-After", "WWW-Authenticate"} {
		if value := rec.Header().Get(name); value != "" {
			fmt.Fprintf(&text, "%s: %s\n", name, value)
		}
	}
	var body bytes.Buffer
	if err := json.Indent(&body, rec.Body.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	return text.String() + body.String() + "\n\n"
}

func TestProblemDocuments(t *testing.T) {
	kinds := make([]enroll.Kind, 0, len(problems))
	for kind := range problems {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	var all strings.Builder
	for _, kind := range kinds {
		all.WriteString(written(t, &enroll.Error{Kind: kind, MaxAge: 15 * time.Minute, RetryAfter: 1500 * time.Millisecond}))
	}
	for _, skew := range []time.Duration{-90 * time.Second, 2 * time.Minute, -10 * time.Minute, time.Hour, -330 * time.Minute} {
		all.WriteString(written(t, &enroll.Error{Kind: enroll.CodeMismatch, ClockSkew: skew}))
	}
	all.WriteString(written(t, enroll.Invalid("clientId", "must be there when username is")))
	all.WriteString(written(t, &enroll.Error{Kind: enroll.InvalidToken, Reason: "expired"}))
	path := filepath.Join("testdata", "problems.golden")
	if *update {
		if err := os.WriteFile(path, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if all.String() != string(want) {
		t.Errorf("%s differs; look at the difference after go test -update", path)
	}
}

func TestClocksAreToldInWordsThatPeopleUse(t *testing.T) {
	for skew, want := range map[time.Duration]string{
		30 * time.Second: "30 seconds fast", -90 * time.Second: "90 seconds slow", 2 * time.Minute: "2 minutes fast", -10 * time.Minute: "10 minutes slow",
		45 * time.Minute: "45 minutes fast", 60 * time.Minute: "one hour fast", -(time.Hour + 30*time.Second): "one hour slow", 75 * time.Minute: "75 minutes fast",
		90 * time.Minute: "one and a half hours fast", 105 * time.Minute: "one and three quarters hours fast", -2 * time.Hour: "two hours slow",
		330 * time.Minute: "five and a half hours fast", -345 * time.Minute: "five and three quarters hours slow", 14 * time.Hour: "fourteen hours fast", 30 * time.Hour: "30 hours fast",
	} {
		detail := clockDetail(skew)
		if !strings.Contains(detail, "about "+want+".") {
			t.Errorf("%v: %s", skew, detail)
		}
		if told := strings.Contains(detail, "time zone"); told != strings.Contains(want, "hour") {
			t.Errorf("%v: %s", skew, detail)
		}
	}
}

func TestNothingOfAnErrorReachesAReply(t *testing.T) {
	const secret = "JBSWY3DPEHPK3PXP"
	for _, err := range []error{
		errors.New(secret),
		fmt.Errorf("wrapped: %w", errors.New(secret)),
		&enroll.Error{Kind: enroll.Internal, Reason: secret, Cause: errors.New(secret)},
		&enroll.Error{Kind: "a kind that is not in the table", Reason: secret},
		&echo.HTTPError{Code: 400, Message: secret, Internal: errors.New(secret)},
		&echo.HTTPError{Code: 418, Message: secret},
	} {
		if reply := written(t, err); strings.Contains(reply, secret) {
			t.Errorf("%T: %s", err, reply)
		}
	}
}

// The verifier's reasons are spelled out in this package, which does not import
// it; here both spellings meet.
func TestEveryReasonForRefusingATokenHasASentence(t *testing.T) {
	for _, reason := range []string{
		token.ReasonTooLarge, token.ReasonMalformed, token.ReasonNotRS256, token.ReasonForbiddenHeader, token.ReasonMissingClaim,
		token.ReasonForeignIssuer, token.ReasonUnknownKey, token.ReasonBadSignature, token.ReasonExpired, token.ReasonNotYetValid,
		token.ReasonForeignClient, token.ReasonNobody, token.ReasonIDToken, token.ReasonRefreshToken, token.ReasonOtherTokenUse,
	} {
		if problems[enroll.InvalidToken].variants[reason].hint == "" && problems[enroll.WrongTokenUse].variants[reason].hint == "" {
			t.Errorf("%s has none", reason)
		}
	}
}

func TestAPanicIsAProblemThatDoesNotShowItsValue(t *testing.T) {
	var log bytes.Buffer
	s := &Server{Options{
		Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}), Now: time.Now,
		Logger: slog.New(slog.NewJSONHandler(&log, nil)),
	}}
	rec := httptest.NewRecorder()
	c := echo.New().NewContext(httptest.NewRequest(http.MethodPost, "/", nil), rec)
	h := s.logRequest(s.recoverPanic(func(echo.Context) error { panic("JBSWY3DPEHPK3PXP") }))
	if err := h(c); err != nil {
		t.Fatal(err)
	}
	if rec.Code != 500 || !strings.Contains(rec.Body.String(), `"internal"`) {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
	if strings.Contains(rec.Body.String()+log.String(), "JBSWY3DPEHPK3PXP") {
		t.Error("the panic's value is shown")
	}
	if !strings.Contains(log.String(), "problem_test.go") {
		t.Error("the log does not say where")
	}
}

func TestTheCallersAddress(t *testing.T) {
	trusted := mustNetworks(t, "10.0.0.0/8", "2001:db8::/32")
	tests := map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"no proxy":                                {"203.0.113.9:1", nil, "203.0.113.9"},
		"a stranger forges the header":            {"203.0.113.9:1", []string{"198.51.100.1"}, "203.0.113.9"},
		"one proxy":                               {"10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		"a forged first entry behind a proxy":     {"10.0.0.1:1", []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9"},
		"two proxies":                             {"10.0.0.1:1", []string{"203.0.113.9, 10.9.9.9"}, "203.0.113.9"},
		"two headers":                             {"10.0.0.1:1", []string{"198.51.100.1", "203.0.113.9"}, "203.0.113.9"},
		"an IPv6 client":                          {"10.0.0.1:1", []string{"2001:db9::1"}, "2001:db9::1"},
		"an IPv6 proxy":                           {"[2001:db8::1]:1", []string{"203.0.113.9"}, "203.0.113.9"},
		"with a port":                             {"10.0.0.1:1", []string{"203.0.113.9:41234"}, "203.0.113.9"},
		"IPv6 in brackets, with a port":           {"10.0.0.1:1", []string{"[2001:db9::1]:443"}, "2001:db9::1"},
		"IPv6 in brackets":                        {"10.0.0.1:1", []string{"[2001:db9::1]"}, "2001:db9::1"},
		"in quotes":                               {"10.0.0.1:1", []string{`"[2001:db9::1]:443"`}, "2001:db9::1"},
		"a zone":                                  {"10.0.0.1:1", []string{"2001:db9::1%eth0"}, "2001:db9::1"},
		"IPv4 inside IPv6":                        {"10.0.0.1:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"a proxy with a port":                     {"10.0.0.1:1", []string{"203.0.113.9:1, 10.9.9.9:2"}, "203.0.113.9"},
		"a port that is none":                     {"10.0.0.1:1", []string{"203.0.113.9:99999"}, "203.0.113.9"},
		"empty elements":                          {"10.0.0.1:1", []string{"203.0.113.9, ,", ""}, "203.0.113.9"},
		"nothing in the header":                   {"10.0.0.1:1", []string{""}, "10.0.0.1"},
		"proxies alone":                           {"10.0.0.1:1", []string{"10.0.0.7, 10.0.0.8"}, "10.0.0.7"},
		"what cannot be read is not the proxy":    {"10.0.0.1:1", []string{"203.0.113.9, unknown"}, "unknown"},
		"an obfuscated identifier":                {"10.0.0.1:1", []string{"_hidden"}, "unknown"},
		"what cannot be read is not passed over":  {"10.0.0.1:1", []string{"203.0.113.9, 1.2.3"}, "unknown"},
		"loopback is no proxy unless it is named": {"127.0.0.1:1", []string{"203.0.113.9"}, "127.0.0.1"},
		"a private network neither":               {"192.168.0.1:1", []string{"203.0.113.9"}, "192.168.0.1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.RemoteAddr = test.peer
			r.Header["X-Forwarded-For"] = test.forwarded
			r.Header.Set("X-Real-Ip", "198.51.100.77")
			r.Header.Set("Forwarded", "for=198.51.100.78")
			if got := ClientIPFrom(trusted, slog.New(slog.DiscardHandler))(r); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func mustNetworks(t *testing.T, ranges ...string) []*net.IPNet {
	t.Helper()
	networks := make([]*net.IPNet, len(ranges))
	for i, r := range ranges {
		_, network, err := net.ParseCIDR(r)
		if err != nil {
			t.Fatal(err)
		}
		networks[i] = network
	}
	return networks
}
