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
// they share again within six seconds, although nobody starts it again.
func expectFailover(t *testing.T, url enroll.Secret, kill func()) {
	t.Helper()
	linkA, told := open(t, url.Reveal(), 0)
	linkB, _ := open(t, url.Reveal(), 0)
	one, other := linkA.Subsystem(Pending), linkB.Subsystem(Pending)
	if !shares(t, one, other, "before") {
		t.Fatalf("they do not share: %s", told.logged())
	}
	kill()
	killed := time.Now()
	shared := func() bool { return shares(t, one, other, "after") && shares(t, other, one, "and back") }
	for !shared() {
		if time.Since(killed) > 20*time.Second {
			t.Fatalf("they never share again: %q, %q, %s", linkA.Notes(), linkB.Notes(), told.logged())
		}
		time.Sleep(20 * time.Millisecond)
	}
	took := time.Since(killed)
	t.Logf("sharing again after %v", took.Round(10*time.Millisecond))
	if took > 6*time.Second {
		t.Errorf("sharing again took %v, want 6 s at most", took)
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
	expectFailover(t, c.URL(""), master.Kill)
}

func TestTheMasterUnderSentinelDies(t *testing.T) {
	s := redistest.StartSentinels(t)
	expectFailover(t, s.URL(""), s.Master.Kill)
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
