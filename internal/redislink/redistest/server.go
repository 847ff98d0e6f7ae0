// Package redistest runs real redis-servers for tests, on this machine alone. Where
// the program is not installed the test is skipped, and fails where CI=true.
package redistest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"mfa-enrollment/internal/enroll"
)

// Patient is what tests add to a URL, so that a slow machine is not taken for a
// Redis out of reach.
const Patient = "dial_timeout=30s&read_timeout=30s&write_timeout=30s&pool_timeout=30s"

// Server is a real redis-server with a directory and a socket of its own.
type Server struct {
	t      testing.TB
	Dir    string
	Args   []string // with which Restart starts it
	Socket string
	Admin  *redis.Client // as the default user, who may do everything
	cmd    *exec.Cmd
	ended  chan struct{}
}

func need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed, and CI must not leave these tests out", program)
		}
		t.Skipf("%s is not installed: what the service does with Redis is not tested", program)
	}
}

// Start runs a redis-server on a unix socket alone, unless args give it a port
// too, until the test ends.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	need(t, "redis-server")
	// t.TempDir's names are too long for a socket (108 bytes, unix(7)).
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{t: t, Dir: dir, Args: args, Socket: filepath.Join(dir, "redis.sock")}
	logging.Disable() // As redislink.Open does; here it comes before.
	s.Admin = redis.NewClient(&redis.Options{Network: "unix", Addr: s.Socket, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = s.Admin.Close() })
	t.Cleanup(s.Kill)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// start starts it, for the first time or again, and waits until it answers.
func (s *Server) start() error {
	var out bytes.Buffer
	args := append(slices.Clone(s.Args), "--unixsocket", s.Socket, "--dir", s.Dir, "--save", "", "--appendonly", "no")
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
		if s.Admin.Ping(context.Background()).Err() == nil {
			return nil
		}
	}
}

// Kill ends it the hard way (SIGKILL) and waits until it is gone.
func (s *Server) Kill() {
	if s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// Restart starts it again on the same socket.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
}

// URL is how the default user, or the user of userinfo, reaches it.
func (s *Server) URL(userinfo string) enroll.Secret {
	return enroll.Secret("unix://" + userinfo + s.Socket + "?" + Patient)
}

// Values reads every key and its value; those of a list or a sorted set are lines.
func (s *Server) Values() map[string]string {
	s.t.Helper()
	ctx, all := context.Background(), map[string]string{}
	names := s.Admin.Scan(ctx, 0, "*", 100).Iterator()
	for names.Next(ctx) {
		switch value, err := s.value(ctx, names.Val()); {
		case err == nil:
			all[names.Val()] = value
		case !errors.Is(err, redis.Nil): // It may expire meanwhile.
			s.t.Fatal(err)
		}
	}
	if err := names.Err(); err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *Server) value(ctx context.Context, key string) (string, error) {
	kind, err := s.Admin.Type(ctx, key).Result()
	if err != nil {
		return "", err
	}
	var lines []string
	switch kind {
	case "none":
		return "", redis.Nil
	case "list":
		lines, err = s.Admin.LRange(ctx, key, 0, -1).Result()
	case "zset":
		lines, err = s.Admin.ZRange(ctx, key, 0, -1).Result()
	default:
		return s.Admin.Get(ctx, key).Result()
	}
	return strings.Join(lines, "\n"), err
}

// StartOnPort is Start with a port of its own as well, for what a socket cannot
// do. Somebody else may take the port first, so it tries again.
func StartOnPort(t testing.TB, args func(port string) []string) (s *Server, port string) {
	t.Helper()
	s = Start(t)
	for range 10 {
		s.Kill()
		port = FreePort(t)
		s.Args = args(port)
		if err := s.start(); err == nil {
			return s, port
		} else if !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
	}
	t.Fatal("no port was free")
	return nil, ""
}

// User makes the user that a rule (ACL SETUSER name rights…) describes.
func (s *Server) User(rule []string) {
	s.t.Helper()
	command := make([]any, len(rule))
	for i, word := range rule {
		command[i] = word
	}
	if err := s.Admin.Do(context.Background(), command...).Err(); err != nil {
		s.t.Fatalf("%v: %v", rule, err)
	}
}

// Denied lists the commands and keys that Redis denied to anybody.
func (s *Server) Denied() (objects []string) {
	s.t.Helper()
	entries, err := s.Admin.ACLLog(context.Background(), 100).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		objects = append(objects, fmt.Sprintf("%s %s", e.Reason, e.Object))
	}
	return objects
}

// FreePort finds a port that nobody listens on at the moment.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	return port
}

// arg is the value of an argument.
func (s *Server) arg(name string) string {
	return s.Args[slices.Index(s.Args, name)+1]
}

// Rights is the rule (ACL SETUSER mfa-enrollment …) that docs/pending.md gives for
// a kind of setup, with a password put in.
func Rights(t testing.TB, kind, password string) []string {
	t.Helper()
	page, err := os.ReadFile("docs/pending.md")
	for up := ".."; err != nil && len(up) < 20; up += "/.." { // the folder of a test is some levels below
		page, err = os.ReadFile(filepath.Join(up, "docs/pending.md"))
	}
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "Rights for "+kind+":\n\n```\n")
	rule, _, closed := strings.Cut(after, "\n```")
	if !found || !closed {
		t.Fatalf("docs/pending.md has no block of rights for %s", kind)
	}
	return strings.Fields(strings.ReplaceAll(rule, "PASSWORD", password))
}
