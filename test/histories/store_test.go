package histories_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"mfa-enrollment/internal/pending"
	"mfa-enrollment/internal/redislink"
)

// shared is the Redis that the replicas share: a server in this process, spoken to
// over pipes, so that virtual time holds for the locks and lifetimes in it too.
type shared struct {
	t      *testing.T
	redis  *miniredis.Miniredis
	mu     sync.Mutex
	links  []*link
	closed chan struct{}
}

// link is the way of one replica to it.
type link struct {
	redis *redislink.Link
	store *pending.Redis

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newShared(t *testing.T) *shared {
	s := &shared{t: t, redis: miniredis.NewMiniRedis(), closed: make(chan struct{})}
	go s.pass()
	return s
}

// pass lets Redis's time pass, a second at a time.
func (s *shared) pass() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.redis.FastForward(time.Second)
		case <-s.closed:
			return
		}
	}
}

// connect gives a replica the service's own store over a link of its own.
func (s *shared) connect() *link {
	s.t.Helper()
	l := &link{}
	var err error
	l.redis, err = redislink.Open("redis://127.0.0.1:6379", redislink.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return l.dial(s.redis) }})
	if err != nil {
		s.t.Fatal(err)
	}
	l.store, err = pending.NewRedis(l.redis.Subsystem(redislink.Pending), pending.Options{SealKeys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = append(s.links, l)
	return l
}

func (l *link) dial(redis *miniredis.Miniredis) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, errors.New("the network is down")
	}
	conn, err := redis.Dial()
	if err == nil {
		l.conns = append(l.conns, conn)
	}
	return slow{conn}, err
}

// slow is a connection on which a message takes a millisecond.
type slow struct{ net.Conn }

func (s slow) Write(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return s.Conn.Write(p)
}

// cut takes a replica's link away.
func (s *shared) cut(l *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.conns = nil
}

// mend brings all links back.
func (s *shared) mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.links {
		l.mu.Lock()
		l.down = false
		l.mu.Unlock()
	}
}

// forgetLocks is a Redis that lost its locks, as by a failover.
func (s *shared) forgetLocks() {
	for _, key := range s.redis.Keys() {
		if strings.Contains(key, ":lock:") {
			s.redis.Del(key)
		}
	}
}

func (s *shared) close() {
	for _, l := range s.links {
		l.store.Close()
		l.redis.Close()
	}
	close(s.closed)
	s.redis.Close()
}
