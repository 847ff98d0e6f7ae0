package events

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/redislink/redistest"
	"mfa-enrollment/metrics"
)

// linked is a replica's outbox over a real Redis.
func linked(t testing.TB, url enroll.Secret, receiver string) (*Outbox, *counts) {
	t.Helper()
	link, err := redislink.Open(url, redislink.Options{LookEvery: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Close)
	b, c := newOutbox(t, receiver, nil, link.Subsystem(redislink.Events))
	t.Cleanup(func() { closed(b) })
	return b, c
}

func TestTheDocumentedRightsAreEnough(t *testing.T) {
	server := redistest.Start(t)
	server.User(redistest.Rights(t, "one server", "Correct-Horse-Battery"))
	r := &testReceiver{t: t, secret: oldSecret}
	receiver := httptest.NewServer(r)
	defer receiver.Close()
	b, c := linked(t, server.URL("mfa-enrollment:Correct-Horse-Battery@"), receiver.URL)
	r.set(0, func(n int) int { return []int{500, 200, 200, 200}[n] })
	for n := range 3 {
		b.Happened(happening(0, n))
	}
	eventually(t, "it was tried", func() bool { return c.of(metrics.EventRefused) == 1 })
	c.clock.Advance(checkEvery + firstPause)
	eventually(t, "they came", func() bool { return r.count() == 3 })
	eventually(t, "nothing waits", func() bool { n, _ := b.Waiting(); return n == 0 })
	if denied := server.Denied(); len(denied) > 0 {
		t.Errorf("denied: %v", denied)
	}
	eventually(t, "nothing is left but the replica's mark", func() bool {
		keys := server.Admin.Keys(t.Context(), "*").Val()
		return len(keys) == 1 && strings.Contains(keys[0], "events:replica:")
	})
}

// The rights of an earlier release are not enough, and harm nothing.
func TestWithoutTheRightsEachReplicaSendsItsOwn(t *testing.T) {
	server := redistest.Start(t)
	server.User([]string{"ACL", "SETUSER", "mfa-enrollment", "on", ">Correct-Horse-Battery", "~mfa-enrollment:*", "-@all", "+eval", "+evalsha", "+time", "+get", "+set", "+del"})
	r := &testReceiver{t: t, secret: oldSecret}
	receiver := httptest.NewServer(r)
	defer receiver.Close()
	b, _ := linked(t, server.URL("mfa-enrollment:Correct-Horse-Battery@"), receiver.URL)
	other, _ := linked(t, server.URL("mfa-enrollment:Correct-Horse-Battery@"), receiver.URL)
	for n := range 4 {
		b.Happened(happening(0, n))
		other.Happened(happening(1, n))
	}
	eventually(t, "they came", func() bool { return r.count() == 8 })
	order, _ := r.taken()
	inOrder(t, order, 4)
}

// A real Redis is killed (SIGKILL, nothing on disk) with all that it holds while the
// receiver is down.
func TestARedisThatIsKilledCostsNoEvent(t *testing.T) {
	server := redistest.Start(t)
	r := &testReceiver{t: t, secret: oldSecret}
	r.set(0, always(503))
	receiver := httptest.NewServer(r)
	defer receiver.Close()
	b, tally := linked(t, server.URL(""), receiver.URL)
	other, otherTally := linked(t, server.URL(""), receiver.URL)
	const each = 4
	at := func(from, to int) {
		for n := from; n < to; n++ {
			for i := range 10 {
				[]*Outbox{b, other}[i%2].Happened(happening(i, n))
			}
		}
	}
	at(0, 2)
	eventually(t, "Redis has them", func() bool {
		return server.Admin.ZCard(t.Context(), b.o.Redis.Key("due")).Val() == 10
	})
	server.Kill()
	at(2, 3)
	eventually(t, "the receiver was asked without Redis", func() bool { return b.o.Redis.Alone() || other.o.Redis.Alone() })
	r.set(0, nil)
	server.Restart()
	at(3, each)
	eventually(t, "they came", func() bool { return r.count() == 10*each })
	order, often := r.taken()
	inOrder(t, order, each)
	again := 0
	for _, n := range often {
		again += n - 1
	}
	t.Logf("40 events, %d came again; %s; %s", again, tally, otherTally)
}

// Who reads Redis learns how many people have events, and nothing of them.
func TestRedisHoldsNothingReadable(t *testing.T) {
	server := redistest.Start(t)
	r := &testReceiver{t: t, secret: oldSecret}
	r.set(0, always(503))
	receiver := httptest.NewServer(r)
	defer receiver.Close()
	b, c := linked(t, server.URL(""), receiver.URL)
	for i := range 6 {
		b.Happened(happening(i, 0))
	}
	eventually(t, "all were tried", func() bool { return c.of(metrics.EventRefused) >= 6 })
	var all strings.Builder
	for _, key := range server.Admin.Keys(t.Context(), "*").Val() {
		all.WriteString(key)
		if strings.Contains(key, ":of:") {
			all.WriteString(strings.Join(server.Admin.LRange(t.Context(), key, 0, -1).Val(), " "))
			if left := server.Admin.PTTL(t.Context(), key).Val(); left <= giveUpAfter || left > keptFor {
				t.Errorf("%s lives for %s", key, left)
			}
		}
	}
	for i := range 6 {
		for _, part := range []string{person(i).Subject, person(i).Username, "203.0.113.9", "phone", "app.enrolled"} {
			if part != "" && strings.Contains(all.String(), part) {
				t.Errorf("Redis shows %q", part)
			}
		}
	}
}
