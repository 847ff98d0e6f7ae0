package app

import (
	"context"
	"net/http"
	"strings"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/limit"
	"mfa-enrollment/internal/pending"
	"mfa-enrollment/internal/quota"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/metrics"
)

// store is where pending enrollments are kept: nowhere, in memory or in Redis;
// and with them the allowances of callers.
type store struct {
	enroll.Store
	enroll.Limiter
	quota  *quota.SharedQuota   // nil: no other replica is known
	events *redislink.Subsystem // nil: no other replica is known
	Len    func() int
	Close  func()
	// note says what is wrong with it although the service goes on, or nothing.
	note func() string
	// look asks Redis once, and says what is wrong with it, or nothing.
	look func(context.Context) string
	// bound bounds what a request waits for Redis.
	bound func(http.Handler) http.Handler
}

// newStore opens the link to Redis where there is one. Without pending
// enrollments to keep the replicas still share the quota and the allowances. now is
// the clock that the enrollments' times are of.
func newStore(c Config, o Options, now func() time.Time, m *metrics.Metrics) (store, error) {
	limits := limit.NewMemory(o.Now)
	s := store{
		Store: enroll.NoStore{}, Limiter: limits,
		Len: func() int { return 0 }, Close: func() {}, note: func() string { return "" },
		look:  func(context.Context) string { return "" },
		bound: func(next http.Handler) http.Handler { return next },
	}
	if c.RedisURL == "" {
		if c.PendingTTL == 0 {
			return s, nil
		}
		memory, err := pending.NewMemory(pendingOptions(c, now, m))
		if err != nil {
			return store{}, err
		}
		s.Store, s.Len, s.Close = memory, memory.Len, memory.Close
		return s, nil
	}
	link, err := redislink.Open(c.RedisURL, redislink.Options{Logger: o.Logger, Metrics: m})
	if err != nil {
		return store{}, err
	}
	s.Limiter = limit.NewRedis(link.Subsystem(redislink.Limit), limits)
	s.quota = &quota.SharedQuota{Redis: link.Subsystem(redislink.Quota), Name: c.region()}
	s.events = link.Subsystem(redislink.Events)
	s.Close, s.look = link.Close, link.Look
	s.bound = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(rw, r.WithContext(redislink.WithBudget(r.Context(), link.Budget())))
		})
	}
	s.note = func() string {
		var lines strings.Builder
		for _, note := range link.Notes() {
			lines.WriteString(note + "\n")
		}
		return lines.String()
	}
	if c.PendingTTL == 0 {
		return s, nil
	}
	shared, err := pending.NewRedis(link.Subsystem(redislink.Pending), pendingOptions(c, now, m))
	if err != nil {
		link.Close()
		return store{}, err
	}
	s.Store, s.Len, s.Close = shared, shared.Len, func() { shared.Close(); link.Close() }
	return s, nil
}

func pendingOptions(c Config, now func() time.Time, m *metrics.Metrics) pending.Options {
	return pending.Options{SealKeys: c.sealKeys(), Now: now, Unreadable: func() { m.StoreFailed(metrics.StoreOpen) }}
}
