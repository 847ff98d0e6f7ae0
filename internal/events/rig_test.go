package events

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/test/standin"
)

// The secrets of the tests, as Standard Webhooks writes them.
const (
	oldSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newSecret = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldy1zZWNyZXQh"
)

func secrets(t testing.TB, all ...enroll.Secret) (raw [][]byte) {
	t.Helper()
	for _, s := range all {
		key, err := ParseSecret(s)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, key)
	}
	return raw
}

const took = -1

// delivery is one attempt that reached the receiver.
type delivery struct {
	id, eventType, person string
	at                    time.Time
	took                  bool // it has the event
}

// receiver of the tests: it holds each request against a library that we did not
// write, and against the schema, and answers as it is told.
type testReceiver struct {
	t      testing.TB
	secret string
	// answer is the status of the n-th request. 0 breaks the connection, and took
	// does so after the receiver took the event.
	answer func(n int) int
	mu     sync.Mutex
	got    []delivery
	pause  time.Duration
}

func (r *testReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	status := r.take(request.Header, body)
	if status <= 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

// RoundTrip is the receiver without a network, so that virtual time can pass.
func (r *testReceiver) RoundTrip(request *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	pause := r.pause
	r.mu.Unlock()
	select {
	case <-time.After(pause + 20*time.Millisecond):
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
	status := r.take(request.Header, body)
	if status <= 0 {
		return nil, io.ErrUnexpectedEOF
	}
	w := httptest.NewRecorder()
	w.WriteHeader(status)
	return w.Result(), nil
}

func (r *testReceiver) take(header http.Header, body []byte) (status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	status = 200
	if r.answer != nil {
		status = r.answer(len(r.got))
	}
	webhook, err := standardwebhooks.NewWebhook(r.secret)
	if err != nil {
		r.t.Error(err)
	}
	if err := webhook.Verify(body, header); err != nil {
		r.t.Errorf("the library refuses the signature: %v", err)
	}
	var d document
	if err := json.Unmarshal(body, &d); err != nil {
		r.t.Error(err)
	}
	if d.ID != header.Get("webhook-id") {
		r.t.Errorf("the id is %q, webhook-id %q", d.ID, header.Get("webhook-id"))
	}
	holdsToSchema(r.t, body)
	r.got = append(r.got, delivery{d.ID, d.Type, d.Subject + d.Data.Username, time.Now(), status/100 == 2 || status == took})
	return status
}

// taken are the events that the receiver took, in order, without repetitions.
func (r *testReceiver) taken() (order []delivery, often map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	often = map[string]int{}
	for _, d := range r.got {
		if d.took {
			if often[d.id]++; often[d.id] == 1 {
				order = append(order, d)
			}
		}
	}
	return order, often
}

func (r *testReceiver) count() int {
	order, _ := r.taken()
	return len(order)
}

// set changes how the receiver behaves.
func (r *testReceiver) set(pause time.Duration, answer func(int) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pause, r.answer = pause, answer
}

// counts is what an outbox counted.
type counts struct {
	mu  sync.Mutex
	all map[string]int
	log bytes.Buffer

	clock *standin.Clock // of the outbox that counts here
}

func (c *counts) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]int{}
	}
	c.all[name]++
}

func (c *counts) EventHappened(string) { c.add("happened") }

func (c *counts) EventAttempted(result string, _ time.Duration) { c.add(result) }

func (c *counts) EventDropped(reason string) { c.add("dropped " + reason) }

func (c *counts) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[name]
}

func (c *counts) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.all)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, c.all[name]))
	}
	return strings.Join(parts, ", ")
}

func (c *counts) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(line)
}

func (c *counts) logged() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}

var sealKey = bytes.Repeat([]byte{7}, 32)

// newOutbox makes an outbox that sends to a URL, or, where transport is given,
// without a network.
func newOutbox(t testing.TB, url string, transport http.RoundTripper, redis *redislink.Subsystem) (*Outbox, *counts) {
	t.Helper()
	c := &counts{clock: standin.NewClockOver(time.Now)}
	b, err := New(Options{
		URL: enroll.Secret(url), Secrets: secrets(t, oldSecret, newSecret), SealKeys: [][]byte{sealKey}, Redis: redis,
		Metrics: c, Logger: slog.New(slog.NewTextHandler(c, nil)), Now: c.clock.Now, UserAgent: "test", Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, c
}

// person is the i-th of the tests' people: every third is known by name alone.
func person(i int) enroll.Person {
	if i%3 == 2 {
		return enroll.Person{ClientID: "client", Username: fmt.Sprint("person", i)}
	}
	return enroll.Person{PoolID: "eu-west-1_AbCdEfGhI", Subject: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), ClientID: "client"}
}

// happening is the n-th event of a person.
func happening(i, n int) enroll.Event {
	types := enroll.EventTypes()
	return enroll.Event{
		Type: types[n%len(types)], At: time.Now(), Person: person(i), Flow: enroll.FlowToken,
		Address: "203.0.113.9", DeviceName: fmt.Sprint("phone ", n),
	}
}

// seeded is a source of random failures that a failed test can be run with again.
func seeded(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func closed(b *Outbox) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b.Close(ctx)
}

// eventually waits for what another process or goroutine does. Its patience is for
// broken code, not for slow machines.
func eventually(t testing.TB, what string, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if true() {
			return
		}
	}
	t.Fatalf("it never happened that %s", what)
}

// base64Of is what a secret is without its prefix.
func base64Of(key []byte) string { return base64.StdEncoding.EncodeToString(key) }
