package rolling

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// balancer is a load balancer that is no cleverer than those of the clouds: it
// asks /readyz once a second, sends requests to the backends in turn that
// answered 200 last, keeps connections open, and repeats nothing.
type balancer struct {
	http.Handler
	mu       sync.Mutex
	backends []*backend
	turn     int
	failed   int // requests that reached no backend
	looked   time.Time
	slowest  time.Duration // between two looks
}

type backend struct {
	url     *url.URL
	readyz  string
	healthy bool
}

// lookEvery is how often the balancer asks for readiness.
const lookEvery = time.Second

func newBalancer(t *testing.T) *balancer {
	b := &balancer{}
	b.Handler = &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(b.next()) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			t.Logf("502: %v", err)
			b.mu.Lock()
			b.failed++
			b.mu.Unlock()
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	go func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			b.look()
			select {
			case <-tick.C:
			case <-t.Context().Done():
				return
			}
		}
	}()
	return b
}

// add makes a backend known; it gets requests once it is ready.
func (b *balancer) add(addr, admin string) *backend {
	u, err := url.Parse(addr)
	if err != nil {
		panic(err)
	}
	one := &backend{url: u, readyz: admin + "/readyz"}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = append(b.backends, one)
	return one
}

// isHealthy tells whether a backend gets requests.
func (b *balancer) isHealthy(one *backend) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return one.healthy
}

func (b *balancer) look() {
	b.mu.Lock()
	backends := append([]*backend(nil), b.backends...)
	b.mu.Unlock()
	client := &http.Client{Timeout: lookEvery}
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.looked.IsZero() {
			b.slowest = max(b.slowest, time.Since(b.looked))
		}
		b.looked = time.Now()
	}()
	for _, one := range backends {
		r, err := client.Get(one.readyz)
		if err == nil {
			_ = r.Body.Close()
		}
		b.mu.Lock()
		one.healthy = err == nil && r.StatusCode == http.StatusOK
		b.mu.Unlock()
	}
	client.CloseIdleConnections()
}

// next is the backend whose turn it is, or the last known if none is healthy.
func (b *balancer) next() *url.URL {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.backends {
		b.turn = (b.turn + 1) % len(b.backends)
		if b.backends[b.turn].healthy {
			break
		}
	}
	return b.backends[b.turn].url
}
