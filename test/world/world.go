// Package world runs the whole service in a test's process, on loopback and port
// 0, against a stand-in of Amazon Cognito: the real router, the real SDK, real
// sockets, and a clock that the test moves. Tests alone import it.
package world

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/metrics"
	"mfa-enrollment/test/standin"
)

// World is the running service with its Cognito: the real router, the real SDK
// and real sockets, a clock that tests move.
type World struct {
	T        *testing.T
	Cognito  *standin.StandIn
	Clock    *standin.Clock
	Log      *Buffer
	App      *app.App
	URL      string
	Admin    string
	Endpoint string // of the stand-in
	stopped  bool
	Options  app.Options // over the defaults of the tests
}

// The demonstration's pools and clients.
const (
	Optional       = standin.Optional
	OptionalClient = standin.OptionalClient
	Required       = standin.Required
	RequiredClient = standin.RequiredClient
	Password       = standin.Password
)

// New starts a service against a stand-in of its own. settings are
// environment variables over the defaults of the tests.
func New(t *testing.T, settings map[string]string) *World {
	t.Helper()
	return NewWith(t, cognitotest.Options{Pools: cognitotest.DemoPools()}, settings)
}

// NewWith starts a service against a stand-in with these options.
func NewWith(t *testing.T, o cognitotest.Options, settings map[string]string) *World {
	t.Helper()
	w := Prepare(t, o)
	w.Run(settings)
	w.WaitReady()
	return w
}

// Prepare is a world whose service does not run yet.
func Prepare(t *testing.T, o cognitotest.Options) *World {
	t.Helper()
	s := standin.Start(t, o)
	return &World{T: t, Cognito: s, Clock: s.Clock, Log: &Buffer{}, Endpoint: s.URL}
}

// Crowd is the demonstration with n more people in the optional pool.
func Crowd(n int) cognitotest.Options { return standin.Crowd(n) }

// Person is the username of the i-th of a Crowd.
func Person(i int) string { return standin.Person(i) }

// Run starts the application, and stops it when the test ends.
func (w *World) Run(settings map[string]string) {
	w.T.Helper()
	env := map[string]string{
		"ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0",
		"COGNITO_ENDPOINT":       w.Endpoint,
		"COGNITO_USER_POOL_IDS":  Optional + "," + Required,
		"COGNITO_CLIENT_IDS":     OptionalClient + "," + RequiredClient,
		"COGNITO_CLIENT_SECRETS": RequiredClient + "=" + standin.RequiredSecret,
		"TOTP_ISSUER":            "Example",
		"CORS_ALLOWED_ORIGINS":   "https://app.example.com",
	}
	for name, value := range settings {
		env[name] = value
	}
	config, err := app.LoadConfig(func(name string) string { return env[name] })
	if err != nil {
		w.T.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.Options.Logger, w.Options.Build = logger, metrics.BuildInfo{Version: "test", Revision: "test"}
	if w.Options.Now == nil {
		w.Options.Now = w.Clock.Now
	}
	w.App, err = app.New(config, w.Options)
	if err != nil {
		w.T.Fatal(err)
	}
	if err := w.App.Start(w.T.Context()); err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(w.Stop)
	w.URL, w.Admin = "http://"+w.App.Addr(), "http://"+w.App.AdminAddr()
}

// Stop stops the application, once.
func (w *World) Stop() {
	if w.stopped {
		return
	}
	w.stopped = true
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	// Canceled: the test stopped it before, and ended the context of that.
	if err := w.App.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		w.T.Error(err)
	}
}

// WaitReady asks until the keys are there.
func (w *World) WaitReady() {
	w.T.Helper()
	w.Await("ready", func() bool { return w.Send("GET", w.Admin+"/readyz", nil).Status == 200 })
}

// AwaitMetric scrapes until a series has a value.
func (w *World) AwaitMetric(series, value string) {
	w.T.Helper()
	w.Await(series+" "+value, func() bool { return w.Metric(series) == value })
}

// Await looks until something is so.
func (w *World) Await(what string, is func() bool) {
	w.T.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-w.T.Context().Done():
			w.T.Fatalf("never %s", what)
		}
	}
}

// Replica is another process of the same service, as far as one process can be.
func (w *World) Replica(settings map[string]string) *World {
	w.T.Helper()
	r := &World{T: w.T, Cognito: w.Cognito, Clock: w.Clock, Log: w.Log, Endpoint: w.Endpoint}
	r.Run(settings)
	r.WaitReady()
	return r
}

// Environ is an environment as a process has it.
func Environ(env map[string]string) []string {
	var environ []string
	for name, value := range env {
		environ = append(environ, name+"="+value)
	}
	return environ
}
