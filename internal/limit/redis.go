package limit

import (
	"context"
	_ "embed"
	"encoding/json"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
)

//go:embed limit.lua
var source string

//nolint:gochecknoglobals // A constant that Go cannot declare as such.
var script = redis.NewScript(source)

// Redis keeps buckets and marks where all replicas see them. While Redis does not
// answer each replica keeps its own, and forgets them when Redis is back.
type Redis struct {
	redis *redislink.Subsystem
	local *Memory

	mu   sync.Mutex
	back uint64
}

var _ enroll.Limiter = (*Redis)(nil)

// NewRedis makes a limiter. local is what it uses while Redis does not answer.
func NewRedis(link *redislink.Subsystem, local *Memory) *Redis {
	return &Redis{redis: link, local: local, back: link.Back()}
}

// Take implements enroll.Limiter.
func (r *Redis) Take(ctx context.Context, cases ...enroll.Case) enroll.Taken {
	r.forget()
	step := step{keys: []string{r.redis.Key("")}}
	sent := make([]sentCase, len(cases))
	for i, c := range cases {
		sent[i] = sentCase{Wants: step.wants(r.redis, c.Wants), Marks: step.marks(r.redis, c.Sets), Try: c.Try}
		if c.When != "" {
			sent[i].Key = step.key(r.redis, c.When)
		}
	}
	var t enroll.Taken
	if !r.redis.Do(ctx, "take", func(ctx context.Context, c redis.UniversalClient) error {
		reply, err := step.run(ctx, c, "take", sent).Slice()
		if err != nil {
			return err
		}
		decided, err := read(reply, cases)
		if err == nil {
			t = decided
		}
		return err
	}) {
		return r.local.Take(ctx, cases...)
	}
	return t
}

// Settle implements enroll.Limiter.
func (r *Redis) Settle(ctx context.Context, back []enroll.Want, marks []enroll.Mark) {
	r.forget()
	step := step{keys: []string{r.redis.Key("")}}
	sent := sentCase{Wants: step.wants(r.redis, back), Marks: step.marks(r.redis, marks)}
	if !r.redis.Send(ctx, "settle", func(ctx context.Context, c redis.UniversalClient) error {
		return step.run(ctx, c, "settle", sent).Err()
	}) {
		r.local.Settle(ctx, back, marks)
	}
}

// forget empties this replica's memory when Redis has come back.
func (r *Redis) forget() {
	back := r.redis.Back()
	r.mu.Lock()
	defer r.mu.Unlock()
	if back != r.back {
		r.back = back
		r.local.Forget()
	}
}

// What is sent to limit.lua. A key is its index among the script's keys.
type (
	sentCase struct {
		Key   int        `json:"k"` // of the mark that must be there; 0: none
		Try   bool       `json:"t"`
		Wants []sentWant `json:"w"`
		Marks []sentMark `json:"m"`
	}
	sentWant struct {
		Key      int    `json:"k"` // 0: Guard and the mark's value name the bucket
		Guard    string `json:"g"`
		N        int    `json:"n"`
		Most     int    `json:"b"` // that may be missing from the bucket
		Interval int64  `json:"i"` // µs
	}
	sentMark struct {
		Key   int    `json:"k"`
		Value string `json:"v"`
		TTL   int64  `json:"t"` // ms
	}
)

// step collects the keys of one run of the script.
type step struct{ keys []string }

func (s *step) key(r *redislink.Subsystem, name string) int {
	s.keys = append(s.keys, r.Key(name))
	return len(s.keys)
}

func (s *step) wants(r *redislink.Subsystem, wants []enroll.Want) []sentWant {
	sent := make([]sentWant, len(wants))
	for i, w := range wants {
		sent[i] = sentWant{Guard: w.Name, N: w.N, Most: w.Burst - w.Keep, Interval: w.Interval.Microseconds()}
		if !w.OfMark {
			sent[i].Key = s.key(r, bucket(w, ""))
		}
	}
	return sent
}

func (s *step) marks(r *redislink.Subsystem, marks []enroll.Mark) []sentMark {
	sent := make([]sentMark, len(marks))
	for i, m := range marks {
		sent[i] = sentMark{Key: s.key(r, m.Name), Value: m.Value, TTL: max(1, m.TTL.Milliseconds())}
	}
	return sent
}

func (s *step) run(ctx context.Context, c redis.UniversalClient, name string, what any) *redis.Cmd {
	encoded, err := json.Marshal(what)
	if err != nil {
		panic(err) // Numbers and strings always encode.
	}
	return script.Run(ctx, c, s.keys, name, encoded)
}

// read understands the script's answer.
func read(reply []any, cases []enroll.Case) (t enroll.Taken, err error) {
	var numbers [3]int64
	for i := range numbers {
		if len(reply) != 4 {
			return t, redislink.ErrReply
		}
		n, ok := reply[i].(int64)
		if !ok {
			return t, redislink.ErrReply
		}
		numbers[i] = n
	}
	decided, met := int(numbers[0])-1, int(numbers[1])-1
	if decided < 0 || decided >= len(cases) || met >= len(cases[decided].Wants) {
		return t, redislink.ErrReply
	}
	t.Case, t.Wait = decided, time.Duration(numbers[2])*time.Microsecond
	t.Value, _ = reply[3].(string)
	if met >= 0 {
		t.Met = cases[decided].Wants[met].Guard
	}
	return t, nil
}
