package app_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// unreachable is an environment whose Cognito never answers, so that nothing but
// the application itself is at work.
func unreachable(change map[string]string) map[string]string {
	env := map[string]string{
		"ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0", "COGNITO_ENDPOINT": "http://127.0.0.1:1",
		"COGNITO_USER_POOL_IDS": "eu-west-1_AbCdEfGhI", "COGNITO_CLIENT_IDS": "client1", "TOTP_ISSUER": "Example",
	}
	for name, value := range change {
		env[name] = value
	}
	return env
}

func configured(t *testing.T, change map[string]string) app.Config {
	t.Helper()
	env := unreachable(change)
	config, err := app.LoadConfig(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func newApp(t *testing.T, change map[string]string) *app.App {
	t.Helper()
	a, err := app.New(configured(t, change), app.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Stop(context.Background()) })
	return a
}

// wantNothingLeft fails the test when goroutines are left that do was the cause
// of. One that was told to end may take a moment.
func wantNothingLeft(t *testing.T, do func()) {
	t.Helper()
	before := runtime.NumGoroutine()
	do()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-deadline:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestANewThatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]string{
		"memory":     {},
		"no store":   {"PENDING_TTL": "0"},
		"Redis":      {"REDIS_URL": "redis://127.0.0.1:1", "SEAL_KEYS": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
		"with spans": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			config := configured(t, change)
			// The files are gone since the configuration was read.
			config.TLSCertFile, config.TLSKeyFile = "/nonexistent/cert.pem", "/nonexistent/key.pem"
			wantNothingLeft(t, func() {
				if a, err := app.New(config, app.Options{}); err == nil || a != nil {
					t.Errorf("%v, %v", a, err)
				}
			})
		})
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	wantNothingLeft(t, func() {
		t.Run("an enrollment", func(t *testing.T) {
			w := world.New(t, map[string]string{"ACCOUNT_LABEL": "username"})
			w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
		})
		http.DefaultClient.CloseIdleConnections() // The test's own, and those that fetched the keys.
	})
}

func TestAddrIsEmptyBeforeStart(t *testing.T) {
	t.Parallel()
	a := newApp(t, nil)
	if a.Addr() != "" || a.AdminAddr() != "" {
		t.Errorf("%q, %q", a.Addr(), a.AdminAddr())
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{a.Addr(), a.AdminAddr()} {
		if _, port, err := net.SplitHostPort(addr); err != nil || port == "0" {
			t.Errorf("%q after Start", addr)
		}
	}
}

func TestStopMayComeBeforeStartAndAgain(t *testing.T) {
	t.Parallel()
	a := newApp(t, nil)
	for range 2 {
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := a.Start(t.Context()); err == nil {
		t.Error("it starts after Stop")
	}
	if a.Addr() != "" {
		t.Errorf("it listens on %s", a.Addr())
	}
}

func TestStartWorksOnce(t *testing.T) {
	t.Parallel()
	a := newApp(t, nil)
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	addr := a.Addr()
	if err := a.Start(t.Context()); err == nil {
		t.Error("it starts twice")
	}
	if a.Addr() != addr {
		t.Errorf("it moved from %s to %s", addr, a.Addr())
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAStartThatFailsHalfWayGivesEverythingBack(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, name := range []string{"ADDR", "ADMIN_ADDR"} {
		t.Run(name, func(t *testing.T) {
			// Another process can take the free address meanwhile, but not each time.
			var err error
			for range 5 {
				if err = failHalfWay(t, name, taken.Addr().String()); err == nil {
					return
				}
			}
			t.Error(err)
		})
	}
}

// failHalfWay starts an App one of whose addresses is taken, and holds it to what
// must be free afterwards: the other address, and all else.
func failHalfWay(t *testing.T, name, taken string) error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	config := configured(t, map[string]string{"ADDR": addr, "ADMIN_ADDR": addr, name: taken})
	var failed error
	wantNothingLeft(t, func() {
		a, err := app.New(config, app.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(t.Context()); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			failed = fmt.Errorf("the error is %w", err)
		}
		if again, err := net.Listen("tcp", addr); err != nil {
			failed = fmt.Errorf("the other address is not free: %w", err)
		} else {
			_ = again.Close()
		}
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return failed
}

func TestStartAndStopAtOnce(t *testing.T) {
	t.Parallel()
	config := configured(t, nil)
	wantNothingLeft(t, func() {
		for range 20 {
			a, err := app.New(config, app.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var both sync.WaitGroup
			both.Go(func() { _ = a.Start(t.Context()) })
			both.Go(func() { _ = a.Stop(t.Context()) })
			both.Wait()
			if err := a.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// held is a transport that holds the one call to Cognito until it is released.
type held struct{ called, release chan struct{} }

func (h *held) RoundTrip(r *http.Request) (*http.Response, error) {
	close(h.called)
	<-h.release
	return http.DefaultTransport.RoundTrip(r)
}

// A load balancer must hear "not ready" for as long as the last requests take.
func TestTheAdminAddressOutlivesTheAPI(t *testing.T) {
	t.Parallel()
	w := world.Prepare(t, cognitotest.Options{})
	h := &held{called: make(chan struct{}), release: make(chan struct{})}
	w.Options.Transport = h
	w.Run(map[string]string{"ACCOUNT_LABEL": "username"})
	w.WaitReady()
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	started := make(chan world.Reply)
	go func() { started <- w.Begin(token, nil) }()
	<-h.called
	stopped := make(chan error)
	go func() { stopped <- w.App.Stop(context.Background()) }()
	w.Await("not ready", func() bool { return w.Send("GET", w.Admin+"/readyz", nil).Status == 503 })
	if r := w.Send("GET", w.Admin+"/healthz", nil); r.Status != 200 {
		t.Errorf("healthz: %d", r.Status)
	}
	close(h.release)
	if r := <-started; r.Status != 201 {
		t.Errorf("the request in flight: %d %s", r.Status, r.Body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	var out, errs world.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	status := make(chan int)
	go func() {
		status <- app.Run(ctx, world.Environ(unreachable(nil)), &out, &errs)
	}()
	for !strings.Contains(out.String(), `"msg":"started"`) {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if got := <-status; got != 0 || !strings.Contains(out.String(), `"msg":"stopped"`) || errs.String() != "" {
		t.Errorf("status %d: %s%s", got, out.String(), errs.String())
	}
}
