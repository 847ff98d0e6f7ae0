package pending

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/limit"
)

const aclPassword = "Correct-Horse-Battery"

// documentedRights reads the rule that docs/pending.md gives for a kind of
// setup, and puts the password in.
func documentedRights(t *testing.T, kind string) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/pending.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "Rights for "+kind+":\n\n```\n")
	rule, _, closed := strings.Cut(after, "\n```")
	if !found || !closed {
		t.Fatalf("docs/pending.md has no block of rights for %s", kind)
	}
	rule = strings.ReplaceAll(rule, "PASSWORD", aclPassword)
	return strings.Fields(rule)
}

// user makes the user that a rule (ACL SETUSER name rights…) describes.
func (s *redisServer) user(rule []string) {
	s.t.Helper()
	command := make([]any, len(rule))
	for i, word := range rule {
		command[i] = word
	}
	if err := s.admin.Do(context.Background(), command...).Err(); err != nil {
		s.t.Fatalf("%v: %v", rule, err)
	}
}

// denied lists the commands and keys that Redis denied to anybody.
func (s *redisServer) denied() (objects []string) {
	s.t.Helper()
	entries, err := s.admin.ACLLog(context.Background(), 100).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		objects = append(objects, fmt.Sprintf("%s %s", e.Reason, e.Object))
	}
	return objects
}

// everything is each kind of operation that a store does with Redis.
func everything(t *testing.T, r *rig, server *redisServer, s *Redis) {
	p := r.enrollment("everything")
	s.Save(t.Context(), p)
	s.Load(t.Context(), "everything")
	s.CountTry(t.Context(), "everything", time.Hour)
	unlock := s.Lock(t.Context(), "everything")
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	other := newRedis(t, r, server.url("mfa-enrollment:"+aclPassword+"@"))
	other.Lock(soon, "everything")()
	unlock()
	server.admin.Append(t.Context(), entryName("everything"), "!")
	s.Load(t.Context(), "everything")
	s.Delete(t.Context(), p)
	// The allowances of callers use the same connection.
	allowances := limit.NewRedis(limit.RedisOptions{
		Client: s.Client(), Local: limit.NewMemory(r.clock), Healthy: func() bool { return true }, Failed: r.failed,
	})
	guard := enroll.Guard{Name: "subject", Burst: 2, Interval: time.Minute}
	allowances.Take(t.Context(), guard, "caller")
	allowances.GiveBack(t.Context(), guard, "caller")
}

func TestTheDocumentedRightsAreEnough(t *testing.T) {
	server, r := startRedis(t), newRig()
	server.user(documentedRights(t, "one server"))
	everything(t, r, server, newRedis(t, r, server.url("mfa-enrollment:"+aclPassword+"@")))
	if denied := server.denied(); len(denied) > 0 {
		t.Errorf("denied: %v", denied)
	}
	r.expectFailures(t, map[string]int{opOpen: 1})
}

func TestNoDocumentedRightIsMoreThanIsNeeded(t *testing.T) {
	server := startRedis(t)
	rule := documentedRights(t, "one server")
	at := slices.Index(rule, "-@all")
	if at < 0 || len(rule) < at+2 {
		t.Fatalf("the rule %v gives no commands", rule)
	}
	for i := at + 1; i < len(rule); i++ {
		t.Run(rule[i], func(t *testing.T) {
			server.user([]string{"ACL", "SETUSER", "mfa-enrollment", "reset"})
			server.user(slices.Delete(slices.Clone(rule), i, i+1))
			server.admin.FlushAll(t.Context())
			server.admin.ScriptFlush(t.Context())
			server.admin.Do(t.Context(), "ACL", "LOG", "RESET")
			r := newRig()
			s := newRedis(t, r, server.url("mfa-enrollment:"+aclPassword+"@"))
			everything(t, r, server, s)
			if len(server.denied()) == 0 {
				t.Error("all goes well without it")
			}
		})
	}
}

func TestOtherKeysAndCommandsAreDenied(t *testing.T) {
	server := startRedis(t)
	server.user(documentedRights(t, "one server"))
	s := newRedis(t, newRig(), server.url("mfa-enrollment:"+aclPassword+"@"))
	for _, command := range [][]any{
		{"get", "somebody-else"}, {"keys", "*"}, {"scan", "0"}, {"flushall"}, {"config", "get", "*"}, {"dump", entryName("x")},
	} {
		err := s.client.Do(t.Context(), command...).Err()
		if code, _ := refusal(err); code != "NOPERM" {
			t.Errorf("%v: %v, want it denied", command, err)
		}
	}
}
