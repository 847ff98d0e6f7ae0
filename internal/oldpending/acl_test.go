package pending

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/limit"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/redislink/redistest"
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

// everything is each kind of operation that a store does with Redis, and each of
// the limits', which share the user.
func everything(t *testing.T, r *rig, server *redistest.Server) {
	url := server.URL("mfa-enrollment:" + aclPassword + "@")
	link := newLink(t, r, url)
	s := newRedisWith(t, link, r.options(sealKey(1)))
	p := r.enrollment("everything")
	s.Save(t.Context(), p)
	s.Load(t.Context(), "everything")
	s.CountTry(t.Context(), "everything", time.Hour)
	unlock := s.Lock(t.Context(), "everything")
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	newRedis(t, r, url).Lock(soon, "everything")()
	unlock()
	s.Delete(t.Context(), p)
	allowances := limit.NewRedis(link.Subsystem(redislink.Limit), limit.NewMemory(r.clock))
	one := []enroll.Want{{Guard: enroll.Guard{Name: "subject", Burst: 2, Interval: time.Minute}, Of: "caller", N: 1}}
	allowances.Take(t.Context(), enroll.Case{When: "mark"}, enroll.Case{Wants: one})
	allowances.Settle(t.Context(), one, []enroll.Mark{{Name: "mark", TTL: time.Minute}})
}

func TestTheDocumentedRightsAreEnough(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	server.User(documentedRights(t, "one server"))
	everything(t, r, server)
	if denied := server.Denied(); len(denied) > 0 {
		t.Errorf("denied: %v", denied)
	}
	r.expectFailures(t, map[string]int{})
}

func TestNoDocumentedRightIsMoreThanIsNeeded(t *testing.T) {
	server := redistest.Start(t)
	rule := documentedRights(t, "one server")
	at := slices.Index(rule, "-@all")
	if at < 0 || len(rule) < at+2 {
		t.Fatalf("the rule %v gives no commands", rule)
	}
	for i := at + 1; i < len(rule); i++ {
		t.Run(rule[i], func(t *testing.T) {
			server.User([]string{"ACL", "SETUSER", "mfa-enrollment", "reset"})
			server.User(slices.Delete(slices.Clone(rule), i, i+1))
			server.Admin.FlushAll(t.Context())
			server.Admin.ScriptFlush(t.Context())
			server.Admin.Do(t.Context(), "ACL", "LOG", "RESET")
			everything(t, newRig(), server)
			if len(server.Denied()) == 0 {
				t.Error("all goes well without it")
			}
		})
	}
}

func TestOtherKeysAndCommandsAreDenied(t *testing.T) {
	server := redistest.Start(t)
	server.User(documentedRights(t, "one server"))
	limited := redis.NewClient(&redis.Options{Network: "unix", Addr: server.Socket, Username: "mfa-enrollment", Password: aclPassword})
	t.Cleanup(func() { _ = limited.Close() })
	for _, command := range [][]any{
		{"get", "somebody-else"}, {"keys", "*"}, {"scan", "0"}, {"flushall"}, {"config", "get", "*"}, {"dump", entryName("x")},
	} {
		if err := limited.Do(t.Context(), command...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v: %v, want it denied", command, err)
		}
	}
}
