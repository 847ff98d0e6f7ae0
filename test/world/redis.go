package world

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisServer is a real Redis on a socket of its own, which tests kill and start
// again.
type RedisServer struct {
	T      *testing.T
	path   string
	Socket string
	cmd    *exec.Cmd
}

// StartRedis runs one until the test ends.
func StartRedis(t *testing.T) *RedisServer {
	t.Helper()
	dir, err := os.MkdirTemp("", "redis") // t.TempDir can be too long for a socket.
	if err != nil {
		t.Fatal(err)
	}
	s := &RedisServer{T: t, path: Tool(t, "redis-server"), Socket: filepath.Join(dir, "s")}
	t.Cleanup(func() {
		s.Kill()
		_ = os.RemoveAll(dir)
	})
	s.Start()
	return s
}

// Start runs it again after Kill.
func (s *RedisServer) Start() {
	s.T.Helper()
	s.cmd = exec.Command(s.path, "--port", "0", "--unixsocket", s.Socket, "--save", "", "--appendonly", "no", "--dir", filepath.Dir(s.Socket))
	if err := s.cmd.Start(); err != nil {
		s.T.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.Client().Ping(s.T.Context()).Err() != nil {
		select {
		case <-tick.C:
		case <-s.T.Context().Done():
			s.T.Fatal("redis-server never answers")
		}
	}
}

// Kill ends it with SIGKILL.
func (s *RedisServer) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Client speaks to it until the test ends.
func (s *RedisServer) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.Socket, MaxRetries: -1})
	s.T.Cleanup(func() { _ = c.Close() })
	return c
}

// Settings name the server, with patience for a slow machine.
func (s *RedisServer) Settings() map[string]string {
	return map[string]string{
		"REDIS_URL": "unix://" + s.Socket + "?dial_timeout=30s&read_timeout=30s&write_timeout=30s&pool_timeout=30s",
		"SEAL_KEYS": base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")),
	}
}

// Dump is every key and value.
func (s *RedisServer) Dump() map[string]string {
	s.T.Helper()
	c, ctx := s.Client(), s.T.Context()
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil {
		s.T.Fatal(err)
	}
	all := map[string]string{}
	for _, key := range keys {
		// A lock or a counter may expire meanwhile.
		if value, err := c.Get(ctx, key).Result(); err == nil {
			all[key] = value
		}
	}
	return all
}
