// Package budget holds what each kind of caller may cost others: how many calls
// to Amazon Cognito, and how many honest people still finish. It runs the service
// without sockets, in virtual time (testing/synctest), against the stand-in with
// Cognito's own quotas.
package budget

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace/noop"

	"mfa-enrollment/cognito"
	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/handlers"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/limit"
	"mfa-enrollment/internal/pending"
	"mfa-enrollment/internal/quota"
	"mfa-enrollment/metrics"
	"mfa-enrollment/test/standin"
)

const (
	pool   = standin.Optional
	client = standin.OptionalClient
	// network is how long a request is on its way to the service and back.
	network = 50 * time.Millisecond
	rps     = 25
)

// world is the service with its Cognito, both in this process.
type world struct {
	t       *testing.T
	cognito *cognitotest.Server
	api     http.Handler

	fails atomic.Value // the exception of every call, or noAnswer, or ""
	mu    sync.Mutex
	calls map[string]map[string]int // by who caused them and by operation
}

// newWorld makes one with n people: ada, who is attacked or attacks, and person000
// and so on. It must be called inside a synctest bubble.
func newWorld(t *testing.T, n int) *world {
	t.Helper()
	o := standin.Crowd(n)
	o.Pools, o.Now, o.Quota, o.Latency = o.Pools[:1], time.Now, cognitotest.CognitoQuota(), cognitotest.Latency{Min: 20 * time.Millisecond}
	w := &world{t: t, calls: map[string]map[string]int{}}
	var err error
	if w.cognito, err = cognitotest.New(o); err != nil {
		t.Fatal(err)
	}
	w.api = w.service()
	return w
}

// service wires the service as package app does.
func (w *world) service() http.Handler {
	w.t.Helper()
	m := metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{})
	logger := slog.New(slog.DiscardHandler)
	store, err := pending.NewMemory(pending.Options{Now: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(store.Close)
	api, err := handlers.New(handlers.Options{
		Enroll: enroll.New(enroll.Options{
			Pool: cognito.NewClient(cognito.ClientOptions{
				Region: "us-east-1", Endpoint: "http://cognito.test", CallTimeout: 5 * time.Second, Transport: w,
				Metrics: m, Now: time.Now, Admission: quota.New(quota.Options{RPS: rps, SessionValidity: 3 * time.Minute, Metrics: m}),
			}),
			Store: store, Limiter: limit.NewMemory(time.Now), Metrics: m, Logger: logger, Now: time.Now,
			Issuer: "Example", AccountLabel: "email", ClientIDs: []string{client}, PendingTTL: 15 * time.Minute, AuthSessionValidity: 3 * time.Minute,
			StepUpMaxAge: 15 * time.Minute, WriteRPS: rps, WorkTimeout: 15 * time.Second,
		}),
		Verifier: reader{}, Metrics: m, Logger: logger, Now: time.Now, Tracer: noop.NewTracerProvider().Tracer(""),
		ClientIP: handlers.ClientIPFrom(nil, logger), RequestTimeout: 15 * time.Second,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return api
}

type causeKey struct{}

// noAnswer is what world.fails holds when Cognito does not answer.
const noAnswer = "no answer in time"

// RoundTrip hands a call to the stand-in, and counts who caused it.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	cause, _ := r.Context().Value(causeKey{}).(string)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	if w.calls[cause] == nil {
		w.calls[cause] = map[string]int{}
	}
	w.calls[cause][operation]++
	w.mu.Unlock()
	answer := httptest.NewRecorder()
	switch exception, _ := w.fails.Load().(string); exception {
	case "":
		w.cognito.ServeHTTP(answer, r)
	case noAnswer:
		<-r.Context().Done()
	default:
		answer.Header().Set("X-Amzn-ErrorType", exception)
		answer.WriteHeader(map[bool]int{true: 500, false: 400}[exception == "InternalErrorException"])
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

// caused counts the calls of some operations that somebody caused; without
// operations, all.
func (w *world) caused(cause string, operations ...string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for operation, calls := range w.calls[cause] {
		if len(operations) == 0 || contains(operations, operation) {
			n += calls
		}
	}
	return n
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// reader takes the claims of a token as they are: what the verifier refuses costs
// nothing, so it is not what is measured here.
type reader struct{}

func (reader) Verify(_ context.Context, token string) (enroll.Identity, error) {
	var claims struct {
		Iss, Sub, Username string
		ClientID           string `json:"client_id"`
		Origin             string `json:"origin_jti"`
		AuthTime           int64  `json:"auth_time"`
		Exp                int64
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	return enroll.Identity{
		Token: enroll.Secret(token), PoolID: claims.Iss[strings.LastIndex(claims.Iss, "/")+1:], ClientID: claims.ClientID,
		Subject: claims.Sub, Username: claims.Username, AuthTime: time.Unix(claims.AuthTime, 0), Expiry: time.Unix(claims.Exp, 0),
	}, err
}

// request is one request to the service.
type request struct {
	method, path string
	token        string
	body         map[string]any
	from         string // the caller's address
}

// reply is what came back.
type reply struct {
	status int
	body   map[string]any
	wait   time.Duration // Retry-After
}

// send makes a request that somebody causes.
func (w *world) send(cause string, r request) reply {
	time.Sleep(network)
	var body bytes.Buffer
	if r.body != nil {
		_ = json.NewEncoder(&body).Encode(r.body)
	}
	in := httptest.NewRequest(r.method, r.path, &body)
	in = in.WithContext(context.WithValue(in.Context(), causeKey{}, cause))
	in.RemoteAddr = "[" + r.from + "]:1234"
	if r.body != nil {
		in.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		in.Header.Set("Authorization", "Bearer "+r.token)
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, in)
	got := reply{status: out.Code}
	_ = json.Unmarshal(out.Body.Bytes(), &got.body)
	if seconds, err := strconv.Atoi(out.Header().Get("Retry-After")); err == nil {
		got.wait = time.Duration(seconds) * time.Second
	}
	return got
}

// token signs somebody in.
func (w *world) token(user string) string { return w.cognito.SignIn(pool, client, user).AccessToken }

// revoke ends all sign-ins of the bearer of a token.
func (w *world) revoke(token string) {
	w.t.Helper()
	in := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"AccessToken":"`+token+`"}`))
	in.Header.Set("Content-Type", "application/x-amz-json-1.1")
	in.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.GlobalSignOut")
	out := httptest.NewRecorder()
	if w.cognito.ServeHTTP(out, in); out.Code != http.StatusOK {
		w.t.Fatalf("GlobalSignOut: %d %s", out.Code, out.Body)
	}
}
