package app_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"mfa-enrollment/test/world"
)

// The order in which a replica goes: not ready, connections told to close, then
// no listener. Load balancers need the time between.
func TestAReplicaThatStopsFailsReadinessFirst(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			// Far longer than the test: the end of its context ends the delay.
			w := world.New(t, map[string]string{"SHUTDOWN_DELAY": "10m"})
			protocols := &http.Protocols{}
			protocols.SetHTTP1(!http2)
			protocols.SetUnencryptedHTTP2(http2)
			client, dialed := counting(protocols)
			t.Cleanup(client.CloseIdleConnections)
			for range 2 {
				get(t, client, w.URL)
			}
			if dialed.Load() != 1 {
				t.Fatalf("%d connections before the stop, want 1", dialed.Load())
			}

			ctx, endDelay := context.WithCancel(t.Context())
			stopped := make(chan error)
			go func() { stopped <- w.App.Stop(ctx) }()
			w.Await("not ready", func() bool { return w.Send("GET", w.Admin+"/readyz", nil).Status == 503 })
			if r := w.Send("GET", w.Admin+"/healthz", nil); r.Status != 200 {
				t.Errorf("healthz: %d", r.Status)
			}
			r := get(t, client, w.URL)
			if !http2 && !r.Close {
				t.Error("the connection was not told to close")
			}
			w.Await("a connection of its own", func() bool { get(t, client, w.URL); return dialed.Load() > 1 })

			endDelay()
			if err := <-stopped; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if c, err := net.Dial("tcp", w.App.Addr()); err == nil {
				_ = c.Close()
				t.Error("it still listens")
			}
		})
	}
}

func TestAStopLastsAsLongAsItsDelay(t *testing.T) {
	t.Parallel()
	const delay = 300 * time.Millisecond
	a := newApp(t, map[string]string{"SHUTDOWN_DELAY": delay.String()})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := a.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took < delay {
		t.Errorf("the listeners closed after %v", took)
	}
}

// A delay longer than what the caller of Stop allows must not hold it up.
func TestTheContextOfStopBoundsTheDelay(t *testing.T) {
	t.Parallel()
	a := newApp(t, map[string]string{"SHUTDOWN_DELAY": "10m"})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = a.Stop(ctx) // That not everything finished in time is not the point here.
	if c, err := net.Dial("tcp", a.Addr()); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
}

// counting is a client that counts the connections that it opens.
func counting(protocols *http.Protocols) (client *http.Client, dialed *atomic.Int64) {
	dialed = new(atomic.Int64)
	return &http.Client{Transport: &http.Transport{
		Protocols: protocols,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialed.Add(1)
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, addr)
		},
	}}, dialed
}

func get(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	response, err := client.Get(url + "/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("status %d", response.StatusCode)
	}
	return response
}
