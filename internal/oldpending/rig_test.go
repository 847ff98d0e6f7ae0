package pending

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

// rig is what a store under test is given, and what it told.
type rig struct {
	mu       sync.Mutex
	now      time.Time
	failures map[string]int
	log      bytes.Buffer
}

func newRig() *rig {
	return &rig{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), failures: map[string]int{}}
}

func (r *rig) options(keys ...[]byte) Options {
	return Options{SealKeys: keys, Now: r.clock, Failed: r.failed}
}

func (r *rig) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r, nil)) }

// RedisFailed implements redislink.Metrics.
func (r *rig) RedisFailed(_, operation string) { r.failed(operation) }

// RedisTook implements redislink.Metrics.
func (r *rig) RedisTook(string, time.Duration) {}

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

func (r *rig) failed(operation string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures[operation]++
}

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

func (r *rig) told() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.failures)
}

// expectFailures holds what Failed was told so far against what it should be.
func (r *rig) expectFailures(t *testing.T, want map[string]int) {
	t.Helper()
	if got := r.told(); !maps.Equal(got, want) {
		t.Errorf("Failed was told of %v, want %v", got, want)
	}
}

// enrollment is one with a secret and a session that a dump can be searched for.
func (r *rig) enrollment(keys ...string) enroll.Pending {
	return enroll.Pending{
		Keys:        keys,
		Secret:      enroll.Secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPABCD"),
		Session:     enroll.Secret("AYABeSession-" + keys[0] + "-0123456789abcdef"),
		AccountName: "ada@example.com",
		Started:     r.clock(),
		Expires:     r.clock().Add(15 * time.Minute),
	}
}

func sealKey(fill byte) []byte { return bytes.Repeat([]byte{fill}, sealKeySize) }

// same compares enrollments; %v of one is redacted, so it tells which member
// differs.
func same(a, b enroll.Pending) error {
	switch {
	case fmt.Sprint(a.Keys) != fmt.Sprint(b.Keys):
		return fmt.Errorf("the keys are %v, want %v", a.Keys, b.Keys)
	case a.Secret != b.Secret:
		return fmt.Errorf("the secret is another")
	case a.Session != b.Session:
		return fmt.Errorf("the session is another")
	case a.AccountName != b.AccountName:
		return fmt.Errorf("the account name is %q, want %q", a.AccountName, b.AccountName)
	case !a.Started.Equal(b.Started), !a.Expires.Equal(b.Expires):
		return fmt.Errorf("it lasts from %v to %v, want %v to %v", a.Started, a.Expires, b.Started, b.Expires)
	default:
		return nil
	}
}

func expectFound(t *testing.T, s enroll.Store, key string, want enroll.Pending) {
	t.Helper()
	got, ok := s.Load(context.Background(), key)
	if !ok {
		t.Errorf("nothing is found under %q", key)
	} else if err := same(got, want); err != nil {
		t.Errorf("under %q: %v", key, err)
	}
}

func expectAbsent(t *testing.T, s enroll.Store, key string) {
	t.Helper()
	if got, ok := s.Load(context.Background(), key); ok {
		t.Errorf("%v is found under %q, want nothing", got, key)
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
