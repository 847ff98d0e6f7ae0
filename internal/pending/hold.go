package pending

import (
	"context"
	crand "crypto/rand"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
)

const (
	// lockTTL frees a lock whose holder died. It is longer than the work that a
	// holder does, which enroll.Options.WorkTimeout bounds.
	lockTTL = 20 * time.Second
	// A caller who waits for another replica's lock asks again after some
	// firstPause, then after twice as long, and so on up to lastPause.
	firstPause = 10 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// redisHold is a hold over all replicas, or, where Redis did not give the lock,
// over this one.
type redisHold struct {
	staged
	store       *Redis
	lock, token string // the lock's key, and what says that it is this holder's
	held        bool   // Redis gave the lock
	local       *memoryHold
	free        func()

	once sync.Once
	kept bool
}

// Claim implements enroll.Store.
func (r *Redis) Claim(ctx context.Context, name string) (enroll.Pending, enroll.Hold) {
	free, mine := r.turns.try(name)
	if !mine { // Another caller of this process has it.
		p, _ := r.Find(ctx, name)
		return p, nil
	}
	h := &redisHold{store: r, free: free, token: crand.Text(), held: true}
	reply, answered := r.tryLock(ctx, name, h.token, "claim")
	if !answered {
		// As in Hold: without a lock, over this replica's own memory.
		p, local := r.alone().Claim(ctx, name)
		if local == nil {
			free()
			return p, nil
		}
		h.held, h.local = false, local.(*memoryHold)
		h.lock = r.redis.Key("lock", h.local.target)
		return enroll.Pending{}, h
	}
	h.lock = reply[2]
	h.seen, h.found = r.read(name, reply[0], reply[1])
	if h.lock == "" {
		free()
		return h.seen, nil
	}
	return enroll.Pending{}, h
}

// Hold implements enroll.Store. The callers of one process wait for each other
// here, so that only one of them asks Redis again and again.
func (r *Redis) Hold(ctx context.Context, name string) enroll.Hold {
	free, mine := r.turns.take(ctx, name)
	h := &redisHold{store: r, free: free, token: crand.Text()}
	asking := ctx
	for pause := firstPause; mine; pause = min(2*pause, lastPause) {
		reply, answered := r.tryLock(asking, name, h.token, "hold")
		if !answered {
			break
		}
		if h.lock = reply[2]; h.lock != "" {
			h.held = true
			h.seen, h.found = r.read(name, reply[0], reply[1])
			return h
		}
		select {
		case <-time.After(pause/2 + rand.N(pause/2)): //nolint:gosec // It only spreads the replicas.
			// Waiting for somebody else is not what the request's budget is for.
			asking = redislink.WithoutBudget(ctx)
			continue
		case <-ctx.Done():
		}
		break
	}
	// Redis does not answer, or the time is up.
	h.local = r.alone().hold(ctx, name)
	h.seen, h.found = h.local.seen, h.local.found
	h.lock = r.redis.Key("lock", h.local.target)
	return h
}

// tryLock tries once. A lock that comes when its request has gone on, because
// its budget was spent, is given back at once.
func (r *Redis) tryLock(ctx context.Context, name, token, how string) (reply []string, answered bool) {
	var got atomic.Pointer[[]string]
	answered = r.redis.Do(ctx, opHold, func(ctx context.Context, c redis.UniversalClient) error {
		args := []any{r.redis.Key(""), name, token, lockTTL.Milliseconds(), how}
		parts, err := holdScript.Run(ctx, c, []string{r.redis.Key(name)}, args...).StringSlice()
		switch {
		case err != nil:
			return err
		case len(parts) != 3:
			return redislink.ErrReply
		case got.CompareAndSwap(nil, &parts), parts[2] == "":
			return nil
		default:
			return releaseScript.Run(ctx, c, []string{parts[2]}, token, "held").Err()
		}
	})
	if !answered && got.CompareAndSwap(nil, &[]string{}) {
		return nil, false
	}
	return *got.Load(), true
}

// Release implements enroll.Hold.
func (h *redisHold) Release(ctx context.Context) bool {
	h.once.Do(func() {
		defer h.free()
		h.kept = h.release(ctx)
	})
	return h.kept
}

func (h *redisHold) release(ctx context.Context) bool {
	r := h.store
	args := []any{h.token, ""}
	if h.held {
		args[1] = "held"
	}
	switch w, err := r.local.sealed(h.staged); {
	case err != nil:
		r.local.o.Unreadable()
	case w.entry != nil:
		left := h.save.Expires.Sub(r.local.o.Now()).Milliseconds()
		args = append(args, r.redis.Key(h.save.Name), w.entry, max(left, 1))
		if w.pointer != nil {
			args = append(args, r.redis.Key(h.alias), w.pointer)
		}
	}
	if len(args) == 2 && !h.held { // Nothing to write, nothing to unlock.
		return h.releaseHere()
	}
	var done int64
	answered := r.redis.Send(ctx, opRelease, func(ctx context.Context, c redis.UniversalClient) error {
		n, err := releaseScript.Run(ctx, c, []string{h.lock}, args...).Int64()
		done = n
		return err
	})
	if !answered {
		return r.remember(h)
	}
	h.releaseHere()
	return done == 1
}

// releaseHere frees what a hold without a lock in Redis has in this process.
func (h *redisHold) releaseHere() bool {
	if h.local != nil {
		h.local.Release(context.Background())
	}
	return true
}

// remember keeps in this replica what a holder staged and Redis did not do. Where
// Redis is only slow it still hears of it, or is back already: then nothing is
// kept here, since it would be out of date.
func (r *Redis) remember(h *redisHold) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh()
	switch {
	case !r.redis.Alone():
		return h.releaseHere()
	case h.local != nil:
		h.local.staged = h.staged
		return h.local.Release(context.Background())
	default:
		r.local.write(h.staged)
		return true
	}
}
