// Package app wires the service together and runs it: New, Start, Stop and the
// addresses. cmd/api, cmd/demo and cmd/rollout use it, and so do tests, in-process
// and on port 0.
package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/cognito"
	"mfa-enrollment/handlers"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/events"
	"mfa-enrollment/internal/quota"
	"mfa-enrollment/internal/token"
	"mfa-enrollment/metrics"
)

// Time limits. A request's is longer than a call's to Cognito, so that the
// caller is told what became of it.
const (
	callTimeout    = 5 * time.Second // Options.CallTimeout overrides it
	requestTimeout = 15 * time.Second
)

// maxAdminConnections is plenty for a scraper, a kubelet and an operator.
const maxAdminConnections = 100

// minEach is how many connections one address may have in any case; else a tenth
// of them all.
const minEach = 16

// Options is what the application takes from its surroundings. Zero values are
// what production wants.
type Options struct {
	Logger *slog.Logger     // nil: nothing is logged
	Level  *slog.LevelVar   // of the logger, for the admin address to change; may be nil
	Now    func() time.Time // nil: time.Now
	Build  metrics.BuildInfo
	// Environ is the whole environment, NAME=value, in which the start looks for
	// misspelled names. Nil: nowhere.
	Environ []string
	// Page answers what is neither the API nor the contract, for the demo. Nil
	// leaves that to the API, which answers not_found.
	Page http.Handler
	// CallTimeout bounds one call to Cognito. Zero: five seconds.
	CallTimeout time.Duration
	// Transport carries the calls to Cognito, so that tests can break it. Nil:
	// the service's own.
	Transport http.RoundTripper
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Level == nil {
		o.Level = &slog.LevelVar{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = callTimeout
	}
	if o.Transport == nil {
		o.Transport = transport()
	}
	return o
}

// App is the whole service: the API and the admin listener. It lives once: New,
// Start, Stop (lifecycle.go).
type App struct {
	config   Config
	logger   *slog.Logger
	environ  []string
	metrics  *metrics.Metrics
	verifier *token.Verifier
	store    store
	events   *events.Outbox // nil: nobody is told
	tracing  tracing
	public   *listener
	admin    *listener
	lifecycle
}

// New wires the service. It listens to nothing and calls nobody. Where it fails
// it leaves nothing behind.
func New(c Config, o Options) (*App, error) {
	o = o.withDefaults()
	a := &App{config: c, logger: o.Logger, environ: o.Environ, lifecycle: newLifecycle()}
	if err := a.wire(o); err != nil {
		return nil, errors.Join(err, a.Stop(context.Background()))
	}
	return a, nil
}

// wire builds the parts, and notes for each that runs by itself how it is closed.
func (a *App) wire(o Options) (err error) {
	c := a.config
	registry := prometheus.NewRegistry()
	m := metrics.New(registry, o.Build)
	a.metrics = m
	if a.tracing, err = newTracing(c.TraceEndpoint, o.Build.Version); err != nil {
		return err
	}
	a.onStop(a.tracing.stop)
	// Codes, tokens and the times of enrollments are held against Cognito's clock, and
	// events are signed by it; how long something took is the service's own.
	clock := cognito.NewClock(o.Now, c.CognitoEndpoint != "")
	m.ClockOffset(clock.Offset)
	pools, err := c.pools()
	if err != nil {
		return err
	}
	if a.verifier, err = token.New(token.Options{
		Pools: pools, ClientIDs: c.ClientIDs, Now: clock.Now, Logger: o.Logger,
		HTTPClient: &http.Client{Transport: clock.Transport(http.DefaultTransport)},
	}); err != nil {
		return err
	}
	if a.store, err = newStore(c, o, clock.Now, m); err != nil {
		return err
	}
	a.onStop(func(context.Context) error { a.store.Close(); return nil })
	if a.events, err = a.outbox(o, clock, m); err != nil {
		return err
	}
	public, err := handlers.New(handlers.Options{
		Enroll: a.service(o, clock, m), Verifier: a.verifier, Metrics: m, Logger: o.Logger, Now: o.Now,
		Tracer:   a.tracing.Tracer("mfa-enrollment"),
		ClientIP: handlers.ClientIPFrom(c.networks(), o.Logger), AllowedOrigins: c.CORSAllowedOrigins, RequestTimeout: requestTimeout,
	})
	if err != nil {
		return err
	}
	a.public = newListener("ADDR", a.tellToClose(a.store.bound(withPage(public, o.Page))), o.Logger, newConnections(c.MaxConnections, max(c.MaxConnections/10, minEach), c.networks()))
	if err := a.public.secure(c.TLSCertFile, c.TLSKeyFile); err != nil {
		return err
	}
	a.admin = newListener("ADMIN_ADDR", handlers.NewAdmin(handlers.AdminOptions{
		Gatherer: registry, Ready: a.ready, Note: a.store.note, Level: o.Level, Profiling: c.Profiling,
	}), o.Logger, newConnections(maxAdminConnections, 0, nil))
	m.KeyAge(a.verifier.KeyAge)
	m.PendingEnrollments(a.store.Len)
	m.Ready(func() bool { return a.ready() == nil })
	return nil
}

// service wires the flows.
func (a *App) service(o Options, clock *cognito.Clock, m *metrics.Metrics) *enroll.Service {
	c := a.config
	transport := clock.Transport(o.Transport)
	if c.TraceEndpoint != "" { // Spans that nobody collects cost a twentieth of a request.
		transport = a.tracing.transport(transport)
	}
	client := c.client()
	client.CallTimeout, client.Transport, client.Metrics, client.Now = o.CallTimeout, transport, m, o.Now
	client.Admission = quota.New(quota.Options{
		RPS: c.CognitoWriteRPS, Shared: a.store.quota, SessionValidity: c.AuthSessionValidity, Metrics: m,
	})
	options := enroll.Options{
		Pool:                cognito.NewClient(client),
		Store:               a.tracing.store(a.store),
		Limiter:             a.store,
		Metrics:             m,
		Logger:              o.Logger,
		Now:                 clock.Now,
		Issuer:              c.TOTPIssuer,
		AccountLabel:        c.AccountLabel,
		ClientIDs:           c.ClientIDs,
		PendingTTL:          c.PendingTTL,
		AuthSessionValidity: c.AuthSessionValidity,
		StepUpMaxAge:        c.StepUpMaxAge,
		WriteRPS:            c.CognitoWriteRPS,
		Policy:              enroll.Policy(c.MFAPolicy),
		Identify:            a.verifier.Verify,
		WorkTimeout:         requestTimeout,
	}
	if a.events != nil {
		options.Events = a.events
	}
	return enroll.New(options)
}

// outbox begins to send events where there is somebody to get them.
func (a *App) outbox(o Options, clock *cognito.Clock, m *metrics.Metrics) (*events.Outbox, error) {
	c := a.config
	if c.EventsURL == "" {
		m.Events(nil, nil)
		return nil, nil
	}
	b, err := events.New(events.Options{
		URL: c.EventsURL, Secrets: c.eventsSecrets(), SealKeys: c.sealKeys(), Redis: a.store.events,
		Metrics: m, Logger: o.Logger, Now: clock.Now, UserAgent: "mfa-enrollment/" + o.Build.Version,
	})
	if err != nil {
		return nil, err
	}
	a.onStop(func(ctx context.Context) error { b.Close(ctx); return nil })
	m.Events(b.Waiting, b.Gone)
	return b, nil
}

// withPage puts a page beside the API.
func withPage(api, page http.Handler) http.Handler {
	if page == nil {
		return api
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", api)
	mux.Handle("/openapi.yaml", api)
	mux.Handle("/", page)
	return mux
}

// transport carries the calls to Cognito: one host, many calls, connections
// kept. The time for an answer is the call's, not the transport's.
func transport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        100,
		MaxIdleConnsPerHost: 100,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 3 * time.Second,
	}
}
