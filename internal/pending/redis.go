package pending

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
)

// The operations, as redis_errors_total names them.
const (
	opFind    = "find"
	opHold    = "hold"
	opRelease = "release"
)

// Redis keeps pending enrollments in a Redis or Valkey that the replicas share.
// While Redis does not answer each replica keeps them in its own memory, and
// forgets them when Redis is back. It is safe for concurrent use.
type Redis struct {
	local *Memory // for what Redis does not answer
	redis *redislink.Subsystem
	turns turns // of the callers in this process

	mu   sync.Mutex
	back uint64 // Subsystem.Back as it was when local was last used
}

// NewRedis makes a store. It fails for seal keys that are missing or not 32 bytes
// long.
func NewRedis(s *redislink.Subsystem, o Options) (*Redis, error) {
	if len(o.SealKeys) == 0 {
		return nil, errors.New("seal keys are required with Redis: replicas must be able to open each other's entries")
	}
	local, err := NewMemory(o)
	if err != nil {
		return nil, err
	}
	return &Redis{local: local, redis: s}, nil
}

// Len tells how many enrollments are pending in this replica's own memory.
func (r *Redis) Len() int { return r.alone().Len() }

// Close stops the sweeping of the memory.
func (r *Redis) Close() { r.local.Close() }

// alone is this replica's own memory, without what it kept in an outage that is
// over.
func (r *Redis) alone() *Memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh()
	return r.local
}

// refresh is for callers who hold r.mu.
func (r *Redis) refresh() {
	if back := r.redis.Back(); back != r.back {
		r.back = back
		r.local.forget()
	}
}

// Find implements enroll.Store.
func (r *Redis) Find(ctx context.Context, name string) (enroll.Pending, bool) {
	var found []string
	answered := r.redis.Do(ctx, opFind, func(ctx context.Context, c redis.UniversalClient) error {
		reply, err := findScript.Run(ctx, c, []string{r.redis.Key(name)}, r.redis.Key("")).StringSlice()
		if err == nil && len(reply) != 2 {
			err = redislink.ErrReply
		}
		found = reply
		return err
	})
	if !answered {
		return r.alone().Find(ctx, name)
	}
	return r.read(name, found[0], found[1])
}

// read opens what a script found: a pointer, "" where name is none, and an entry.
func (r *Redis) read(name, pointer, entry string) (enroll.Pending, bool) {
	if pointer != "" {
		to, err := r.local.sealer.follow(name, []byte(pointer))
		if err != nil {
			r.local.o.Unreadable()
			return enroll.Pending{}, false
		}
		name = to
	}
	if entry == "" {
		return enroll.Pending{}, false
	}
	return r.local.read(name, []byte(entry))
}
