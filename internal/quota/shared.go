package quota

import (
	"context"
	_ "embed"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/redislink"
)

//go:embed shared.lua
var sharedScript string

// SharedQuota is where the replicas of one AWS account and region share the
// quota.
type SharedQuota struct {
	Redis *redislink.Subsystem
	// Name tells the quotas in one Redis apart: the region.
	Name string
}

// sharedAccount is a quota in Redis, under the keys
// mfa-enrollment:{quota:NAME}, …:line and …:until, and one …:seen:HASH for
// each session. While Redis is out of reach the replica has the quota to itself, as if it were the only one, and learns
// from Cognito's refusals that it is not.
type sharedAccount struct {
	SharedQuota
	limit  float64
	script *redis.Script
	keys   []string
	alone  *account
	failed func() // called for each operation that Redis did not answer

	mu       sync.Mutex
	pace     pace // as Redis told it last
	answered bool // by Redis, the last time
}

func newSharedAccount(q SharedQuota, limit float64, failed func()) *sharedAccount {
	key := "mfa-enrollment:{quota:" + q.Name + "}"
	return &sharedAccount{
		SharedQuota: q, limit: limit, script: redis.NewScript(sharedScript), keys: []string{key, key + ":line", key + ":until"},
		alone: newAccount(limit), failed: failed, pace: pace{limit: limit}, answered: true,
	}
}

func (s *sharedAccount) take(ctx context.Context, c claim, credit float64) verdict {
	did := "take"
	if c.look {
		did = "look"
	}
	v, ok := s.run(ctx, did, c, credit, 0)
	if !ok {
		return s.alone.take(ctx, c, credit)
	}
	return v
}

func (s *sharedAccount) leave(ctx context.Context, person string) {
	if _, ok := s.run(ctx, "leave", claim{person: person}, 0, 0); !ok {
		s.alone.leave(ctx, person)
	}
}

func (s *sharedAccount) refused(ctx context.Context, took time.Duration) {
	if _, ok := s.run(ctx, "refused", claim{}, 0, took); !ok {
		s.alone.refused(ctx, took)
	}
}

func (s *sharedAccount) rate() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.answered {
		return s.alone.rate()
	}
	return s.pace.at(time.Now())
}

// run runs the script. It reports false when Redis did not do it, or did not say
// so in time.
func (s *sharedAccount) run(ctx context.Context, did string, c claim, credit float64, took time.Duration) (verdict, bool) {
	var v verdict
	var p pace
	// Waiting in the queue is no work of the request's: its budget is not spent on it.
	answered := s.Redis.Do(redislink.WithoutBudget(ctx), did, func(ctx context.Context, client redis.UniversalClient) error {
		reply, err := s.script.Run(ctx, client, append(s.keys[:3:3], s.keys[0]+":seen:"+c.aging),
			did, s.limit, credit, c.start, c.person, c.cost, c.ahead.Seconds(), c.queued, took.Seconds(), c.aging != "",
			burstOver.Seconds(), aheadOver.Seconds(), overdrive, graceOver.Seconds(),
			retreat, regain.Seconds(), slowest, measureOver.Seconds(),
		).Slice()
		v, p, err = parseVerdict(reply, err)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered = answered; !answered {
		s.failed()
		return verdict{}, false
	}
	s.pace.top, s.pace.cut = p.top, p.cut
	return v, true
}

// parseVerdict reads the script's reply: granted, wait, place, the pace, stale. It
// has fractions as strings, since Redis cuts the numbers of a script to integers.
func parseVerdict(reply []any, err error) (v verdict, p pace, _ error) {
	if err != nil {
		return v, p, err
	}
	if len(reply) != 6 {
		return v, p, redislink.ErrReply
	}
	numbers := make([]float64, len(reply))
	for i, part := range reply {
		switch n := part.(type) {
		case int64:
			numbers[i] = float64(n)
		case string:
			if numbers[i], err = strconv.ParseFloat(n, 64); err != nil {
				return v, p, err
			}
		}
	}
	v = verdict{granted: numbers[0] == 1, wait: seconds(numbers[1]), place: int64(numbers[2]), stale: numbers[5] == 1}
	if p.top = numbers[3]; p.top > 0 {
		p.cut = time.Now().Add(-time.Duration(numbers[4] * float64(time.Second)))
	}
	return v, p, nil
}
