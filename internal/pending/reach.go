package pending

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// What Health tells.
var (
	errOutOfReach = errors.New("out of reach: this replica keeps pending enrollments by itself until Redis is back")
	errRefuses    = errors.New("a command was refused by Redis: its log line tells the code, and docs/pending.md the rights that it takes")
)

// refusalLasts is how long a refusal is told by Health, and how often at most it
// is logged: one command may be refused while the next one is not.
const refusalLasts = time.Minute

// reach is what is known of whether Redis can be reached.
type reach struct {
	mu       sync.Mutex
	down     bool
	refused  time.Time // when a command was refused last
	closed   chan struct{}
	watching sync.WaitGroup
}

func (r *reach) lost() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down
}

// found lets requests through again, unless the store was closed meanwhile.
func (r *reach) found() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.closed:
		return false
	default:
		r.down = false
		return true
	}
}

// end keeps requests from Redis for good, and ends the watch.
func (r *reach) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = true
	select {
	case <-r.closed:
	default:
		close(r.closed)
	}
}

// Health says what is wrong with Redis as far as the operations until now could
// tell, or nil. Its texts are constants.
func (r *Redis) Health() error {
	r.reach.mu.Lock()
	defer r.reach.mu.Unlock()
	switch {
	case r.reach.down:
		return errOutOfReach
	case r.local.o.Now().Sub(r.reach.refused) < refusalLasts:
		return errRefuses
	default:
		return nil
	}
}

// Close ends the connections to Redis. What is asked of the store afterwards it
// answers from memory.
func (r *Redis) Close() {
	r.reach.end()
	r.reach.watching.Wait()
	_ = r.client.Close()
	r.local.Close()
}

// ask does one operation with Redis, and tells whether Redis did it. It takes at
// most r.patience, goes on when the caller leaves, and does not even try while
// Redis is out of reach, so that no request waits for what will not come.
func (r *Redis) ask(ctx context.Context, operation, key string, do func(context.Context) error) bool {
	if r.reach.lost() {
		r.local.o.Failed(operation)
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.patience)
	defer cancel()
	err := do(ctx)
	if err != nil {
		r.stumbled(ctx, operation, key, err)
	}
	return err == nil
}

// stumbled counts and logs a failure. A refusal is an answer, which costs no
// time. Anything else means that Redis is out of reach, until a look at the same
// key, so at the same node of a cluster, succeeds.
func (r *Redis) stumbled(ctx context.Context, operation, key string, err error) {
	r.local.o.Failed(operation)
	r.reach.mu.Lock()
	defer r.reach.mu.Unlock()
	if code, ok := refusal(err); ok {
		now := r.local.o.Now()
		if now.Sub(r.reach.refused) >= refusalLasts {
			r.local.o.Logger.WarnContext(ctx, "Redis refused a command", slog.String("operation", operation), slog.String("reason", code))
		}
		r.reach.refused = now
		return
	}
	if r.reach.down {
		return
	}
	r.reach.down = true
	r.local.o.Logger.WarnContext(ctx, "Redis is out of reach; this replica keeps pending enrollments by itself until it is back",
		slog.String("operation", operation), slog.String("reason", reason(err)))
	r.reach.watching.Go(func() { r.watch(key) })
}

// watch looks at Redis until it answers, tells it what it missed, and lets
// requests through to it again.
func (r *Redis) watch(key string) {
	for {
		select {
		case <-r.reach.closed:
			return
		case <-time.After(r.pause):
		}
		if !r.answers(key) || !r.settleAll() {
			continue
		}
		if r.reach.found() {
			r.settleAll() // What requests did between the first time and being let through.
			r.local.o.Logger.Info("Redis is back; replicas share pending enrollments again")
		}
		return
	}
}

func (r *Redis) answers(key string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), r.patience)
	defer cancel()
	_, err := r.get(ctx, key)
	_, refused := refusal(err)
	return err == nil || refused
}

// errorCode is the word that a refusal of Redis begins with.
var errorCode = regexp.MustCompile(`^[A-Z]{2,20}\b`)

// refusal tells whether an error is a reply of Redis, and its code. The rest of
// the reply is kept from the log: it may quote the command.
func refusal(err error) (code string, ok bool) {
	reply, ok := errors.AsType[redis.Error](err)
	if !ok {
		return "", false
	}
	return errorCode.FindString(reply.Error()), true
}

// reason says in constant words why Redis was not reached: the errors of the
// network and of TLS quote addresses.
func reason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not trusted"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "its host name cannot be resolved"
	}
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return "no answer in time"
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, redis.ErrPoolTimeout):
		return "no connection was free in time"
	case errors.Is(err, io.EOF):
		return "the connection was closed"
	default:
		return "the connection failed"
	}
}
