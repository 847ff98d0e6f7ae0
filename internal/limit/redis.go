package limit

import (
	"context"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
)

// Redis keeps allowances where all replicas see them. While Redis does not answer
// each replica keeps its own.
type Redis struct {
	redis *redislink.Subsystem
	local *Memory
}

var _ enroll.Limiter = (*Redis)(nil)

// NewRedis makes a limiter, and local is what it uses while Redis does not answer.
func NewRedis(link *redislink.Subsystem, local *Memory) *Redis { return &Redis{link, local} }

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
func (r *Redis) add(ctx context.Context, g enroll.Guard, caller string, n int) (result *redis_rate.Result, answered bool) {
	answered = r.redis.Do(ctx, "limit", func(ctx context.Context, c redis.UniversalClient) (err error) {
		limit := redis_rate.Limit{Rate: 1, Burst: g.Burst, Period: g.Interval}
		result, err = redis_rate.NewLimiter(c).AllowN(ctx, g.Name+":"+caller, limit, n)
		return err
	})
	if !answered {
		return nil, false
	}
	return result, true
}
