package redislink

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/redislink/redistest"
)

const aclPassword = "Correct-Horse-Battery"

// write is an operation that every subsystem has the right to.
func write(s *Subsystem) func(context.Context, redis.UniversalClient) error {
	return func(ctx context.Context, c redis.UniversalClient) error {
		return c.Set(ctx, s.Key("x"), "y", time.Minute).Err()
	}
}

func TestWhatRedisDeniesOneSubsystemHarmsNoOther(t *testing.T) {
	names := []string{Pending, Limit, Quota, Events}
	for _, denied := range names {
		t.Run(denied, func(t *testing.T) {
			server := redistest.Start(t)
			rule := []string{"ACL", "SETUSER", "mfa-enrollment", "on", ">" + aclPassword, "+set", "~" + keyPrefix + "probe"}
			for _, name := range names {
				if name != denied {
					rule = append(rule, "~"+keyPrefix+name+":*")
				}
			}
			server.User(rule)
			l, w := open(t, server.URL("mfa-enrollment:"+aclPassword+"@").Reveal(), time.Hour)
			for range 3 {
				for _, name := range names {
					if s := l.Subsystem(name); s.Do(t.Context(), "write", write(s)) == (name == denied) {
						t.Errorf("%s: answered is %v", name, name != denied)
					}
				}
			}
			if notes := l.Notes(); len(notes) != 1 || !strings.Contains(notes[0], denied+" (NOPERM)") {
				t.Errorf("the notes are %q", notes)
			}
			if log := w.logged(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "subsystem="+denied+" operation=write reason=NOPERM") {
				t.Errorf("the log: %s", log)
			}
			if got, want := w.failed(), map[string]int{denied + " write": 3}; !maps.Equal(got, want) {
				t.Errorf("the failures are %v, want %v", got, want)
			}
			for _, secret := range []string{aclPassword, "mfa-enrollment", server.Socket} {
				if strings.Contains(w.logged(), secret) {
					t.Errorf("the log tells %q: %s", secret, w.logged())
				}
			}
		})
	}
}

func TestARedisWithoutMemorySaysSo(t *testing.T) {
	server := redistest.Start(t)
	l, w := open(t, server.URL("").Reveal(), time.Hour)
	server.Admin.ConfigSet(t.Context(), "maxmemory", "1")
	if s := l.Subsystem(Pending); s.Do(t.Context(), "write", write(s)) {
		t.Error("answered")
	}
	if notes := l.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "OOM") || !strings.Contains(notes[0], "out of memory") {
		t.Errorf("the notes are %q", notes)
	}
	if !strings.Contains(w.logged(), "reason=OOM") {
		t.Errorf("the log: %s", w.logged())
	}
}

func TestAWrongPasswordIsTold(t *testing.T) {
	server := redistest.Start(t)
	server.User([]string{"ACL", "SETUSER", "mfa-enrollment", "on", ">" + aclPassword, "+@all", "~*"})
	l, _ := open(t, server.URL("mfa-enrollment:another@").Reveal(), time.Hour)
	if s := l.Subsystem(Pending); s.Do(t.Context(), "write", write(s)) {
		t.Error("answered")
	}
	if notes := l.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "WRONGPASS") {
		t.Errorf("the notes are %q", notes)
	}
}

// The documented rights are those of the commands in the scripts, of running
// scripts, and of the link's probe: one more would be needless, and one less
// would fail somewhere.
func TestTheDocumentedRightsAreThoseThatAreNeeded(t *testing.T) {
	needed := map[string]bool{"+eval": true, "+evalsha": true, "+set": true}
	command := regexp.MustCompile(`redis\.p?call\(['"](\w+)['"]`)
	for _, pattern := range []string{"../pending/*.go", "../pending/*.lua", "../limit/*.lua", "../quota/*.lua", "../events/*.lua"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range command.FindAllStringSubmatch(string(text), -1) {
				needed["+"+strings.ToLower(found[1])] = true
			}
		}
	}
	rule := redistest.Rights(t, "one server", aclPassword)
	given := rule[slices.Index(rule, "-@all")+1:]
	slices.Sort(given)
	if want := slices.Sorted(maps.Keys(needed)); !slices.Equal(given, want) {
		t.Errorf("docs/pending.md gives   %s\nthe scripts need         %s", strings.Join(given, " "), strings.Join(want, " "))
	}
}

func TestOtherKeysAndCommandsAreDenied(t *testing.T) {
	server := redistest.Start(t)
	server.User(redistest.Rights(t, "one server", aclPassword))
	limited := redis.NewClient(&redis.Options{Network: "unix", Addr: server.Socket, Username: "mfa-enrollment", Password: aclPassword})
	t.Cleanup(func() { _ = limited.Close() })
	for _, command := range [][]any{
		{"get", "somebody-else"}, {"keys", "*"}, {"scan", "0"}, {"flushall"}, {"config", "get", "*"}, {"dump", keyPrefix + "pending:x"},
	} {
		if err := limited.Do(t.Context(), command...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v: %v, want it denied", command, err)
		}
	}
}
