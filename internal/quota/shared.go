package quota

import (
	"context"
	_ "embed"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// sharedPatience bounds how long Redis may take. Calls wait longer than this
	// for their turn, and every replica that goes on alone overspends the quota.
	sharedPatience = time.Second
	// aloneFor is how long Redis is not asked after it failed.
	aloneFor = time.Second
)

//go:embed shared.lua
var sharedScript string

// SharedQuota is where the replicas of one AWS account and region share the
// quota.
type SharedQuota struct {
	Client redis.UniversalClient
	// Healthy says whether it is worth asking Redis. Nil: always.
	Healthy func() bool
	// Name tells the quotas in one Redis apart: the region.
	Name string
}

// sharedAccount is a quota in Redis, under the keys
// mfa-enrollment:{quota:NAME}, …:line and …:until, and one …:seen:HASH for
// each session. While Redis is out of reach the replica has the quota to itself, as if it were the only one, and learns
// from Cognito's refusals that it is not.
type sharedAccount struct {
	SharedQuota
	limit              float64
	script             *redis.Script
	keys               []string
	alone              *account
	failed             func() // called for each failure that was survived
	patience, aloneFor time.Duration

	mu     sync.Mutex
	pace   pace // as Redis told it last
	asking time.Time
}

func newSharedAccount(q SharedQuota, limit float64, failed func()) *sharedAccount {
	key := "mfa-enrollment:{quota:" + q.Name + "}"
	return &sharedAccount{
		SharedQuota: q, limit: limit, script: redis.NewScript(sharedScript), keys: []string{key, key + ":line", key + ":until"},
		alone: newAccount(limit), failed: failed, patience: sharedPatience, aloneFor: aloneFor, pace: pace{limit: limit},
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
	if !s.worthAsking() {
		return s.alone.rate()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pace.at(time.Now())
}

func (s *sharedAccount) worthAsking() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !time.Now().Before(s.asking) && (s.Healthy == nil || s.Healthy())
}

// run runs the script. It reports false when Redis did not do it, or did not say
// so in time.
func (s *sharedAccount) run(ctx context.Context, did string, c claim, credit float64, took time.Duration) (verdict, bool) {
	if !s.worthAsking() {
		return verdict{}, false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	reply, err := s.script.Run(ctx, s.Client, append(s.keys[:3:3], s.keys[0]+":seen:"+c.aging),
		did, s.limit, credit, c.start, c.person, c.cost, c.ahead.Seconds(), c.queued, took.Seconds(), c.aging != "",
		burstOver.Seconds(), aheadOver.Seconds(), overdrive, graceOver.Seconds(),
		retreat, regain.Seconds(), slowest, measureOver.Seconds(),
	).Slice()
	v, p, err := parseVerdict(reply, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed()
		s.asking = time.Now().Add(s.aloneFor)
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
		return v, p, errors.New("the script's reply has another length")
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
