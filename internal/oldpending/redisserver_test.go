package pending

import (
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
)

// newLink opens a replica's link to Redis.
func newLink(t *testing.T, r *rig, url enroll.Secret) *redislink.Link {
	t.Helper()
	l, err := redislink.Open(url, redislink.Options{Logger: r.logger(), Metrics: r, LookEvery: 10 * time.Millisecond})
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
