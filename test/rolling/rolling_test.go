package rolling

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"mfa-enrollment/test/long"
	"mfa-enrollment/test/world"
)

// Two replicas behind a load balancer are replaced three times each, while
// people enroll. With a SHUTDOWN_DELAY of three seconds and a load balancer that
// looks once a second, no request may fail.
func TestRollingLosesNoRequest(t *testing.T) {
	long.Only(t, "takes a minute")
	// A machine that is too slow for so many a second has no more than inFlight at
	// work: this test is about replicas that go, not about overload.
	const people, perSecond, inFlight, rounds, delay = 3000, 50, 16, 3, 3 * time.Second
	w := world.Prepare(t, world.Crowd(people))
	settings := map[string]string{
		"SHUTDOWN_DELAY": delay.String(), "COGNITO_WRITE_RPS": "1000", "ACCOUNT_LABEL": "username",
	}
	maps.Copy(settings, world.StartRedis(t).Settings())
	b := newBalancer(t)
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	start := func() (*world.World, *backend) {
		r := w.Replica(settings)
		one := b.add(r.URL, r.Admin)
		w.Await("taken by the balancer", func() bool { return b.isHealthy(one) })
		return r, one
	}
	var replicas []*world.World
	for range 2 {
		r, _ := start()
		replicas = append(replicas, r)
	}

	var sent, failed, late atomic.Int64
	over, begin := make(chan struct{}), time.Now()
	var all sync.WaitGroup
	working := make(chan struct{}, inFlight)
	all.Go(func() {
		tick := time.NewTicker(time.Second / perSecond)
		defer tick.Stop()
		for i := range people {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			working <- struct{}{}
			all.Go(func() {
				defer func() { <-working }()
				token := w.Token(world.Optional, world.OptionalClient, world.Person(i))
				if err := enroll(w, front.URL, token, &sent, &late); err != nil {
					failed.Add(1)
					t.Log(err)
				}
			})
		}
	})
	for range rounds {
		for i := range replicas {
			// The new one first, as a rolling update does it.
			r, _ := start()
			replicas[i].Stop()
			replicas[i] = r
		}
	}
	close(over)
	all.Wait()
	enrollments := float64(sent.Load()) / 2 / time.Since(begin).Seconds()
	if sent.Load() < 100 {
		t.Errorf("only %d requests were sent", sent.Load())
	}
	switch n := failed.Load(); {
	case n > 0 && b.slowest > delay-lookEvery:
		t.Skipf("this machine is too slow: the balancer looked every %v only, and %d enrollments failed", b.slowest, n)
	case n > 0:
		t.Errorf("%d enrollments failed", n)
	}
	t.Logf("%d replicas replaced at %.0f enrollments a second; %d requests, %d reached no replica, %d enrollments failed, %d requests took over a second",
		2*rounds, enrollments, sent.Load(), b.failed, failed.Load(), late.Load())
}

// enroll starts an enrollment and verifies it, without trying anything twice.
func enroll(w *world.World, url, token string, sent, late *atomic.Int64) error {
	var started struct{ Secret string }
	if err := post(url+"/v1/mfa/totp", token, map[string]any{}, &started, sent, late); err != nil {
		return err
	}
	code, err := totp.GenerateCode(started.Secret, w.Clock.Now())
	if err != nil {
		return err
	}
	return post(url+"/v1/mfa/totp/verify", token, map[string]any{"code": code}, nil, sent, late)
}

func post(url, token string, body, reply any, sent, late *atomic.Int64) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	sent.Add(1)
	begin := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if time.Since(begin) > time.Second {
		late.Add(1)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %d %s", url, response.StatusCode, text)
	}
	if reply == nil {
		return nil
	}
	return json.Unmarshal(text, reply)
}
