package app_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/metrics"
)

// world is the running service with its Cognito: the real router, the real SDK
// and real sockets, a clock that tests move.
type world struct {
	t        *testing.T
	cognito  *cognitotest.Server
	clock    *clock
	log      *buffer
	app      *app.App
	url      string
	admin    string
	endpoint string // of the stand-in
	stopped  bool
	options  app.Options // over the defaults of the tests
}

// The demonstration's pools and clients.
const (
	optional       = "us-east-1_Optional"
	optionalClient = "demo-optional"
	required       = "us-east-1_Required"
	requiredClient = "demo-required"
	password       = "Correct-Horse-1"
)

// newWorld starts a service against a stand-in of its own. settings are
// environment variables over the defaults of the tests.
func newWorld(t *testing.T, settings map[string]string) *world {
	t.Helper()
	return newWorldWith(t, cognitotest.Options{Pools: cognitotest.DemoPools()}, settings)
}

func newWorldWith(t *testing.T, o cognitotest.Options, settings map[string]string) *world {
	t.Helper()
	w := prepareWorld(t, o)
	w.run(settings)
	w.waitReady()
	return w
}

// prepareWorld is a world whose service does not run yet.
func prepareWorld(t *testing.T, o cognitotest.Options) *world {
	t.Helper()
	w := &world{t: t, clock: newClock(), log: &buffer{}}
	o.Now = w.clock.Now
	for i := range o.Pools {
		o.Pools[i].Key = poolKeys()[i]
	}
	server, err := cognitotest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.cognito = server
	standIn := httptest.NewServer(server)
	t.Cleanup(standIn.Close)
	w.endpoint = standIn.URL
	return w
}

// crowd is the demonstration with n more people in the optional pool.
func crowd(n int) cognitotest.Options {
	pools := cognitotest.DemoPools()
	for i := range n {
		pools[0].Users = append(pools[0].Users, cognitotest.User{Username: person(i), Password: password})
	}
	return cognitotest.Options{Pools: pools}
}

func person(i int) string { return fmt.Sprintf("person%03d", i) }

// poolKeys are made once: RSA keys are what takes long in a test.
var poolKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	keys := make([]*rsa.PrivateKey, 2)
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// run starts the application, and stops it when the test ends.
func (w *world) run(settings map[string]string) {
	w.t.Helper()
	env := map[string]string{
		"ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0",
		"COGNITO_ENDPOINT":       w.endpoint,
		"COGNITO_USER_POOL_IDS":  optional + "," + required,
		"COGNITO_CLIENT_IDS":     optionalClient + "," + requiredClient,
		"COGNITO_CLIENT_SECRETS": requiredClient + "=demo-secret",
		"TOTP_ISSUER":            "Example",
		"CORS_ALLOWED_ORIGINS":   "https://app.example.com",
	}
	for name, value := range settings {
		env[name] = value
	}
	config, err := app.LoadConfig(func(name string) string { return env[name] })
	if err != nil {
		w.t.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.options.Logger, w.options.Now, w.options.Build = logger, w.clock.Now, metrics.BuildInfo{Version: "test"}
	w.app, err = app.New(config, w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.app.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.stop)
	w.url, w.admin = "http://"+w.app.Addr(), "http://"+w.app.AdminAddr()
}

func (w *world) stop() {
	if w.stopped {
		return
	}
	w.stopped = true
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := w.app.Stop(ctx); err != nil {
		w.t.Error(err)
	}
}

// waitReady asks until the keys are there.
func (w *world) waitReady() {
	w.t.Helper()
	w.await("ready", func() bool { return w.send("GET", w.admin+"/readyz", nil).status == 200 })
}

// awaitMetric scrapes until a series has a value.
func (w *world) awaitMetric(series, value string) {
	w.t.Helper()
	w.await(series+" "+value, func() bool { return w.metric(series) == value })
}

func (w *world) await(what string, is func() bool) {
	w.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-w.t.Context().Done():
			w.t.Fatalf("never %s", what)
		}
	}
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// json is the body as an object.
func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil {
		t.Fatalf("the body is not JSON: %v\n%s", err, r.body)
	}
	return m
}

// code is the code of a problem document.
func (r reply) code(t *testing.T) string {
	t.Helper()
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("status %d with Content-Type %q, want a problem document: %s", r.status, got, r.body)
	}
	code, _ := r.json(t)["code"].(string)
	return code
}

// request is one request to the API; a body that is not a reader is sent as JSON.
type request struct {
	method, path string
	token        string
	body         any
	header       http.Header
}

func (w *world) do(r request) reply {
	w.t.Helper()
	header := http.Header{}
	for name, values := range r.header {
		header[name] = values
	}
	var body io.Reader
	switch b := r.body.(type) {
	case nil:
	case io.Reader:
		body = b
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		body = bytes.NewReader(encoded)
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", "application/json")
		}
	}
	if r.token != "" {
		header.Set("Authorization", "Bearer "+r.token)
	}
	return w.sendWith(r.method, w.url+r.path, header, body)
}

// object is a JSON body.
type object = map[string]any

func (w *world) begin(token string, body any) reply {
	w.t.Helper()
	return w.do(request{method: "POST", path: "/v1/mfa/totp", token: token, body: body})
}

func (w *world) verify(token string, body object) reply {
	w.t.Helper()
	return w.do(request{method: "POST", path: "/v1/mfa/totp/verify", token: token, body: body})
}

func (w *world) send(method, url string, body io.Reader) reply {
	w.t.Helper()
	return w.sendWith(method, url, nil, body)
}

func (w *world) sendWith(method, url string, header http.Header, body io.Reader) reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, url, body)
	if err != nil {
		w.t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, got}
}

// metric is the value of one series, as scraped.
func (w *world) metric(series string) string {
	w.t.Helper()
	for line := range strings.Lines(string(w.send("GET", w.admin+"/metrics", nil).body)) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return "absent"
}

// token signs a user in and returns the access token.
func (w *world) token(pool, client, user string) string {
	return w.cognito.SignIn(pool, client, user).AccessToken
}

// codeAt is the code that an authenticator app shows whose clock is off.
func (w *world) codeAt(secret string, off time.Duration) string {
	w.t.Helper()
	code, err := totp.GenerateCode(secret, w.clock.Now().Add(off))
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// wrongCode fits no step within half an hour of now.
func (w *world) wrongCode(secret string) string {
	w.t.Helper()
	near := map[string]bool{}
	for off := -30 * time.Minute; off <= 30*time.Minute; off += 30 * time.Second {
		near[w.codeAt(secret, off)] = true
	}
	for _, candidate := range []string{"000000", "111111", "222222", "333333", "444444"} {
		if !near[candidate] {
			return candidate
		}
	}
	w.t.Fatal("every candidate fits")
	return ""
}

// clock is moved by tests. It starts in the middle of a step.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 5, 4, 12, 0, 15, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// buffer collects the log.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
