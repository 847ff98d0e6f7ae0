package pending

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bsm/redislock"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"mfa-enrollment/internal/enroll"
)

// lockTTL frees a lock whose holder died. It is longer than the work that a
// holder does, which enroll.Options.WorkTimeout bounds.
const lockTTL = 20 * time.Second

// Redis keeps pending enrollments in a Redis or Valkey that the replicas share.
// It is safe for concurrent use.
//
// A replica also keeps a copy of what it saved itself, so that an enrollment
// outlives Redis on the replica that it began at. While Redis answers, its
// answer counts and a copy that differs from it is dropped, with one exception:
// what this replica saved or deleted while Redis was out of reach is told to
// Redis first, unless Redis knows of an enrollment that started later.
type Redis struct {
	local    *Memory
	client   redis.UniversalClient
	locker   *redislock.Client
	patience time.Duration // for one operation, from the URL
	pause    time.Duration // between two looks whether Redis is back
	count    *redis.Script
	swap     *redis.Script
	reach    reach
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

// swapEntry replaces an entry with another, or with nothing (and its tries with
// it), where it is still the one that was seen; "" is none.
const swapEntry = `
if (redis.call("get", KEYS[1]) or "") ~= ARGV[1] then return 0 end
if ARGV[2] == "" then
  redis.call("del", KEYS[1], KEYS[2])
else
  redis.call("set", KEYS[1], ARGV[2], "px", ARGV[3])
end
return 1`

// NewRedis makes a store in the Redis, cluster or Sentinel setup that a URL names
// (docs/pending.md says how). It does not dial. It fails for a URL that is not
// understood, whose value the error does not tell, and for seal keys that are
// missing or not 32 bytes long.
//
// It switches off go-redis's own log for the whole process, which has no other
// switch and writes addresses and replies to stderr. What there is to say this
// store says through Options.Logger.
func NewRedis(url enroll.Secret, o Options) (*Redis, error) {
	if len(o.SealKeys) == 0 {
		return nil, errors.New("seal keys are required with Redis: replicas must be able to open each other's entries")
	}
	client, patience, err := connect(url)
	if err != nil {
		return nil, err
	}
	local, err := NewMemory(o)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	logging.Disable()
	return &Redis{
		local: local, client: client, locker: redislock.New(client),
		patience: patience, pause: time.Second,
		count: redis.NewScript(countTry), swap: redis.NewScript(swapEntry),
		reach: reach{closed: make(chan struct{})},
	}, nil
}

// Len tells how many pending enrollments this replica keeps a copy of.
func (r *Redis) Len() int { return r.local.Len() }

// Load implements enroll.Store.
func (r *Redis) Load(ctx context.Context, key string) (enroll.Pending, bool) {
	var blob []byte
	answered := r.ask(ctx, opLoad, key, func(ctx context.Context) (err error) {
		if err := r.settle(ctx, key); err != nil {
			return err
		}
		blob, err = r.get(ctx, key)
		return err
	})
	if !answered {
		return r.local.Load(ctx, key)
	}
	r.local.agree(key, blob)
	if blob == nil {
		return enroll.Pending{}, false
	}
	p, err := r.local.sealer.open(key, blob)
	if err != nil {
		r.local.o.Failed(opOpen)
		if errors.Is(err, errBroken) {
			r.ask(ctx, opDelete, key, func(ctx context.Context) error {
				_, err := r.exchange(ctx, key, blob, nil)
				return err
			})
		}
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
	sent := r.ask(ctx, opSave, p.Keys[0], func(ctx context.Context) error {
		_, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for i, k := range sealed {
				pipe.Set(ctx, entryName(p.Keys[i]), k.blob, r.left(k.expires))
			}
			return nil
		})
		return err
	})
	for _, k := range sealed {
		k.unsent = !sent
	}
	r.local.keep(p.Keys, sealed)
}

// Delete implements enroll.Store.
func (r *Redis) Delete(ctx context.Context, p enroll.Pending) {
	if len(p.Keys) == 0 {
		return
	}
	heard := r.ask(ctx, opDelete, p.Keys[0], func(ctx context.Context) error {
		_, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, key := range p.Keys {
				pipe.Del(ctx, entryName(key), triesName(key))
			}
			return nil
		})
		return err
	})
	r.local.Delete(ctx, p)
	if heard {
		return
	}
	gone := make([]*kept, len(p.Keys))
	for i := range gone {
		gone[i] = &kept{started: p.Started, expires: p.Expires, unsent: true}
	}
	r.local.keep(p.Keys, gone)
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
		r.unlock(ctx, key, lock)
	})
}

// obtain tries for a lock while ctx lasts. It gives nil where Redis cannot be
// reached, or when the time is up.
func (r *Redis) obtain(ctx context.Context, key string) (lock *redislock.Lock) {
	backoff := redislock.ExponentialBackoff(16*time.Millisecond, 100*time.Millisecond)
	for {
		answered := r.ask(ctx, opLock, key, func(ctx context.Context) (err error) {
			lock, err = r.locker.Obtain(ctx, lockName(key), lockTTL, nil)
			if errors.Is(err, redislock.ErrNotObtained) {
				return nil
			}
			return err
		})
		if !answered || lock != nil {
			return lock
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(backoff.NextBackoff()):
		}
	}
}

func (r *Redis) unlock(ctx context.Context, key string, lock *redislock.Lock) {
	r.ask(ctx, opLock, key, func(ctx context.Context) error {
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
	answered := r.ask(ctx, opSave, key, func(ctx context.Context) (err error) {
		reply, err = r.count.Run(ctx, r.client, []string{triesName(key)}, window.Milliseconds()).Int64Slice()
		if err == nil && len(reply) != 2 {
			err = errors.New("the script's reply is not what it gives")
		}
		return err
	})
	if !answered {
		return r.local.CountTry(ctx, key, window)
	}
	return int(reply[0]), time.Duration(reply[1]) * time.Millisecond
}

// get reads an entry; nil is none.
func (r *Redis) get(ctx context.Context, key string) ([]byte, error) {
	blob, err := r.client.Get(ctx, entryName(key)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return blob, err
}

// left is the lifetime that an entry is given in Redis: a duration, so that the
// clocks need not agree.
func (r *Redis) left(expires time.Time) time.Duration {
	return max(expires.Sub(r.local.o.Now()), time.Millisecond)
}

// exchange puts next in the place of seen, nil for none, and tells whether seen
// was still there.
func (r *Redis) exchange(ctx context.Context, key string, seen []byte, next *kept) (bool, error) {
	var blob []byte
	ttl := time.Millisecond
	if next != nil && next.blob != nil {
		blob, ttl = next.blob, r.left(next.expires)
	}
	keys := []string{entryName(key), triesName(key)}
	done, err := r.swap.Run(ctx, r.client, keys, seen, blob, ttl.Milliseconds()).Bool()
	return done, err
}
