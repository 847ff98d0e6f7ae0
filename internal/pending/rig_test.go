package pending

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"reflect"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/seal"
)

// rig is what stores under test are given, and what they told.
type rig struct {
	mu         sync.Mutex
	now        time.Time
	unreadable int
	failures   map[string]int
	log        bytes.Buffer
}

func newRig() *rig {
	return &rig{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), failures: map[string]int{}}
}

func (r *rig) options(keys ...[]byte) Options {
	return Options{SealKeys: keys, Now: r.clock, Unreadable: func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unreadable++
	}}
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// RedisFailed implements redislink.Metrics.
func (r *rig) RedisFailed(_, operation string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures[operation]++
}

// RedisTook implements redislink.Metrics.
func (r *rig) RedisTook(string, time.Duration) {}

// Write takes the log.
func (r *rig) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

func (r *rig) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// expect holds what was counted so far against what it should be.
func (r *rig) expect(t *testing.T, unreadable int, failures map[string]int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unreadable != unreadable {
		t.Errorf("%d entries were unreadable, want %d", r.unreadable, unreadable)
	}
	if !maps.Equal(r.failures, failures) {
		t.Errorf("the failures are %v, want %v", r.failures, failures)
	}
}

// enrollment is one with secrets that a dump can be searched for, and nothing
// that is zero.
func (r *rig) enrollment(name string) enroll.Pending {
	now := r.clock()
	return enroll.Pending{
		Name:        name,
		SignIn:      "sign-in of " + name,
		Secret:      enroll.Secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPABCD"),
		Session:     enroll.Secret("AYABeSession-" + name + "-0123456789abcdef"),
		AccountName: "ada@example.com",
		Started:     now,
		Ends:        now.Add(10 * time.Minute),
		Expires:     now.Add(15 * time.Minute),
		Renewals:    2,
		Replaces:    true,
		Tries:       enroll.Tries{Count: 3, Ends: now.Add(time.Minute)},
		Earlier:     []enroll.Earlier{{Secret: "EARLIERSECRETEARLIERSECRETEARLIER", SignIn: "earlier sign-in"}},
		Code:        "hash of a code",
	}
}

// newLink opens a replica's link to Redis.
func newLink(t *testing.T, r *rig, url enroll.Secret) *redislink.Link {
	t.Helper()
	l, err := redislink.Open(url, redislink.Options{
		Logger: slog.New(slog.NewTextHandler(r, nil)), Metrics: r, LookEvery: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// newRedis makes a store with one seal key, as a replica of its own.
func newRedis(t *testing.T, r *rig, url enroll.Secret) *Redis {
	t.Helper()
	return newRedisWith(t, newLink(t, r, url), r.options(sealKey(1)))
}

func newRedisWith(t *testing.T, l *redislink.Link, o Options) *Redis {
	t.Helper()
	s, err := NewRedis(l.Subsystem(redislink.Pending), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func newMemory(t testing.TB, o Options) *Memory {
	t.Helper()
	m, err := NewMemory(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func sealKey(fill byte) []byte { return bytes.Repeat([]byte{fill}, seal.KeySize) }

// save keeps an enrollment as the domain does, and reports whether that was done.
func save(s enroll.Store, p enroll.Pending, alias string) bool {
	h := s.Hold(context.Background(), p.Name)
	h.Save(p, alias)
	return h.Release(context.Background())
}

// verified is what is kept of an enrollment after its code was right.
func verified(p enroll.Pending) enroll.Pending {
	p.Done, p.Secret = true, ""
	return p
}

// same compares without printing: %v of a Secret is redacted.
func same(t *testing.T, what string, got, want enroll.Pending) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s: %s differs", what, g.Type().Field(i).Name)
		}
	}
}

func expectFound(t *testing.T, s enroll.Store, name string, want enroll.Pending) {
	t.Helper()
	if got, ok := s.Find(context.Background(), name); !ok {
		t.Errorf("nothing is found under %q", name)
	} else {
		same(t, name, got, want)
	}
}

func expectAbsent(t *testing.T, s enroll.Store, name string) {
	t.Helper()
	if _, ok := s.Find(context.Background(), name); ok {
		t.Errorf("something is found under %q, want nothing", name)
	}
}

// eventually waits for what another process or goroutine does. Its patience is
// for broken code, not for slow machines.
func eventually(t *testing.T, what string, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if true() {
			return
		}
	}
	t.Fatalf("it never happened that %s", what)
}
