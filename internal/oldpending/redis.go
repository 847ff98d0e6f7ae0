package pending

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
)

// lockTTL frees a lock whose holder died. It is longer than the work that a
// holder does, which enroll.Options.WorkTimeout bounds.
const lockTTL = 20 * time.Second

// Redis keeps pending enrollments in a Redis or Valkey that the replicas share.
// While Redis does not answer, each replica keeps them in its own memory, and
// forgets them when Redis is back. It is safe for concurrent use.
type Redis struct {
	local  *Memory
	redis  *redislink.Subsystem
	count  *redis.Script
	mu     sync.Mutex
	backed uint64 // Subsystem.Back as it was when local was last used
}

// countTry counts a try and tells how many milliseconds the window has left. A
// counter without an end would lock a person out for good, so one is never left.
const countTry = `
local tries = redis.call("incr", KEYS[1])
local left = redis.call("pttl", KEYS[1])
if left < 0 then
  left = tonumber(ARGV[1])
  redis.call("pexpire", KEYS[1], left)
end
return {tries, left}`

// NewRedis makes a store. It fails for seal keys that are missing or not 32 bytes
// long.
func NewRedis(link *redislink.Subsystem, o Options) (*Redis, error) {
	if len(o.SealKeys) == 0 {
		return nil, errors.New("seal keys are required with Redis: replicas must be able to open each other's entries")
	}
	local, err := NewMemory(o)
	if err != nil {
		return nil, err
	}
	return &Redis{local: local, redis: link, count: redis.NewScript(countTry)}, nil
}

// Len tells how many pending enrollments this replica keeps by itself.
func (r *Redis) Len() int { return r.alone().Len() }

// Close stops the sweeping.
func (r *Redis) Close() { r.local.Close() }

// alone is the memory for what Redis does not answer. What it kept during an
// outage that is over is forgotten.
func (r *Redis) alone() *Memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	if back := r.redis.Back(); back != r.backed {
		r.backed = back
		r.local.forget()
	}
	return r.local
}

// Load implements enroll.Store.
func (r *Redis) Load(ctx context.Context, key string) (enroll.Pending, bool) {
	var blob []byte
	answered := r.redis.Do(ctx, opLoad, func(ctx context.Context, c redis.UniversalClient) (err error) {
		blob, err = c.Get(ctx, entryName(key)).Bytes()
		return err
	})
	if !answered {
		return r.alone().Load(ctx, key)
	}
	if blob == nil {
		return enroll.Pending{}, false
	}
	p, err := r.local.sealer.open(key, blob)
	if err != nil {
		r.local.o.Failed(opOpen)
		return enroll.Pending{}, false
	}
	return p, p.Expires.After(r.local.o.Now())
}

// Save implements enroll.Store.
func (r *Redis) Save(ctx context.Context, p enroll.Pending) {
	sealed := r.local.seal(p)
	if len(sealed) == 0 {
		return
	}
	alone := r.alone()
	answered := r.redis.Do(ctx, opSave, func(ctx context.Context, c redis.UniversalClient) error {
		_, err := c.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, k := range sealed {
				pipe.Set(ctx, entryName(p.Keys[i]), k.blob, r.left(k.expires))
			}
			return nil
		})
		return err
	})
	if !answered {
		alone.keep(p.Keys, sealed)
	}
}

// Delete implements enroll.Store.
func (r *Redis) Delete(ctx context.Context, p enroll.Pending) {
	if len(p.Keys) == 0 {
		return
	}
	r.redis.Do(ctx, opDelete, func(ctx context.Context, c redis.UniversalClient) error {
		_, err := c.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, key := range p.Keys {
				pipe.Del(ctx, entryName(key), triesName(key))
			}
			return nil
		})
		return err
	})
	r.alone().Delete(ctx, p)
}

// Lock implements enroll.Store. Callers in one process wait for each other here,
// so that only one of them asks Redis again and again.
func (r *Redis) Lock(ctx context.Context, key string) (unlock func()) {
	free := r.local.Lock(ctx, key)
	lock := r.obtain(ctx, key)
	if lock == nil {
		return free
	}
	return sync.OnceFunc(func() {
		defer free()
		r.unlock(ctx, lock)
	})
}

// obtain tries for a lock while ctx lasts. It gives nil where Redis cannot be
// reached, or when the time is up.
func (r *Redis) obtain(ctx context.Context, key string) (lock *redislock.Lock) {
	backoff := redislock.ExponentialBackoff(16*time.Millisecond, 100*time.Millisecond)
	for {
		answered := r.redis.Do(ctx, opLock, func(ctx context.Context, c redis.UniversalClient) (err error) {
			lock, err = redislock.New(c).Obtain(ctx, lockName(key), lockTTL, nil)
			if errors.Is(err, redislock.ErrNotObtained) {
				return nil
			}
			return err
		})
		if !answered {
			return nil
		}
		if lock != nil {
			return lock
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(backoff.NextBackoff()):
		}
	}
}

func (r *Redis) unlock(ctx context.Context, lock *redislock.Lock) {
	r.redis.Do(ctx, opLock, func(ctx context.Context, _ redis.UniversalClient) error {
		err := lock.Release(ctx)
		if errors.Is(err, redislock.ErrLockNotHeld) {
			// Redis lost it, or the work took longer than the lock lives.
			r.local.o.Failed(opLock)
			return nil
		}
		return err
	})
}

// CountTry implements enroll.Store.
func (r *Redis) CountTry(ctx context.Context, key string, window time.Duration) (tries int, reset time.Duration) {
	var reply []int64
	answered := r.redis.Do(ctx, opSave, func(ctx context.Context, c redis.UniversalClient) (err error) {
		reply, err = r.count.Run(ctx, c, []string{triesName(key)}, window.Milliseconds()).Int64Slice()
		if err == nil && len(reply) != 2 {
			err = redislink.ErrReply
		}
		return err
	})
	if !answered {
		return r.alone().CountTry(ctx, key, window)
	}
	return int(reply[0]), time.Duration(reply[1]) * time.Millisecond
}

// left is the lifetime that an entry is given in Redis: a duration, so that the
// clocks need not agree.
func (r *Redis) left(expires time.Time) time.Duration {
	return max(expires.Sub(r.local.o.Now()), time.Millisecond)
}
