package redislink

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

type (
	subsystemKey struct{}
	counterKey   struct{}
)

// WithCounter counts the round trips that are made with a context, for tests. A
// pipeline is one; what a new connection costs is not counted.
func WithCounter(ctx context.Context, n *atomic.Int64) context.Context {
	return context.WithValue(ctx, counterKey{}, n)
}

// hook sees every round trip.
type hook struct{ metrics Metrics }

func (h hook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if !greets(cmd) {
			defer h.observe(ctx, time.Now())
		}
		return next(ctx, cmd)
	}
}

func (h hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if len(cmds) > 0 && !greets(cmds[0]) {
			defer h.observe(ctx, time.Now())
		}
		return next(ctx, cmds)
	}
}

// greets tells whether a command is one that go-redis begins a connection with.
func greets(cmd redis.Cmder) bool {
	switch cmd.Name() {
	case "hello", "auth", "select", "client", "readonly":
		return true
	default:
		return false
	}
}

func (h hook) observe(ctx context.Context, begin time.Time) {
	if n, ok := ctx.Value(counterKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
	if subsystem, ok := ctx.Value(subsystemKey{}).(string); ok {
		h.metrics.RedisTook(subsystem, time.Since(begin))
	}
}
