package limit

import (
	"context"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
)

// patience bounds how long Redis may take; a person waits.
const patience = 300 * time.Millisecond

// Redis keeps allowances where all replicas see them. While Redis is out of
// reach each replica keeps its own.
type Redis struct {
	limiter *redis_rate.Limiter
	local   *Memory
	healthy func() bool
	failed  func(operation string)
}

var _ enroll.Limiter = (*Redis)(nil)

// RedisOptions configures a Redis.
type RedisOptions struct {
	Client redis.UniversalClient
	Local  *Memory
	// Healthy says whether it is worth asking Redis.
	Healthy func() bool
	// Failed is called once for each failure that was survived.
	Failed func(operation string)
}

// NewRedis makes a limiter. It does not dial.
func NewRedis(o RedisOptions) *Redis {
	return &Redis{limiter: redis_rate.NewLimiter(o.Client), local: o.Local, healthy: o.Healthy, failed: o.Failed}
}

// Take implements enroll.Limiter.
func (r *Redis) Take(ctx context.Context, g enroll.Guard, caller string) (left int, wait time.Duration) {
	result, ok := r.add(ctx, g, caller, 1)
	switch {
	case !ok:
		return r.local.Take(ctx, g, caller)
	case result.Allowed == 0:
		return 0, max(result.RetryAfter, time.Millisecond)
	}
	return result.Remaining, 0
}

// Left implements enroll.Limiter.
func (r *Redis) Left(ctx context.Context, g enroll.Guard, caller string) int {
	result, ok := r.add(ctx, g, caller, 0)
	if !ok {
		return r.local.Left(ctx, g, caller)
	}
	return result.Remaining
}

// GiveBack implements enroll.Limiter.
func (r *Redis) GiveBack(ctx context.Context, g enroll.Guard, caller string) {
	if _, ok := r.add(ctx, g, caller, -1); !ok {
		r.local.GiveBack(ctx, g, caller)
	}
}

// add takes n from a bucket, gives back where n is negative, or only looks: the library's
// script moves the time at which the bucket is full again, either way.
func (r *Redis) add(ctx context.Context, g enroll.Guard, caller string, n int) (*redis_rate.Result, bool) {
	if !r.healthy() {
		return nil, false
	}
	// A caller who leaves is no failure of Redis, and what was taken is counted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	result, err := r.limiter.AllowN(ctx, g.Name+":"+caller, redis_rate.Limit{Rate: 1, Burst: g.Burst, Period: g.Interval}, n)
	if err != nil {
		r.failed("limit")
		return nil, false
	}
	return result, true
}
