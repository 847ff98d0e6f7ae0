package app

import (
	"encoding/base64"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/limit"
	"mfa-enrollment/internal/pending"
	"mfa-enrollment/internal/quota"
	"mfa-enrollment/metrics"
)

// store is where pending enrollments are kept: nowhere, in memory or in Redis;
// and with them the allowances of callers.
type store struct {
	enroll.Store
	enroll.Limiter
	quota *quota.SharedQuota // nil: no other replica is known
	Len   func() int
	Close func()
	// note says what is wrong with it although the service goes on, or nothing.
	note func() string
}

func newStore(c Config, o Options, m *metrics.Metrics) (store, error) {
	none := func() string { return "" }
	limits := limit.NewMemory(o.Now)
	if c.PendingTTL == 0 {
		return store{Store: enroll.NoStore{}, Limiter: limits, Len: func() int { return 0 }, Close: func() {}, note: none}, nil
	}
	options := pending.Options{Now: o.Now, Logger: o.Logger, Failed: m.StoreFailed}
	for _, key := range c.SealKeys {
		raw, err := base64.StdEncoding.DecodeString(key.Reveal())
		if err != nil {
			return store{}, err
		}
		options.SealKeys = append(options.SealKeys, raw)
	}
	if c.RedisURL == "" {
		memory, err := pending.NewMemory(options)
		if err != nil {
			return store{}, err
		}
		return store{Store: memory, Limiter: limits, Len: memory.Len, Close: memory.Close, note: none}, nil
	}
	redis, err := pending.NewRedis(c.RedisURL, options)
	if err != nil {
		return store{}, err
	}
	healthy := func() bool { return redis.Health() == nil }
	shared := limit.NewRedis(limit.RedisOptions{Client: redis.Client(), Local: limits, Healthy: healthy, Failed: m.StoreFailed})
	quota := &quota.SharedQuota{Client: redis.Client(), Healthy: healthy, Name: c.region()}
	return store{Store: redis, Limiter: shared, quota: quota, Len: redis.Len, Close: redis.Close, note: func() string {
		if err := redis.Health(); err != nil {
			return err.Error() + "\n"
		}
		return ""
	}}, nil
}
