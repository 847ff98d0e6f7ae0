package cognito

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/metrics"
)

// answer is what comes back in place of an answer of Cognito's.
type answer struct {
	status int
	kind   string // Content-Type
	body   string
}

const (
	jsonType = "application/x-amz-json-1.1"
	htmlPage = "<html><body>Request blocked.</body></html>"
)

// wire gives the answers in turn, and the last one again and again.
type wire struct {
	answers []answer
	calls   int
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	a := w.answers[min(w.calls, len(w.answers)-1)]
	w.calls++
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {a.kind}},
		Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

func clientOver(transport http.RoundTripper) *Client {
	return NewClient(ClientOptions{
		Region: "us-east-1", Transport: transport, Now: time.Now,
		Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}),
	})
}

// calls are the calls by token and by session.
var calls = map[string]func(context.Context, *Client) error{
	"AssociateSoftwareToken by token": func(ctx context.Context, c *Client) error {
		_, err := c.Associate(ctx, permit.Mint(), byToken)
		return err
	},
	"AssociateSoftwareToken by session": func(ctx context.Context, c *Client) error {
		_, err := c.Associate(ctx, permit.Mint(), bySession)
		return err
	},
	"VerifySoftwareToken by token": func(ctx context.Context, c *Client) error {
		_, err := c.Verify(ctx, permit.Mint(), byToken, "123456", "")
		return err
	},
	"VerifySoftwareToken by session": func(ctx context.Context, c *Client) error {
		_, err := c.Verify(ctx, permit.Mint(), bySession, "123456", "")
		return err
	},
	"SetUserMFAPreference": func(ctx context.Context, c *Client) error {
		return c.SetTOTP(ctx, permit.Mint(), "token", enroll.Preference{Enabled: true})
	},
	"GetUser": func(ctx context.Context, c *Client) error {
		_, err := c.User(ctx, permit.Mint(), "token")
		return err
	},
	"RespondToAuthChallenge": func(ctx context.Context, c *Client) error {
		_, err := c.Answer(ctx, permit.Mint(), enroll.Answer{Challenge: enroll.MethodTOTP, Session: "session", Code: "123456"})
		return err
	},
}

var (
	byToken   = enroll.Credential{Identity: &enroll.Identity{Token: "token"}}
	bySession = enroll.Credential{Session: "session"}
)

// Whatever refuses a call before Cognito worked on it leaves the session as it was:
// the person need not sign in again.
func TestARefusalOnTheWayToCognitoSpendsNoSession(t *testing.T) {
	for _, a := range []struct {
		name   string
		answer answer
		want   enroll.Kind
	}{
		{"429 of a gateway", answer{429, "text/html", htmlPage}, enroll.TooManyRequests},
		{"429 without a body", answer{429, "", ""}, enroll.TooManyRequests},
		{"429 with an exception that nobody knows", answer{429, jsonType, `{"__type":"com.example#Slower"}`}, enroll.TooManyRequests},
		{"AWS's other names for throttling", answer{400, jsonType, `{"__type":"com.amazon.coral.availability#RequestThrottledException"}`}, enroll.TooManyRequests},
		{"403 of a firewall", answer{403, "text/html", htmlPage}, enroll.UpstreamUnavailable},
		{"405 of a firewall that wants a CAPTCHA", answer{405, "text/html", htmlPage}, enroll.UpstreamUnavailable},
		{"407 of a proxy", answer{407, "text/html", htmlPage}, enroll.UpstreamUnavailable},
		{"413 of a proxy", answer{413, "text/html", htmlPage}, enroll.UpstreamUnavailable},
		{"302 to a page of a proxy", answer{302, "text/html", htmlPage}, enroll.UpstreamUnavailable},
		{"503 without an exception", answer{503, "text/html", htmlPage}, enroll.UpstreamUnavailable},
		{"AWS's InternalFailure", answer{500, jsonType, `{"__type":"com.amazon.coral.service#InternalFailure"}`}, enroll.UpstreamUnavailable},
		{"503 with an exception that nobody knows", answer{503, jsonType, `{"__type":"com.example#OutOfOrder"}`}, enroll.UpstreamUnavailable},
		{"400 with an exception that nobody knows", answer{400, jsonType, `{"__type":"com.example#Strange"}`}, enroll.Internal},
	} {
		for name, call := range calls {
			t.Run(a.name+", "+name, func(t *testing.T) {
				err := call(t.Context(), clientOver(&wire{answers: []answer{a.answer}}))
				if enroll.KindOf(err) != a.want {
					t.Errorf("%v, want %s", err, a.want)
				}
			})
		}
	}
}

// An answer that lacks what it must have says nothing of what was done. A firewall's
// silent challenge is 202 without a body (AWS WAF, "How the CAPTCHA and Challenge
// rule actions work").
func TestAnAnswerWithoutItsMembersIsNoAnswer(t *testing.T) {
	want := map[string]enroll.Kind{
		"AssociateSoftwareToken by token":   enroll.UpstreamUnavailable,
		"AssociateSoftwareToken by session": enroll.SessionExpired,
		"VerifySoftwareToken by token":      enroll.UpstreamUnavailable,
		"VerifySoftwareToken by session":    enroll.SessionExpired,
		"GetUser":                           enroll.UpstreamUnavailable,
		"RespondToAuthChallenge":            enroll.SessionExpired,
	}
	for name, kind := range want {
		for what, a := range map[string]answer{"202 without a body": {202, "text/html", ""}, "{}": {200, jsonType, "{}"}} {
			t.Run(what+", "+name, func(t *testing.T) {
				if err := calls[name](t.Context(), clientOver(&wire{answers: []answer{a}})); enroll.KindOf(err) != kind {
					t.Errorf("%v, want %s", err, kind)
				}
			})
		}
	}
	verified := answer{200, jsonType, `{"Status":"SUCCESS"}`}
	if err := calls["VerifySoftwareToken by session"](t.Context(), clientOver(&wire{answers: []answer{verified}})); enroll.KindOf(err) != enroll.SessionExpired {
		t.Errorf("verified without a session to go on with: %v", err)
	}
	empty := answer{200, jsonType, `{"AuthenticationResult":{"ExpiresIn":3600,"TokenType":"Bearer"}}`}
	if err := calls["RespondToAuthChallenge"](t.Context(), clientOver(&wire{answers: []answer{empty}})); enroll.KindOf(err) != enroll.SessionExpired {
		t.Errorf("a sign-in without an access token: %v", err)
	}
	wrong := answer{200, jsonType, `{"Status":"ERROR"}`}
	if err := calls["VerifySoftwareToken by token"](t.Context(), clientOver(&wire{answers: []answer{wrong}})); enroll.KindOf(err) != enroll.CodeMismatch {
		t.Errorf("Status ERROR: %v", err)
	}
}

func TestAChallengeIsNotLostBesideAnEmptyResult(t *testing.T) {
	a := answer{200, jsonType, `{"AuthenticationResult":{},"ChallengeName":"SMS_MFA","Session":"next","ChallengeParameters":{"CODE_DELIVERY_DESTINATION":"+*******11"}}`}
	in, err := clientOver(&wire{answers: []answer{a}}).Answer(t.Context(), permit.Mint(), enroll.Answer{Challenge: enroll.ChallengeSelectMFA, Session: "session", Method: "SMS_MFA"})
	if err != nil || in.Tokens != nil || in.Challenge == nil || in.Challenge.Session != "next" || in.Challenge.Parameters["CODE_DELIVERY_DESTINATION"] == "" {
		t.Errorf("%+v, %v", in, err)
	}
}

// "Used already" is the success of an attempt before only where that attempt may
// have been worked on.
func TestAUsedCodeIsASuccessOnlyAfterALostAnswer(t *testing.T) {
	used := answer{400, jsonType, `{"__type":"ExpiredCodeException","message":"Your software token has already been used once."}`}
	for _, c := range []struct {
		name  string
		first answer
		want  enroll.Kind
	}{
		{"after a lost answer", answer{200, jsonType, `{"Sta`}, ""},
		{"after an error inside Cognito", answer{500, jsonType, `{"__type":"InternalErrorException"}`}, ""},
		{"at once", used, enroll.CodeAlreadyUsed},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &wire{answers: []answer{c.first, used}}
			if err := calls["VerifySoftwareToken by token"](t.Context(), clientOver(w)); enroll.KindOf(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	t.Run("after an attempt that was never sent", func(t *testing.T) {
		next := &wire{answers: []answer{used}}
		c := clientOver(&unsentOnce{next: next})
		if err := calls["VerifySoftwareToken by token"](t.Context(), c); enroll.KindOf(err) != enroll.CodeAlreadyUsed || next.calls != 1 {
			t.Errorf("%v after %d calls", err, next.calls)
		}
	})
}

// unsentOnce connects nowhere at first.
type unsentOnce struct {
	next  http.RoundTripper
	calls int
}

func (u *unsentOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	if u.calls++; u.calls > 1 {
		return u.next.RoundTrip(r)
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	elsewhere := r.Clone(r.Context())
	elsewhere.URL.Scheme, elsewhere.URL.Host = "http", strings.TrimPrefix(closed.URL, "http://")
	return http.DefaultTransport.RoundTrip(elsewhere)
}

// Tokens, sessions and codes go to Cognito and nowhere else, whatever an answer says.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		elsewhere := 0
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
		here := httptest.NewServer(http.RedirectHandler(other.URL, status))
		c := NewClient(ClientOptions{
			Region: "us-east-1", Endpoint: here.URL, Now: time.Now,
			Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}),
		})
		err := calls["VerifySoftwareToken by session"](t.Context(), c)
		if elsewhere != 0 || enroll.KindOf(err) != enroll.UpstreamUnavailable {
			t.Errorf("%d: %v, and %d calls to where it pointed", status, err, elsewhere)
		}
		here.Close()
		other.Close()
	}
}

// Cognito takes a person's address from an app client with a secret alone, and only
// the device's fingerprint from others.
func TestOnlyAClientWithASecretSendsThePersonsAddress(t *testing.T) {
	for _, c := range []struct {
		client, encoded string
		want            string // UserContextData
	}{
		{"with-secret", "", `"UserContextData":{"IpAddress":"203.0.113.7"}`},
		{"with-secret", "print", `"UserContextData":{"EncodedData":"print","IpAddress":"203.0.113.7"}`},
		{"public", "", ""},
		{"public", "print", `"UserContextData":{"EncodedData":"print"}`},
	} {
		var sent string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent = string(body)
			_, _ = io.WriteString(w, `{"AuthenticationResult":{"AccessToken":"token"}}`)
		}))
		client := NewClient(ClientOptions{
			Region: "us-east-1", Endpoint: server.URL, Now: time.Now, ClientSecrets: map[string]enroll.Secret{"with-secret": "secret"},
			Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}),
		})
		_, err := client.Answer(t.Context(), permit.Mint(), enroll.Answer{
			Challenge: enroll.MethodTOTP, ClientID: c.client, Session: "session", Code: "123456",
			Context: enroll.SignInContext{ClientIP: "203.0.113.7", EncodedData: enroll.Secret(c.encoded)},
		})
		if err != nil || !strings.Contains(sent, c.want) || c.want == "" && strings.Contains(sent, "UserContextData") {
			t.Errorf("%s, %q: %v, sent %s", c.client, c.encoded, err, sent)
		}
		server.Close()
	}
}
