package pending

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/internal/redislink/redistest"
)

func TestReplicasShare(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	a, b := newRedis(t, r, server.URL("")), newRedis(t, r, server.URL(""))
	p := r.enrollment("one", "two")

	a.Save(t.Context(), p)
	expectFound(t, b, "two", p)

	if n, _ := a.CountTry(t.Context(), "one", time.Hour); n != 1 {
		t.Errorf("the first try is number %d", n)
	}
	if n, _ := b.CountTry(t.Context(), "one", time.Hour); n != 2 {
		t.Errorf("the second try, at another replica, is number %d", n)
	}

	b.Delete(t.Context(), p)
	expectAbsent(t, a, "one")
	expectAbsent(t, a, "two")
	if a.Len() != 0 {
		t.Error("a copy of what another replica deleted is still kept")
	}

	expectExclusion(t, a, b)
	expectOneCreation(t, r, a, b)
	r.expectFailures(t, map[string]int{})
}

func TestEverythingInRedisEnds(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	s.Save(t.Context(), r.enrollment("one", "two"))
	s.CountTry(t.Context(), "one", time.Minute)
	unlock := s.Lock(t.Context(), "one")
	defer unlock()
	want := map[string]time.Duration{
		entryName("one"): 15 * time.Minute,
		entryName("two"): 15 * time.Minute,
		triesName("one"): time.Minute,
		lockName("one"):  lockTTL,
	}
	if got := server.Values(); len(got) != len(want) {
		t.Errorf("Redis has %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	for name, most := range want {
		if left := server.Admin.PTTL(t.Context(), name).Val(); left <= 0 || left > most {
			t.Errorf("%s ends in %v, want at most %v", name, left, most)
		}
	}
}

func TestACounterWithoutAnEndGetsOne(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	server.Admin.Set(t.Context(), triesName("key"), 7, 0)
	if n, reset := s.CountTry(t.Context(), "key", time.Minute); n != 8 || reset <= 0 || reset > time.Minute {
		t.Errorf("try %d, and the window ends in %v", n, reset)
	}
	if left := server.Admin.PTTL(t.Context(), triesName("key")).Val(); left <= 0 {
		t.Errorf("it ends in %v", left)
	}
}

func TestDeletingLeavesNothingInRedis(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	p := r.enrollment("one", "two")
	s.Save(t.Context(), p)
	s.CountTry(t.Context(), "one", time.Minute)
	s.Lock(t.Context(), "one")()
	s.Delete(t.Context(), p)
	if left := server.Values(); len(left) != 0 {
		t.Errorf("%v", slices.Sorted(maps.Keys(left)))
	}
}

// encodings are the ways in which a value could be in a dump without being
// sealed.
func encodings(value string) []string {
	b := []byte(value)
	all := []string{value, hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), fmt.Sprintf("%d", b)}
	// In base64 a value looks different at each of three offsets; what comes
	// before and after takes up to two characters at either end.
	for offset := range 3 {
		coded := base64.RawStdEncoding.EncodeToString(append(make([]byte, offset), b...))
		coded = coded[4 : len(coded)-2]
		all = append(all, coded, strings.NewReplacer("+", "-", "/", "_").Replace(coded))
	}
	return all
}

func TestADumpOfRedisAndTheLogHoldNoSecret(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	p := r.enrollment("one", "two")
	s.Save(t.Context(), p)
	s.CountTry(t.Context(), "one", time.Minute)
	unlock := s.Lock(t.Context(), "one")
	var dump strings.Builder
	for name, value := range server.Values() {
		dump.WriteString(name + "\n" + value + "\n")
	}
	if dump.Len() == 0 {
		t.Fatal("the dump is empty")
	}
	unlock()
	server.Kill()
	s.Load(t.Context(), "one")
	if r.logged() == "" {
		t.Fatal("the log is empty")
	}
	for _, secret := range []string{p.Secret.Reveal(), p.Session.Reveal(), p.AccountName, string(sealKey(1))} {
		for _, coded := range encodings(secret) {
			if strings.Contains(dump.String(), coded) {
				t.Errorf("Redis holds %q", coded)
			}
			if strings.Contains(r.logged(), coded) {
				t.Errorf("the log holds %q", coded)
			}
		}
	}
}

func TestAnEntryInRedisThatIsNotItsOwn(t *testing.T) {
	for _, tt := range []struct {
		name     string
		tamper   func(t *testing.T, server *redistest.Server)
		failures map[string]int
	}{
		{"swapped with another: refused", func(t *testing.T, server *redistest.Server) {
			server.Admin.Set(t.Context(), entryName("key"), server.Values()[entryName("other")], time.Hour)
		}, map[string]int{opOpen: 1}},
		{"altered: refused", func(t *testing.T, server *redistest.Server) {
			server.Admin.SetRange(t.Context(), entryName("key"), 40, "altered")
		}, map[string]int{opOpen: 1}},
		{"lengthened: refused", func(t *testing.T, server *redistest.Server) {
			server.Admin.Append(t.Context(), entryName("key"), "!")
		}, map[string]int{opOpen: 1}},
		{"cut short: refused", func(t *testing.T, server *redistest.Server) {
			blob := server.Values()[entryName("key")]
			server.Admin.Set(t.Context(), entryName("key"), blob[:len(blob)-1], time.Hour)
		}, map[string]int{opOpen: 1}},
		{"emptied: refused", func(t *testing.T, server *redistest.Server) {
			server.Admin.Set(t.Context(), entryName("key"), "", time.Hour)
		}, map[string]int{opOpen: 1}},
		{"sealed by a key that is not known here: refused, and left to those who know it", func(t *testing.T, server *redistest.Server) {
			ahead := newTestSealer(t, sealKey(9))
			blob := mustSeal(t, ahead, "key", newRig().enrollment("key"))
			server.Admin.Set(t.Context(), entryName("key"), blob, time.Hour)
		}, map[string]int{opOpen: 1}},
		{"in the format of a later release: refused, and left to those who know it", func(t *testing.T, server *redistest.Server) {
			server.Admin.SetRange(t.Context(), entryName("key"), 0, string(rune(sealVersion+1)))
		}, map[string]int{opOpen: 1}},
		{"given a longer life: not found once it expired", func(t *testing.T, server *redistest.Server) {
			old := newRig().enrollment("key")
			old.Expires = old.Started.Add(-time.Second)
			blob := mustSeal(t, newTestSealer(t, sealKey(1)), "key", old)
			server.Admin.Set(t.Context(), entryName("key"), blob, time.Hour)
		}, map[string]int{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, r := redistest.Start(t), newRig()
			s := newRedis(t, r, server.URL(""))
			s.Save(t.Context(), r.enrollment("key"))
			s.Save(t.Context(), r.enrollment("other"))
			tt.tamper(t, server)
			expectAbsent(t, s, "key")
			r.expectFailures(t, tt.failures)
			expectFound(t, s, "other", r.enrollment("other"))
		})
	}
}

// Rotation, step by step as docs/pending.md gives it, with two replicas of which
// one is always a step ahead.
func TestRotationLosesNothing(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	before, after := sealKey(1), sealKey(2)
	steps := [][][]byte{{before}, {before, after}, {after, before}, {after}}
	for i := 1; i < len(steps); i++ {
		behind, ahead := newRedisWith(t, newLink(t, r, server.URL("")), r.options(steps[i-1]...)), newRedisWith(t, newLink(t, r, server.URL("")), r.options(steps[i]...))
		if i == len(steps)-1 {
			// The last step comes when all that the old key sealed has expired.
			server.Admin.FlushAll(t.Context())
		}
		for from, to := range map[*Redis]*Redis{behind: ahead, ahead: behind} {
			key := fmt.Sprintf("%d %p", i, from)
			from.Save(t.Context(), r.enrollment(key))
			expectFound(t, to, key, r.enrollment(key))
		}
	}
	r.expectFailures(t, map[string]int{})
}

func TestALockThatWasLostIsCounted(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	unlock := s.Lock(t.Context(), "key")
	server.Admin.Del(t.Context(), lockName("key"))
	unlock()
	r.expectFailures(t, map[string]int{opLock: 1})
}

func TestALockOfADeadHolderDoesNotStopALaterOne(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	server.Admin.Set(t.Context(), lockName("key"), "of one who died", 50*time.Millisecond)
	s.Lock(t.Context(), "key")()
	r.expectFailures(t, map[string]int{})
}
