package pending

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"mfa-enrollment/internal/enroll"
)

// patient is what tests add to a URL, so that a slow machine is not taken for a
// Redis out of reach.
const patient = "dial_timeout=30s&read_timeout=30s&write_timeout=30s&pool_timeout=30s"

// redisServer is a real redis-server with a directory and a socket of its own.
type redisServer struct {
	t      *testing.T
	dir    string
	args   []string
	socket string
	admin  *redis.Client // as the default user, who may do everything
	cmd    *exec.Cmd
	ended  chan struct{}
}

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed, and CI must not leave these tests out")
		}
		t.Skip("redis-server is not installed: what the service does with Redis is not tested")
	}
}

// startRedis runs a redis-server on a unix socket alone, unless args give it a
// port too, until the test ends.
func startRedis(t *testing.T, args ...string) *redisServer {
	t.Helper()
	needRedis(t)
	// t.TempDir's names are too long for a socket (108 bytes, unix(7)).
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &redisServer{t: t, dir: dir, args: args, socket: filepath.Join(dir, "redis.sock")}
	logging.Disable() // As NewRedis does; here it comes before.
	s.admin = redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = s.admin.Close() })
	t.Cleanup(s.kill)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// start starts it, for the first time or again, and waits until it answers.
func (s *redisServer) start() error {
	var out bytes.Buffer
	args := append(slices.Clone(s.args), "--unixsocket", s.socket, "--dir", s.dir, "--save", "", "--appendonly", "no")
	if !slices.Contains(args, "--port") {
		args = append(args, "--port", "0")
	}
	s.cmd = exec.Command("redis-server", args...)
	s.cmd.Stdout, s.cmd.Stderr = &out, &out
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(s.cmd, s.ended)
	for {
		select {
		case <-s.ended:
			return fmt.Errorf("redis-server ended: %s", out.String())
		case <-time.After(5 * time.Millisecond):
		}
		if s.admin.Ping(context.Background()).Err() == nil {
			return nil
		}
	}
}

// kill ends it the hard way (SIGKILL) and waits until it is gone.
func (s *redisServer) kill() {
	if s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// restart starts it again on the same socket.
func (s *redisServer) restart() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
}

// url is how the default user, or the user of userinfo, reaches it.
func (s *redisServer) url(userinfo string) enroll.Secret {
	return enroll.Secret("unix://" + userinfo + s.socket + "?" + patient)
}

// values reads every key and its value.
func (s *redisServer) values() map[string]string {
	s.t.Helper()
	ctx, all := context.Background(), map[string]string{}
	names := s.admin.Scan(ctx, 0, "*", 100).Iterator()
	for names.Next(ctx) {
		value, err := s.admin.Get(ctx, names.Val()).Result()
		if err != nil {
			s.t.Fatal(err)
		}
		all[names.Val()] = value
	}
	if err := names.Err(); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// gate is a way to a Redis that can be cut for those who take it.
type gate struct {
	listener net.Listener
	socket   string
	mu       sync.Mutex
	cut      bool
	conns    map[net.Conn]bool
	accepted int
}

// newGate opens a gate to a socket; to "" it takes connections and never answers.
func newGate(t *testing.T, socket string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: l, socket: socket, conns: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { g.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		g.shut(true)
		serving.Wait()
	})
	return g
}

func (g *gate) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	if !g.hold(c) {
		return
	}
	if g.socket == "" {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	to, err := net.Dial("unix", g.socket)
	if err != nil || !g.hold(to) {
		return
	}
	defer func() { _ = to.Close() }()
	go func() {
		_, _ = io.Copy(to, c)
		_ = to.Close()
	}()
	_, _ = io.Copy(c, to)
}

func (g *gate) hold(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accepted++
	g.conns[c] = true
	return !g.cut
}

// shut cuts every connection and closes each new one at once, or opens the gate
// again.
func (g *gate) shut(cut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = cut
	if cut {
		for c := range g.conns {
			_ = c.Close()
		}
		clear(g.conns)
	}
}

func (g *gate) connections() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.accepted
}

func (g *gate) url() enroll.Secret {
	return enroll.Secret("redis://" + g.listener.Addr().String() + "?" + patient)
}

// freePort finds a port that nobody listens on at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	return port
}

// newRedis makes a store with one seal key, as a replica of its own.
func newRedis(t *testing.T, r *rig, url enroll.Secret) *Redis {
	t.Helper()
	return newRedisWith(t, url, r.options(sealKey(1)))
}

func newRedisWith(t *testing.T, url enroll.Secret, o Options) *Redis {
	t.Helper()
	s, err := NewRedis(url, o)
	if err != nil {
		t.Fatal(err)
	}
	s.pause = 10 * time.Millisecond
	t.Cleanup(s.Close)
	return s
}
