package redislink

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink/redistest"
)

// shares reports whether what one replica writes is what the other reads.
func shares(t *testing.T, one, other *Subsystem, value string) bool {
	t.Helper()
	wrote := one.Do(t.Context(), "write", func(ctx context.Context, c redis.UniversalClient) error {
		return c.Set(ctx, one.Key("shared"), value, time.Minute).Err()
	})
	found := make(chan string, 1)
	read := other.Do(t.Context(), "read", func(ctx context.Context, c redis.UniversalClient) error {
		s, err := c.Get(ctx, other.Key("shared")).Result()
		found <- s
		return err
	})
	return wrote && read && <-found == value
}

// expectFailover kills a master under two replicas that share, and expects that
// they share again soon after another node has taken over, although nobody starts
// the master again. How long Redis takes is not theirs to say.
func expectFailover(t *testing.T, url enroll.Secret, kill func(), takenOver func() bool) {
	t.Helper()
	linkA, told := open(t, url.Reveal(), 0)
	linkB, _ := open(t, url.Reveal(), 0)
	one, other := linkA.Subsystem(Pending), linkB.Subsystem(Pending)
	if !shares(t, one, other, "before") {
		t.Fatalf("they do not share: %s", told.logged())
	}
	kill()
	killed, deadline := time.Now(), time.Now().Add(time.Minute)
	wait := func(what string, happened func() bool) time.Duration {
		for !happened() {
			if time.Now().After(deadline) {
				t.Fatalf("%s: never: %q, %q, %s", what, linkA.Notes(), linkB.Notes(), told.logged())
			}
			time.Sleep(20 * time.Millisecond)
		}
		return time.Since(killed)
	}
	// The old master has to be missed first.
	missed := wait("an outage", func() bool {
		return !shares(t, one, other, "meanwhile") || one.Back()+other.Back() > 0
	})
	taken := wait("another master", takenOver)
	shared := wait("sharing", func() bool { return shares(t, one, other, "after") && shares(t, other, one, "and back") })
	t.Logf("missed after %v, taken over after %v, sharing again after %v",
		missed.Round(10*time.Millisecond), taken.Round(10*time.Millisecond), shared.Round(10*time.Millisecond))
	// go-redis by itself takes up to a minute. It is asked every half second.
	if late := shared - taken; late > 10*time.Second {
		t.Errorf("they shared again %v after another node had taken over", late)
	}
	if one.Back() == 0 && other.Back() == 0 {
		t.Error("nobody noticed the outage")
	}
	if strings.Contains(told.logged(), "127.0.0.1") {
		t.Errorf("the log tells an address: %s", told.logged())
	}
}

func TestAMasterOfAClusterDies(t *testing.T) {
	c := redistest.StartCluster(t)
	master := c.Master(t, keyPrefix)
	expectFailover(t, c.URL(""), master.Kill, func() bool { return c.TakenOver(keyPrefix, master) })
}

func TestTheMasterUnderSentinelDies(t *testing.T) {
	s := redistest.StartSentinels(t)
	expectFailover(t, s.URL(""), s.Master.Kill, s.TakenOver)
}

// All keys are in one slot, so that one script can use any of them.
func TestAllKeysAreInOneSlot(t *testing.T) {
	l, _ := open(t, "redis://127.0.0.1:1", time.Hour)
	for _, name := range []string{Pending, Limit, Quota} {
		if key := l.Subsystem(name).Key("a", "b"); !strings.HasPrefix(key, "mfa-enrollment:{1}:"+name+":a:b") {
			t.Errorf("%s", key)
		}
	}
}
