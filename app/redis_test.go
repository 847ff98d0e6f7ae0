package app_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/cognito/cognitotest"
)

// redisServer is a real Redis on a socket of its own, which tests kill and start
// again.
type redisServer struct {
	t      *testing.T
	path   string
	socket string
	cmd    *exec.Cmd
}

// startRedis runs one until the test ends.
func startRedis(t *testing.T) *redisServer {
	t.Helper()
	dir, err := os.MkdirTemp("", "redis") // t.TempDir can be too long for a socket.
	if err != nil {
		t.Fatal(err)
	}
	s := &redisServer{t: t, path: tool(t, "redis-server"), socket: filepath.Join(dir, "s")}
	t.Cleanup(func() {
		s.kill()
		_ = os.RemoveAll(dir)
	})
	s.start()
	return s
}

func (s *redisServer) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.path, "--port", "0", "--unixsocket", s.socket, "--save", "", "--appendonly", "no", "--dir", filepath.Dir(s.socket))
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.client().Ping(s.t.Context()).Err() != nil {
		select {
		case <-tick.C:
		case <-s.t.Context().Done():
			s.t.Fatal("redis-server never answers")
		}
	}
}

// kill ends it with SIGKILL.
func (s *redisServer) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

func (s *redisServer) client() *redis.Client {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket, MaxRetries: -1})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// settings name the server, with patience for a slow machine.
func (s *redisServer) settings() map[string]string {
	return map[string]string{
		"REDIS_URL": "unix://" + s.socket + "?dial_timeout=30s&read_timeout=30s&write_timeout=30s&pool_timeout=30s",
		"SEAL_KEYS": base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")),
	}
}

// dump is every key and value.
func (s *redisServer) dump() map[string]string {
	s.t.Helper()
	c, ctx := s.client(), s.t.Context()
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil {
		s.t.Fatal(err)
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

// replica is another process of the same service, as far as one process can be.
func (w *world) replica(settings map[string]string) *world {
	w.t.Helper()
	r := &world{t: w.t, cognito: w.cognito, clock: w.clock, log: w.log, endpoint: w.endpoint}
	r.run(settings)
	r.waitReady()
	return r
}

// person is a token flow enrollment from start to end, over whatever replica.
func (w *world) carryThrough(ctx context.Context, replicas []*world, user string, pause func()) error {
	token := w.token(optional, optionalClient, user)
	r := replicas[0].begin(token, nil)
	if r.status/100 != 2 {
		return fmt.Errorf("start: %d %s", r.status, r.body)
	}
	pause()
	secret := r.json(w.t)["secret"].(string)
	r = replicas[1].verify(token, object{"code": w.codeAt(secret, 0)})
	if r.status != 200 {
		return fmt.Errorf("verify: %d %s", r.status, r.body)
	}
	return ctx.Err()
}

func TestRedisKilledInTheMiddleLosesNobody(t *testing.T) {
	server := startRedis(t)
	settings := server.settings()
	settings["COGNITO_WRITE_RPS"] = "1000"
	w := newWorldWith(t, crowd(200), settings)
	other := w.replica(settings)
	var half sync.WaitGroup
	half.Add(200)
	killed := make(chan struct{})
	failures := make(chan error, 200)
	var all sync.WaitGroup
	slots := make(chan struct{}, 20)
	for i := range 200 {
		all.Go(func() {
			// Twenty at a time talk; all have started before Redis dies.
			slots <- struct{}{}
			err := w.carryThrough(t.Context(), []*world{w, other}, person(i), func() {
				<-slots
				half.Done()
				<-killed
				slots <- struct{}{}
			})
			<-slots
			failures <- err
		})
	}
	half.Wait()
	server.kill()
	close(killed)
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Fatal(err)
		}
	}
	ready := other.send("GET", other.admin+"/readyz", nil)
	if ready.status != 200 || !strings.Contains(string(ready.body), "Redis") {
		t.Errorf("readyz: %d %s", ready.status, ready.body)
	}
	if got := other.metric(`pending_store_errors_total{operation="load"}`); got == "0" {
		t.Error("nothing was counted")
	}

	server.start()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		token := w.token(optional, optionalClient, "ada")
		first := w.begin(token, object{"renew": true})
		second := other.begin(token, nil)
		if second.status == 200 && string(first.body) == string(second.body) {
			break
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("sharing never resumed")
		}
	}
}

func TestRedisAndTheLogHoldNothingInClear(t *testing.T) {
	server := startRedis(t)
	w := newWorld(t, server.settings())
	token := w.token(optional, optionalClient, "ada")
	session := w.cognito.Session(required, requiredClient, "grace")
	byToken := w.begin(token, nil).json(t)
	bySession := w.begin("", object{"session": session}).json(t)
	code := w.wrongCode(byToken["secret"].(string))
	w.verify(token, object{"code": code})
	w.verify("", object{"session": session, "code": code})
	dump := server.dump()
	if len(dump) < 3 {
		t.Fatalf("Redis holds %d entries", len(dump))
	}
	var everything strings.Builder
	for key, value := range dump {
		everything.WriteString(key + "\n" + value + "\n")
	}
	everything.WriteString(w.log.String())
	for name, secret := range map[string]string{
		"token": token, "session": session, "next session": bySession["session"].(string), "secret": byToken["secret"].(string),
		"other secret": bySession["secret"].(string), "link": byToken["otpauthUri"].(string), "code": code, "subject": w.cognito.Subject(optional, "ada"),
	} {
		for encoding, hidden := range map[string]string{
			"clear": secret, "base64": base64.StdEncoding.EncodeToString([]byte(secret))[:min(8, len(secret))], "hex": hex.EncodeToString([]byte(secret)),
		} {
			if strings.Contains(everything.String(), hidden) && (encoding != "base64" || len(secret) > 8) {
				t.Errorf("the %s is there in %s", name, encoding)
			}
		}
	}
}

func TestASwappedOrAlteredEntryIsRefusedAndCounted(t *testing.T) {
	for name, spoil := range map[string]func(values map[string]string, mine, theirs string) string{
		"swapped": func(values map[string]string, _, theirs string) string { return values[theirs] },
		"altered": func(values map[string]string, mine, _ string) string {
			b := []byte(values[mine])
			b[len(b)/2] ^= 1
			return string(b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := startRedis(t)
			w := newWorld(t, server.settings())
			other := w.replica(server.settings())
			ada, linus := w.token(optional, optionalClient, "ada"), w.token(optional, optionalClient, "linus")
			first := w.begin(ada, nil)
			mine := only(t, server.dump(), nil)
			w.begin(linus, nil)
			dump := server.dump()
			theirs := only(t, dump, []string{mine})
			if err := server.client().Set(t.Context(), mine, spoil(dump, mine, theirs), time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			r := other.begin(ada, nil)
			if r.status != 201 || string(r.body) == string(first.body) {
				t.Errorf("status %d: a spoiled entry was taken", r.status)
			}
			if got := other.metric(`pending_store_errors_total{operation="open"}`); got == "0" {
				t.Error("it was not counted")
			}
		})
	}
}

// only is the one entry's key beside those that are known.
func only(t *testing.T, dump map[string]string, known []string) string {
	t.Helper()
	for key := range dump {
		if strings.HasSuffix(key, "}") && (len(known) == 0 || key != known[0]) {
			return key
		}
	}
	t.Fatalf("no entry in %d keys", len(dump))
	return ""
}

func TestADoubleClickOnVerifyAtTwoReplicasCountsOnce(t *testing.T) {
	redis := startRedis(t)
	w := newWorldWith(t, crowd(20), redis.settings())
	other := w.replica(redis.settings())
	w.cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	for run := range 20 {
		token := w.token(optional, optionalClient, person(run))
		secret := w.begin(token, nil).json(t)["secret"].(string)
		code := w.codeAt(secret, 0)
		verifies, preferences := w.cognito.Calls("VerifySoftwareToken"), w.cognito.Calls("SetUserMFAPreference")
		for i, r := range together(10, func(i int) reply { return []*world{w, other}[i%2].verify(token, object{"code": code}) }) {
			if totp, _ := r.json(t)["totp"].(object); r.status != 200 || totp["enabled"] != true {
				t.Fatalf("run %d, click %d: %d %s", run, i, r.status, r.body)
			}
		}
		verifies, preferences = w.cognito.Calls("VerifySoftwareToken")-verifies, w.cognito.Calls("SetUserMFAPreference")-preferences
		if verifies != 1 || preferences != 1 {
			t.Fatalf("run %d: VerifySoftwareToken was called %d times, SetUserMFAPreference %d times", run, verifies, preferences)
		}
		// Who comes later is Cognito's to judge.
		before := w.cognito.Calls("VerifySoftwareToken")
		w.verify(token, object{"code": code})
		if n := w.cognito.Calls("VerifySoftwareToken") - before; n != 1 {
			t.Fatalf("run %d: %d calls for a code that comes afterwards", run, n)
		}
		if r := other.begin(token, nil); r.status != 201 {
			t.Fatalf("run %d, another phone: %d %s", run, r.status, r.body)
		}
	}
}
