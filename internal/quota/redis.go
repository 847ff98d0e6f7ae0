package quota

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/redislink"
)

//go:embed bucket.lua
var bucketScript string

// withConstants puts the constants that the script shares with memory.go and
// rate.go before it.
func withConstants(script string) string {
	return fmt.Sprintf("local BURST_OVER, URGENT_OVER, GRACE_OVER, SESSION_RESERVE, STRANGERS_SHARE = %g, %g, %g, %g, %g\nlocal DECREASE, REGAIN, LOWEST_RATE, MEASURE_OVER = %g, %g, %g, %g\n",
		burstOver.Seconds(), urgentOver.Seconds(), graceOver.Seconds(), sessionReserve.Seconds(), strangersShare, decrease, regain.Seconds(), lowestRate, measureOver.Seconds()) + script
}

// SharedQuota is where the replicas of one AWS account and region share the
// quota.
type SharedQuota struct {
	Redis *redislink.Subsystem
	// Name tells the quotas in one Redis apart: the region.
	Name string
}

// redisBucket is a bucket in Redis. While Redis does not answer, the replica has
// a bucket of its own with the whole rate, as if it were the only one, and learns
// from Cognito's refusals that it is not.
type redisBucket struct {
	SharedQuota
	limit  float64
	script *redis.Script
	alone  *memoryBucket
	failed func() // called each time that Redis did not answer

	now   func() time.Time
	tells bool // the time, instead of asking Redis; for tests

	mu   sync.Mutex
	told rate // by Redis, at the last answer
	away bool // Redis did not answer the last time
}

func newRedisBucket(q SharedQuota, limit float64, failed func()) *redisBucket {
	return &redisBucket{
		SharedQuota: q, limit: limit, now: time.Now, script: redis.NewScript(withConstants(bucketScript)),
		alone: newMemoryBucket(limit, time.Now), failed: failed, told: rate{limit: limit},
	}
}

func (b *redisBucket) take(ctx context.Context, requests ...request) []answer {
	if answers, ok := b.run(ctx, "take", -1, requests); ok {
		return answers
	}
	return b.alone.take(ctx, requests...)
}

func (b *redisBucket) throttle(ctx context.Context, took time.Duration) {
	if _, ok := b.run(ctx, "throttle", took.Seconds(), nil); !ok {
		b.alone.throttle(ctx, took)
	}
}

func (b *redisBucket) rate() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return b.alone.rate()
	}
	return b.told.at(b.now())
}

// run runs the script, in one round trip. It reports false when Redis did not
// answer.
func (b *redisBucket) run(ctx context.Context, operation string, took float64, requests []request) ([]answer, bool) {
	now := 0.0
	if b.tells {
		now = float64(b.now().UnixNano()) / 1e9
	}
	keys, args := []string{b.Redis.Key(b.Name)}, []any{b.limit, took, now}
	for _, r := range requests {
		keys = append(keys, b.Redis.Key(b.Name, "position", r.holder()), b.Redis.Key(b.Name, "session", r.session))
		args = append(args, int(r.rank), r.price, r.position, r.horizon.Seconds(), r.session != "", r.reserve)
	}
	var answers []answer
	var told rate
	// A request's budget for Redis is for its own work, not for waiting here.
	ok := b.Redis.Do(redislink.WithoutBudget(ctx), operation, func(ctx context.Context, client redis.UniversalClient) error {
		reply, err := b.script.Run(ctx, client, keys, args...).StringSlice()
		if err == nil {
			answers, told, err = parseReply(reply, len(requests), b.now())
		}
		return err
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away = !ok; !ok {
		b.failed()
		return nil, false
	}
	told.limit = b.limit
	b.told = told
	return answers, true
}

// parseReply reads the script's reply: see there.
func parseReply(reply []string, requests int, now time.Time) ([]answer, rate, error) {
	if len(reply) != 2+5*requests {
		return nil, rate{}, fmt.Errorf("%w: its length is %d", redislink.ErrReply, len(reply))
	}
	numbers := make([]float64, len(reply))
	for i, s := range reply {
		var err error
		if numbers[i], err = strconv.ParseFloat(strings.TrimSpace(s), 64); err != nil {
			return nil, rate{}, fmt.Errorf("%w: not a number", redislink.ErrReply)
		}
	}
	told := rate{sustained: numbers[0]}
	if since := numbers[1]; since >= 0 {
		told.refused = now.Add(-time.Duration(since * float64(time.Second)))
	}
	answers := make([]answer, requests)
	for i := range answers {
		n := numbers[2+5*i:]
		answers[i] = answer{granted: n[0] == 1, retry: seconds(n[1]), turn: seconds(n[2]), position: n[3], expired: n[4] == 1}
	}
	return answers, told, nil
}
