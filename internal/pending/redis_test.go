package pending

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/redislink/redistest"
)

const prefix = "mfa-enrollment:{1}:pending:"

func TestReplicasShare(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	a, b := newRedis(t, r, server.URL("")), newRedis(t, r, server.URL(""))
	expectSharing(t, r, a, b)
	r.expect(t, 0, map[string]int{})
}

// expectSharing lets two replicas do all that stores do together.
func expectSharing(t *testing.T, r *rig, a, b *Redis) {
	t.Helper()
	p := r.enrollment("one")
	if !save(a, p, "two") {
		t.Error("it was not saved")
	}
	expectFound(t, b, "two", p)
	save(b, verified(p), "")
	expectFound(t, a, "two", verified(p))
	if a.Len()+b.Len() != 0 {
		t.Error("a replica keeps by itself what Redis has")
	}
	expectExclusion(t, "exclusive", a, b)
	expectOneCreation(t, r, a, b)
	expectClaim(t, r, a, b)
}

func TestEachStepIsOneRoundTrip(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	save(s, r.enrollment("name"), "alias")
	s.Find(t.Context(), "name") // From here on Redis knows the scripts.
	var n atomic.Int64
	ctx := redislink.WithCounter(t.Context(), &n)
	expect := func(what string, want int64) {
		t.Helper()
		if got := n.Swap(0); got != want {
			t.Errorf("%s: %d round trips, want %d", what, got, want)
		}
	}
	s.Find(ctx, "alias")
	expect("finding by a later session", 1)
	h := s.Hold(ctx, "alias")
	expect("holding by a later session", 1)
	h.Save(r.enrollment("name"), "another alias")
	h.Release(ctx)
	expect("releasing with an entry and a pointer", 1)
}

func TestEverythingInRedisEnds(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	save(s, r.enrollment("one"), "two")
	defer s.Hold(t.Context(), "one").Release(t.Context())
	want := map[string]time.Duration{prefix + "one": 15 * time.Minute, prefix + "two": 15 * time.Minute, prefix + "lock:one": lockTTL}
	if got := server.Values(); len(got) != len(want) {
		t.Errorf("Redis has %d keys, want %d", len(got), len(want))
	}
	for name, most := range want {
		if left := server.Admin.PTTL(t.Context(), name).Val(); left <= 0 || left > most {
			t.Errorf("%s ends in %v, want at most %v", name, left, most)
		}
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
	s, p := newRedis(t, r, server.URL("")), r.enrollment("one")
	save(s, p, "two")
	h := s.Hold(t.Context(), "one")
	var dump strings.Builder
	for name, value := range server.Values() {
		dump.WriteString(name + "\n" + value + "\n")
	}
	if dump.Len() == 0 {
		t.Fatal("the dump is empty")
	}
	server.Kill()
	if h.Release(t.Context()); r.logged() == "" {
		t.Fatal("the log is empty")
	}
	for _, secret := range []string{
		p.Secret.Reveal(), p.Session.Reveal(), p.AccountName, p.SignIn, p.Earlier[0].Secret.Reveal(), p.Earlier[0].SignIn, p.Code, string(sealKey(1)),
	} {
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

// What cannot be opened is treated as absent, counted, and left for those who may
// be able to.
func TestWhatInRedisIsNotItsOwn(t *testing.T) {
	server := redistest.Start(t)
	set := func(value string) func(t *testing.T) {
		return func(t *testing.T) { server.Admin.Set(t.Context(), prefix+"key", value, time.Hour) }
	}
	other := newTestSealer(t, sealKey(9))
	stray, err := other.point("key", "other")
	if err != nil {
		t.Fatal(err)
	}
	for name, tamper := range map[string]func(t *testing.T){
		"swapped with another":  func(t *testing.T) { set(server.Values()[prefix+"other"])(t) },
		"altered":               func(t *testing.T) { server.Admin.SetRange(t.Context(), prefix+"key", 40, "altered") },
		"lengthened":            func(t *testing.T) { server.Admin.Append(t.Context(), prefix+"key", "!") },
		"cut short":             func(t *testing.T) { set(server.Values()[prefix+"key"][:50])(t) },
		"of an unknown key":     set(string(mustSeal(t, other, newRig().enrollment("key")))),
		"of a later release":    func(t *testing.T) { server.Admin.SetRange(t.Context(), prefix+"key", 0, "\x03") },
		"another name's":        func(t *testing.T) { set(server.Values()[prefix+"alias"])(t) },
		"a pointer of a writer": set(string(stray)),
		"a pointer cut short":   set("\x02"),
	} {
		t.Run(name, func(t *testing.T) {
			server.Admin.FlushAll(t.Context())
			r := newRig()
			s := newRedis(t, r, server.URL(""))
			save(s, r.enrollment("key"), "alias")
			save(s, r.enrollment("other"), "")
			tamper(t)
			expectAbsent(t, s, "key")
			h := s.Hold(t.Context(), "key")
			if _, found := h.Pending(); found {
				t.Error("a holder sees it")
			}
			h.Release(t.Context())
			r.expect(t, 2, map[string]int{})
			if server.Admin.Exists(t.Context(), prefix+"key").Val() != 1 {
				t.Error("it was deleted")
			}
			expectFound(t, s, "other", r.enrollment("other"))
		})
	}
}

func TestAnEntryThatRedisKeepsForLongerIsNotFound(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	save(s, r.enrollment("key"), "")
	server.Admin.Persist(t.Context(), prefix+"key")
	r.advance(15 * time.Minute)
	expectAbsent(t, s, "key")
}

// Rotation, step by step as docs/pending.md gives it, with two replicas of which
// one is always a step ahead.
func TestRotationLosesNothing(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	before, after := sealKey(1), sealKey(2)
	steps := [][][]byte{{before}, {before, after}, {after, before}, {after}}
	for i := 1; i < len(steps); i++ {
		behind := newRedisWith(t, newLink(t, r, server.URL("")), r.options(steps[i-1]...))
		ahead := newRedisWith(t, newLink(t, r, server.URL("")), r.options(steps[i]...))
		if i == len(steps)-1 {
			// The last step comes when all that the old key sealed has expired.
			server.Admin.FlushAll(t.Context())
		}
		for from, to := range map[*Redis]*Redis{behind: ahead, ahead: behind} {
			p := r.enrollment(fmt.Sprintf("%d %p", i, from))
			save(from, p, p.Name+"'")
			expectFound(t, to, p.Name+"'", p)
		}
	}
	r.expect(t, 0, map[string]int{})
}

func TestWhoLostTheLockWritesNothing(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, server *redistest.Server){
		"to somebody else": func(t *testing.T, server *redistest.Server) {
			server.Admin.Set(t.Context(), prefix+"lock:key", "somebody else's token", time.Minute)
		},
		"and somebody else was there and is gone": func(t *testing.T, server *redistest.Server) {
			server.Admin.Del(t.Context(), prefix+"lock:key")
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, r := redistest.Start(t), newRig()
			s, p := newRedis(t, r, server.URL("")), r.enrollment("key")
			save(s, p, "")
			h := s.Hold(t.Context(), "key")
			lose(t, server)
			mine := p
			mine.AccountName = "the loser's"
			h.Save(mine, "stray")
			if once, again := h.Release(t.Context()), h.Release(t.Context()); once || again {
				t.Error("it says that it wrote")
			}
			expectFound(t, s, "key", p)
			expectAbsent(t, s, "stray")
		})
	}
}

func TestALockOfADeadHolderDoesNotStopALaterOne(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	server.Admin.Set(t.Context(), prefix+"lock:key", "of one who died", 50*time.Millisecond)
	if h := s.Hold(t.Context(), "key"); !h.Release(t.Context()) {
		t.Error("it is not held")
	}
	r.expect(t, 0, map[string]int{})
}

// Thirty callers who wait for two seconds ask a few times a second, not thirty
// times as often.
func TestWaitingDoesNotHammerRedis(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s, other := newRedis(t, r, server.URL("")), newRedis(t, r, server.URL(""))
	h := other.Hold(t.Context(), "key")
	var n atomic.Int64
	ctx, cancel := context.WithTimeout(redislink.WithCounter(t.Context(), &n), 2*time.Second)
	defer cancel()
	together(30, func(int) { s.Hold(ctx, "key").Release(ctx) })
	if n.Load() > 30 {
		t.Errorf("%d round trips", n.Load())
	}
	h.Release(t.Context())
}

// Where the budget is spent the request goes on, and the lock that comes too late
// is not left behind.
func TestALockThatComesTooLateIsGivenBack(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	s := newRedis(t, r, server.URL(""))
	save(s, r.enrollment("key"), "")
	server.Admin.Do(t.Context(), "client", "pause", time.Minute.Milliseconds(), "write")
	ctx, begin := redislink.WithBudget(t.Context(), 20*time.Millisecond), time.Now()
	h := s.Hold(ctx, "key")
	h.Save(r.enrollment("key"), "late")
	if !h.Release(ctx) || time.Since(begin) >= time.Minute {
		t.Errorf("it took %v", time.Since(begin))
	}
	if server.Admin.Exists(t.Context(), prefix+"late").Val() != 0 {
		t.Error("Redis was not paused")
	}
	server.Admin.Do(t.Context(), "client", "unpause")
	eventually(t, "what was staged was written all the same", func() bool {
		_, found := s.Find(t.Context(), "late")
		return found
	})
	soon, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if h := s.Hold(soon, "key"); soon.Err() != nil || !h.Release(t.Context()) {
		t.Error("the lock is still held by nobody")
	}
}

func TestAReplyThatIsNotUnderstoodIsSurvived(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	link := newLink(t, r, server.URL(""))
	s := newRedisWith(t, link, r.options(sealKey(1)))
	server.Admin.LPush(t.Context(), prefix+"key", "a list")
	expectAbsent(t, s, "key")
	if notes := link.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "WRONGTYPE") {
		t.Errorf("the notes are %q", notes)
	}
}
