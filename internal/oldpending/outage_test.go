package pending

import (
	"testing"
	"time"

	"mfa-enrollment/internal/redislink/redistest"
)

func TestRedisKilledAndRestarted(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	linkA, linkB := newLink(t, r, server.URL("")), newLink(t, r, server.URL(""))
	a, b := newRedisWith(t, linkA, r.options(sealKey(1))), newRedisWith(t, linkB, r.options(sealKey(1)))
	before, during := r.enrollment("before"), r.enrollment("during")
	a.Save(t.Context(), before)
	expectFound(t, b, "before", before)
	r.expectFailures(t, map[string]int{})

	server.Kill()
	expectAbsent(t, a, "before")
	b.Save(t.Context(), during)
	expectFound(t, b, "during", during)
	if n, _ := a.CountTry(t.Context(), "before", time.Hour); n != 1 {
		t.Errorf("the first try counted here is number %d", n)
	}
	expectExclusion(t, a)
	for _, l := range []interface{ Notes() []string }{linkA, linkB} {
		if len(l.Notes()) != 1 {
			t.Errorf("the notes are %q", l.Notes())
		}
	}

	server.Restart()
	eventually(t, "both replicas found Redis again", func() bool { return len(linkA.Notes())+len(linkB.Notes()) == 0 })
	expectAbsent(t, b, "during")
	if n := b.Len(); n != 0 {
		t.Errorf("%d enrollments of the outage are remembered", n)
	}
	after := r.enrollment("after")
	a.Save(t.Context(), after)
	expectFound(t, b, "after", after)
	expectExclusion(t, a, b)
	expectOneCreation(t, r, a, b)
}
