package pending

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

func TestRedisKilledAndRestarted(t *testing.T) {
	server, r := startRedis(t), newRig()
	a, b := newRedis(t, r, server.url("")), newRedis(t, r, server.url(""))
	before, during := r.enrollment("before"), r.enrollment("during")
	a.Save(t.Context(), before)
	expectFound(t, b, "before", before)
	r.expectFailures(t, map[string]int{})

	server.kill()
	expectFound(t, a, "before", before)
	expectAbsent(t, b, "before")
	b.Save(t.Context(), during)
	expectFound(t, b, "during", during)
	if n, _ := a.CountTry(t.Context(), "before", time.Hour); n != 1 {
		t.Errorf("the first try counted here is number %d", n)
	}
	expectExclusion(t, a)
	for _, replica := range []*Redis{a, b} {
		if err := replica.Health(); !errors.Is(err, errOutOfReach) {
			t.Errorf("Health tells %v", err)
		}
	}
	for operation, n := range r.told() {
		if n == 0 || operation == opOpen || operation == opDelete {
			t.Errorf("%d failures of %s", n, operation)
		}
	}
	for _, operation := range []string{opLoad, opSave, opLock} {
		if r.told()[operation] == 0 {
			t.Errorf("no failure of %s was counted", operation)
		}
	}
	if !strings.Contains(r.logged(), "connection refused") {
		t.Errorf("the log does not tell why: %s", r.logged())
	}

	server.restart()
	eventually(t, "both replicas found Redis again", func() bool { return a.Health() == nil && b.Health() == nil })
	expectFound(t, a, "during", during)
	after := r.enrollment("after")
	a.Save(t.Context(), after)
	expectFound(t, b, "after", after)
	expectExclusion(t, a, b)
	expectOneCreation(t, r, a, b)
}

// Each case cuts one replica off, so that the two sides differ when it is back.
func TestOneReplicaCutOff(t *testing.T) {
	const key = "key"
	earlier := func(r *rig) enroll.Pending { return r.enrollment(key) }
	later := func(r *rig) enroll.Pending {
		p := r.enrollment(key, "next")
		p.Secret, p.Started = "LATERSECRETLATERSECRETLATERSECRET", p.Started.Add(time.Second)
		return p
	}
	for _, tt := range []struct {
		name   string
		before func(t *testing.T, r *rig, cutOff, other *Redis)
		during func(t *testing.T, r *rig, cutOff, other *Redis)
		want   func(r *rig) enroll.Pending // nil: nothing
	}{
		{
			name: "what it began is shared when it is back",
			during: func(t *testing.T, r *rig, cutOff, _ *Redis) {
				cutOff.Save(t.Context(), later(r))
				expectFound(t, cutOff, key, later(r))
			},
			want: later,
		},
		{
			name:   "what it finished is gone for all when it is back",
			before: func(t *testing.T, r *rig, _, other *Redis) { other.Save(t.Context(), earlier(r)) },
			during: func(t *testing.T, r *rig, cutOff, _ *Redis) {
				cutOff.Delete(t.Context(), earlier(r))
				expectAbsent(t, cutOff, key)
			},
		},
		{
			name:   "what it renewed replaces what Redis has",
			before: func(t *testing.T, r *rig, _, other *Redis) { other.Save(t.Context(), earlier(r)) },
			during: func(t *testing.T, r *rig, cutOff, _ *Redis) { cutOff.Save(t.Context(), later(r)) },
			want:   later,
		},
		{
			name: "what was renewed elsewhere stays",
			during: func(t *testing.T, r *rig, cutOff, other *Redis) {
				cutOff.Save(t.Context(), earlier(r))
				other.Save(t.Context(), later(r))
			},
			want: later,
		},
		{
			name:   "what was begun elsewhere stays when it finished an earlier one",
			before: func(t *testing.T, r *rig, cutOff, _ *Redis) { cutOff.Save(t.Context(), earlier(r)) },
			during: func(t *testing.T, r *rig, cutOff, other *Redis) {
				cutOff.Delete(t.Context(), earlier(r))
				other.Save(t.Context(), later(r))
			},
			want: later,
		},
		{
			name:   "its copy of what was finished elsewhere is not found",
			before: func(t *testing.T, r *rig, cutOff, _ *Redis) { cutOff.Save(t.Context(), earlier(r)) },
			during: func(t *testing.T, r *rig, cutOff, other *Redis) {
				expectFound(t, cutOff, key, earlier(r))
				other.Delete(t.Context(), earlier(r))
			},
		},
		{
			name: "what it began and finished leaves nothing",
			during: func(t *testing.T, r *rig, cutOff, _ *Redis) {
				cutOff.Save(t.Context(), later(r))
				cutOff.Delete(t.Context(), later(r))
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, r := startRedis(t), newRig()
			way := newGate(t, server.socket)
			cutOff, other := newRedis(t, r, way.url()), newRedis(t, r, server.url(""))
			if tt.before != nil {
				tt.before(t, r, cutOff, other)
			}
			way.shut(true)
			cutOff.Load(t.Context(), "anything")
			if cutOff.Health() == nil {
				t.Fatal("it does not know that it is cut off")
			}
			tt.during(t, r, cutOff, other)
			way.shut(false)
			eventually(t, "it was back", func() bool { return cutOff.Health() == nil })
			for _, s := range []*Redis{other, cutOff} {
				if tt.want == nil {
					expectAbsent(t, s, key)
				} else {
					expectFound(t, s, key, tt.want(r))
				}
			}
			if n := len(cutOff.local.unsent()); n != 0 {
				t.Errorf("%d keys were not told to Redis", n)
			}
		})
	}
}

// A save that Redis refuses, with others going through, is told when it is next
// looked for.
func TestWhatRedisRefusedIsToldLater(t *testing.T) {
	server, r := startRedis(t), newRig()
	server.user([]string{"ACL", "SETUSER", "partly", "on", "nopass", "~*", "+get", "+eval", "+evalsha"})
	a, b := newRedis(t, r, server.url("partly:any@")), newRedis(t, r, server.url(""))
	p := r.enrollment("key")
	a.Save(t.Context(), p)
	r.expectFailures(t, map[string]int{opSave: 1})
	if err := a.Health(); !errors.Is(err, errRefuses) {
		t.Errorf("Health tells %v", err)
	}
	expectAbsent(t, b, "key")
	expectFound(t, a, "key", p)

	server.user([]string{"ACL", "SETUSER", "partly", "+set", "+del"})
	expectFound(t, a, "key", p)
	expectFound(t, b, "key", p)
	r.advance(refusalLasts)
	if err := a.Health(); err != nil {
		t.Errorf("Health tells %v a minute after the last refusal", err)
	}
}

func TestARefusalIsLoggedByItsCodeOnceAMinute(t *testing.T) {
	server, r := startRedis(t), newRig()
	server.user([]string{"ACL", "SETUSER", "reader", "on", ">" + aclPassword, "~*", "+get"})
	for name, userinfo := range map[string]string{"NOPERM": "reader:" + aclPassword + "@", "WRONGPASS": "reader:not-" + aclPassword + "@"} {
		t.Run(name, func(t *testing.T) {
			r.log.Reset()
			s := newRedis(t, r, server.url(userinfo))
			for range 5 {
				s.Save(t.Context(), r.enrollment("key"))
				s.CountTry(t.Context(), "key", time.Hour)
				s.Lock(t.Context(), "key")()
			}
			lines := strings.Count(r.logged(), "\n")
			if lines != 1 || !strings.Contains(r.logged(), "reason="+name) {
				t.Errorf("the log has %d lines, want one with the code: %s", lines, r.logged())
			}
			for _, secret := range []string{aclPassword, "reader", "mfa-enrollment:", server.socket} {
				if strings.Contains(r.logged(), secret) {
					t.Errorf("the log tells %q: %s", secret, r.logged())
				}
			}
			expectFound(t, s, "key", r.enrollment("key"))
		})
	}
}

// A Redis that takes connections and never answers must cost one operation its
// patience, and the next ones nothing.
func TestASilentRedisIsNotAskedAgainAtOnce(t *testing.T) {
	way, r := newGate(t, ""), newRig()
	s := newRedis(t, r, way.url()[:len("redis://")+len(way.listener.Addr().String())]+"?read_timeout=10ms&dial_timeout=10ms&write_timeout=10ms")
	s.pause = time.Hour
	p := r.enrollment("key")
	s.Save(t.Context(), p)
	asked := way.connections()
	if asked == 0 {
		t.Fatal("Redis was not asked at all")
	}
	for range 50 {
		expectFound(t, s, "key", p)
		s.CountTry(t.Context(), "key", time.Hour)
		s.Lock(t.Context(), "key")()
	}
	if again := way.connections(); again != asked {
		t.Errorf("Redis was asked %d times more", again-asked)
	}
	r.expectFailures(t, map[string]int{opSave: 51, opLoad: 50, opLock: 50})
	if !strings.Contains(r.logged(), "no answer in time") {
		t.Errorf("the log does not tell why: %s", r.logged())
	}
}

func TestAClosedStoreAnswersFromMemory(t *testing.T) {
	server, r := startRedis(t), newRig()
	s := newRedis(t, r, server.url(""))
	p := r.enrollment("key")
	s.Save(t.Context(), p)
	s.Close()
	s.Close()
	expectFound(t, s, "key", p)
	s.Delete(t.Context(), p)
	expectAbsent(t, s, "key")
}
