package redislink

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// retryRefused is how often an operation that Redis refused is tried again.
	retryRefused = time.Second
	// refusalLasts is how long a refusal counts when its operation does not come
	// again, and how often at most the refusals of one subsystem are logged.
	refusalLasts = time.Minute
)

// refused is the operation that Redis refused a subsystem last. Until the same
// operation is answered again the whole subsystem goes on without Redis: half of
// its operations in Redis and half in memory would agree on nothing.
type refused struct {
	operation, code string // code "": nothing is refused
	at, retry       time.Time
}

// allowed tells whether what is refused lets an operation through. Like all of
// this file it is for callers who hold link.mu.
func (s *Subsystem) allowed(operation string, now time.Time) bool {
	switch r := &s.refused; {
	case r.code == "":
		return true
	case now.Sub(r.at) >= refusalLasts:
		s.resume()
		return true
	case operation != r.operation || now.Before(r.retry):
		return false
	default:
		r.retry = now.Add(retryRefused)
		return true
	}
}

// accepted is told of an operation that was answered.
func (s *Subsystem) accepted(operation string) {
	if s.refused.code != "" && s.refused.operation == operation {
		s.resume()
	}
}

func (s *Subsystem) resume() {
	s.refused = refused{}
	s.refusals++
}

// wasRefused is told of an operation that Redis refused.
func (s *Subsystem) wasRefused(ctx context.Context, operation, code string, now time.Time) {
	if now.Sub(s.loggedAt) >= refusalLasts {
		s.loggedAt = now
		s.link.o.Logger.WarnContext(ctx, "Redis refused a command; this part of the service goes on without Redis",
			slog.String("subsystem", s.name), slog.String("operation", operation),
			slog.String("reason", code), slog.String("remedy", remedy(code)))
	}
	s.refused = refused{operation, code, now, now.Add(retryRefused)}
}

// wasLost is told of an operation that did not reach Redis. An operation that
// began before an outage that is over says nothing of now.
func (s *Subsystem) wasLost(ctx context.Context, operation, reason string, outage uint64) {
	l := s.link
	if l.down || l.outages != outage {
		return
	}
	l.down = true
	l.o.Logger.WarnContext(ctx, "Redis is out of reach; this replica goes on by itself until Redis is back",
		slog.String("subsystem", s.name), slog.String("operation", operation), slog.String("reason", reason))
	l.working.Go(l.watch)
}

// Look asks Redis once, before anybody needs it, and says in constant words what
// is wrong, or nothing. A Redis that is out of reach is then not asked by requests
// until it is back. It takes an operation's patience at most.
func (l *Link) Look(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	kind, reason := classify(l.probe(ctx))
	switch kind {
	case refusal:
		return "Redis refuses a command (" + reason + "): " + remedy(reason)
	case lost:
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.down {
			l.down = true
			l.working.Go(l.watch)
		}
		return "Redis is out of reach (" + reason + "); this replica goes on by itself until Redis is back"
	default:
		return ""
	}
}

// watch asks Redis until it answers, and lets operations through to it again.
func (l *Link) watch() {
	tick := time.NewTicker(l.o.LookEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.closed:
			return
		case <-tick.C:
		}
		if cluster, ok := l.client.(*redis.ClusterClient); ok {
			// After a failover another node has the keys: the one that this
			// replica knows may never come back.
			cluster.ReloadState(context.Background())
		}
		if l.answers() {
			l.found()
			return
		}
	}
}

// answers tells whether Redis does what operations need. It writes, since a
// master that became a replica still reads.
func (l *Link) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), l.patience)
	defer cancel()
	kind, _ := classify(l.probe(ctx))
	return kind != lost
}

func (l *Link) probe(ctx context.Context) error {
	return l.client.Set(ctx, keyPrefix+"probe", 1, time.Second).Err()
}

// found ends an outage, unless the link was closed meanwhile.
func (l *Link) found() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
	default:
		l.down = false
		l.outages++
		l.o.Logger.Info("Redis is back; the replicas share again")
	}
}
