package pending

import (
	"testing"

	"mfa-enrollment/internal/redislink/redistest"
)

func TestRedisKilledAndRestarted(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	linkA, linkB := newLink(t, r, server.URL("")), newLink(t, r, server.URL(""))
	a, b := newRedisWith(t, linkA, r.options(sealKey(1))), newRedisWith(t, linkB, r.options(sealKey(1)))
	before, during := r.enrollment("before"), r.enrollment("during")
	save(a, before, "alias")
	expectFound(t, b, "alias", before)
	r.expect(t, 0, map[string]int{})

	held := a.Hold(t.Context(), "held")
	server.Kill()
	expectAbsent(t, a, "before")
	save(b, during, "next")
	expectFound(t, b, "next", during)
	expectExclusion(t, "during", b)
	if b.Len() != 1 {
		t.Errorf("%d are kept here", b.Len())
	}
	held.Save(r.enrollment("held"), "")
	if !held.Release(t.Context()) {
		t.Error("nobody else took what was held")
	}
	expectFound(t, a, "held", r.enrollment("held"))
	across := b.Hold(t.Context(), "across")

	server.Restart()
	eventually(t, "both replicas found Redis again", func() bool { return len(linkA.Notes())+len(linkB.Notes()) == 0 })
	expectAbsent(t, b, "next")
	if a.Len()+b.Len() != 0 {
		t.Errorf("%d and %d enrollments of the outage are remembered", a.Len(), b.Len())
	}
	across.Save(r.enrollment("across"), "")
	if !across.Release(t.Context()) {
		t.Error("nobody else holds it")
	}
	expectFound(t, a, "across", r.enrollment("across"))
	expectSharing(t, r, a, b)
}

// What was verified must not be shown again while Redis answers, also where the
// lock was not Redis's.
func TestWhatIsVerifiedDuringAnOutageIsSoAfterwards(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	way := redistest.NewGate(t, server.Socket)
	link := newLink(t, r, way.URL())
	cutOff, other := newRedisWith(t, link, r.options(sealKey(1))), newRedis(t, r, server.URL(""))
	save(other, r.enrollment("key"), "")
	way.Shut(true)
	cutOff.Find(t.Context(), "key")
	h := cutOff.Hold(t.Context(), "key")
	way.Shut(false)
	eventually(t, "Redis was back", func() bool { return len(link.Notes()) == 0 })
	done := verified(r.enrollment("key"))
	h.Save(done, "")
	if !h.Release(t.Context()) {
		t.Error("nobody else holds it")
	}
	expectFound(t, other, "key", done)
	expectFound(t, cutOff, "key", done)
}

func TestAClosedLinkLeavesTheMemory(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	link := newLink(t, r, server.URL(""))
	s := newRedisWith(t, link, r.options(sealKey(1)))
	link.Close()
	save(s, r.enrollment("key"), "")
	expectFound(t, s, "key", r.enrollment("key"))
}
