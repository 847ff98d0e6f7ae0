package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// caller makes the requests of one candidate. Each has the token of the next
// person, so that no limit of one person is reached.
type caller struct {
	http    *http.Client
	request func(token string) (*http.Request, error)
	status  int    // of a good reply
	holds   string // in the body of a good reply
	tokens  []string
	next    atomic.Int64
}

// connections is how many requests are under way at full load.
const connections = 8

func newCaller(tokens []string, status int, holds string, request func(token string) (*http.Request, error)) *caller {
	return &caller{
		http:    &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}, Timeout: 10 * time.Second},
		request: request, status: status, holds: holds, tokens: tokens,
	}
}

// call makes one request, and fails unless its reply is a good one.
func (c *caller) call(ctx context.Context) error {
	r, err := c.request(c.tokens[int(c.next.Add(1))%len(c.tokens)])
	if err != nil {
		return err
	}
	reply, err := c.http.Do(r.WithContext(ctx))
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	if reply.StatusCode != c.status || !bytes.Contains(body, []byte(c.holds)) {
		return fmt.Errorf("%s: %s: %.300s", r.URL, reply.Status, body)
	}
	return nil
}

// busy makes n requests, each connection's next one when its last is answered,
// or as many as fit in the time. It tells how many.
func (c *caller) busy(ctx context.Context, n int, longest time.Duration) (int, error) {
	var begun, done atomic.Int64
	failures := make([]error, connections)
	end := time.Now().Add(longest)
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			for int(begun.Add(1)) <= n && time.Now().Before(end) {
				if failures[i] = c.call(ctx); failures[i] != nil {
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	return int(done.Load()), errors.Join(failures...)
}

// steady makes n requests, rate of them a second, whether or not the ones before
// were answered, and tells how long each took.
func (c *caller) steady(ctx context.Context, n, rate int) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	failures := make([]error, n)
	clock := time.NewTicker(time.Second / time.Duration(rate))
	defer clock.Stop()
	var all sync.WaitGroup
	for i := range n {
		<-clock.C
		all.Go(func() {
			begin := time.Now()
			failures[i] = c.call(ctx)
			took[i] = time.Since(begin)
		})
	}
	all.Wait()
	return took, errors.Join(failures...)
}

// median is the middle of some measurements.
func median(all []float64) float64 { return percentile(all, 50) }

// percentile is the smallest measurement that p percent do not exceed.
func percentile(all []float64, p int) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
