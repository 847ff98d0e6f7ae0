// Package redislink is the one way to Redis: one client for the whole process,
// which reads the URL, bounds how long an operation may take, stops asking a
// Redis that is out of reach and notices when it is back, logs, counts, and says
// what is wrong. docs/pending.md tells operators how to set Redis up.
//
// Whatever uses Redis gets a Subsystem. Redis being out of reach concerns them
// all; a command that Redis refuses concerns the subsystem that sent it alone.
package redislink

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"mfa-enrollment/internal/enroll"
)

// The subsystems. Each names its keys with its own name (Subsystem.Key).
const (
	Pending = "pending"
	Limit   = "limit"
	Quota   = "quota"
	Events  = "events"
)

// keyPrefix begins every key. 1 is the version of the format of what is kept; a
// release that changes the format takes another, so that neither release reads
// the other's entries. The braces make a cluster keep all keys in one hash slot
// (Redis cluster specification, "Hash tags"), so that one script can use any of
// them: Cognito's quota bounds the load to what one node does with ease.
const keyPrefix = "mfa-enrollment:{1}:"

// lookEvery is how often a Redis that is out of reach is asked whether it is back.
const lookEvery = 500 * time.Millisecond

// Metrics is what a link counts.
type Metrics interface {
	// RedisFailed counts an operation that was not answered: Redis was out of
	// reach, refused it, or took longer than the request could wait.
	RedisFailed(subsystem, operation string)
	// RedisTook observes the duration of one round trip.
	RedisTook(subsystem string, took time.Duration)
}

// Options configures a link.
type Options struct {
	Logger  *slog.Logger // nil: nothing is logged
	Metrics Metrics      // nil: nothing is counted
	// LookEvery is how often a Redis that is out of reach is asked whether it is
	// back. Zero: twice a second.
	LookEvery time.Duration
	// Dial opens connections, for tests. Nil: the network does.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Link is the connection to a Redis, a cluster or a Sentinel setup. It is safe
// for concurrent use.
type Link struct {
	o        Options
	client   redis.UniversalClient
	patience time.Duration // for one operation, from the URL

	mu         sync.Mutex
	down       bool
	outages    uint64 // that are over
	subsystems []*Subsystem
	closed     chan struct{}
	working    sync.WaitGroup // the watch, and operations that outlast their request
}

// Open makes a link to the Redis that a URL names (docs/pending.md says how). It
// does not dial. It fails for a URL that is not understood; the error does not
// tell the URL, which may hold a password.
//
// It switches off go-redis's own log for the whole process: there is no other
// switch, and it writes addresses and replies to stderr.
func Open(url enroll.Secret, o Options) (*Link, error) {
	client, patience, err := connect(url, o.Dial)
	if err != nil {
		return nil, err
	}
	logging.Disable()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = noMetrics{}
	}
	if o.LookEvery == 0 {
		o.LookEvery = lookEvery
	}
	client.AddHook(hook{o.Metrics})
	return &Link{o: o, client: client, patience: patience, closed: make(chan struct{})}, nil
}

// Subsystem gives a part of the service its access to Redis, always the same for
// the same name.
func (l *Link) Subsystem(name string) *Subsystem {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.subsystems {
		if s.name == name {
			return s
		}
	}
	s := &Subsystem{link: l, name: name}
	l.subsystems = append(l.subsystems, s)
	return s
}

// Notes says what is wrong, for /readyz, in constant words; nothing is wrong where
// there are none.
func (l *Link) Notes() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return []string{"Redis is out of reach: this replica goes on by itself until Redis is back"}
	}
	var notes []string
	for _, s := range l.subsystems {
		if s.refused.code != "" {
			notes = append(notes, "Redis refuses a command of "+s.name+" ("+s.refused.code+"): "+remedy(s.refused.code))
		}
	}
	return notes
}

// Budget is what one request should wait for Redis at most, over all of its
// operations (WithBudget): a third of the patience for one, so 300 ms where the
// URL says nothing.
func (l *Link) Budget() time.Duration { return l.patience / 3 }

// Close ends the connections. Afterwards no operation is answered. It may be
// called again.
func (l *Link) Close() {
	l.mu.Lock()
	l.down = true
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	l.mu.Unlock()
	l.working.Wait()
	_ = l.client.Close()
}

// Subsystem is the access of one part of the service.
type Subsystem struct {
	link *Link
	name string
	// Under link.mu:
	refused  refused
	loggedAt time.Time
	refusals uint64 // that are over
}

// Key names something of this subsystem's in Redis.
func (s *Subsystem) Key(parts ...string) string {
	return keyPrefix + s.name + ":" + strings.Join(parts, ":")
}

// Back changes each time that this subsystem can use Redis again after it had to
// do without. What it kept in memory meanwhile is then out of date.
func (s *Subsystem) Back() uint64 {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	return s.link.outages + s.refusals
}

// Alone reports whether this subsystem goes on without Redis at the moment.
func (s *Subsystem) Alone() bool {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	return s.link.down || s.refused.code != ""
}

// Do does one operation with Redis and reports whether Redis answered. Where it
// reports false the caller goes on without Redis. It does not even try while
// Redis is out of reach, nor when the request's budget is spent (WithBudget).
//
// An operation takes at most the link's patience: 0.9 s, unless the URL says
// otherwise. It goes on when the caller leaves. Where the budget ends first, Do
// reports false while do still runs: then the caller must not look at anything
// that do writes. redis.Nil counts as an answer; an answer that do cannot
// understand is ErrReply.
func (s *Subsystem) Do(ctx context.Context, operation string, do func(context.Context, redis.UniversalClient) error) (answered bool) {
	if b := budgetOf(ctx); b != nil && b.spent() {
		s.link.o.Metrics.RedisFailed(s.name, operation)
		return false
	}
	return s.Send(ctx, operation, do)
}

// Send is Do for what must reach Redis also when the request's budget is spent:
// then it is sent and not waited for.
func (s *Subsystem) Send(ctx context.Context, operation string, do func(context.Context, redis.UniversalClient) error) (answered bool) {
	outage, ok := s.begin(operation)
	switch b := budgetOf(ctx); {
	case !ok:
	case b == nil:
		answered = s.run(ctx, operation, outage, do)
		s.link.working.Done()
	default:
		answer := make(chan bool, 1)
		go func() {
			defer s.link.working.Done()
			answer <- s.run(ctx, operation, outage, do)
		}()
		answered = b.wait(answer)
	}
	if !answered {
		s.link.o.Metrics.RedisFailed(s.name, operation)
	}
	return answered
}

// begin tells whether an operation is worth trying, and the outage that it would
// be the first to notice.
func (s *Subsystem) begin(operation string) (outage uint64, ok bool) {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	if s.link.down || !s.allowed(operation, time.Now()) {
		return 0, false
	}
	s.link.working.Add(1)
	return s.link.outages, true
}

// run does an operation and draws the conclusions.
func (s *Subsystem) run(ctx context.Context, operation string, outage uint64, do func(context.Context, redis.UniversalClient) error) bool {
	ctx, cancel := context.WithTimeout(context.WithValue(context.WithoutCancel(ctx), subsystemKey{}, s.name), s.link.patience)
	defer cancel()
	err := do(ctx, s.link.client)
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	switch kind, reason := classify(err); kind {
	case answered:
		s.accepted(operation)
		return true
	case refusal:
		s.wasRefused(ctx, operation, reason, time.Now())
	case lost:
		s.wasLost(ctx, operation, reason, outage)
	}
	return false
}

type noMetrics struct{}

func (noMetrics) RedisFailed(string, string)      {}
func (noMetrics) RedisTook(string, time.Duration) {}
