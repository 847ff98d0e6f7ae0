package quota

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/redislink/redistest"
)

func TestReplicasShareTokensRoomLineAndRate(t *testing.T) {
	server, ctx := redistest.Start(t), t.Context()
	client := openLink(t, server.URL(""))
	one, other := sharedBy(t, client, "eu-west-1", asSlow), sharedBy(t, client, "eu-west-1", asSlow)
	one.take(ctx, looking(aStart("1")), 0)
	if v := other.take(ctx, looking(aStart("2")), 0); !near(v.wait, price/asSlow) || v.wait == 0 {
		t.Errorf("second in the line: %+v", v)
	}
	if !one.take(ctx, claim{}, 0).granted || !other.take(ctx, claim{}, 0).granted {
		t.Error("two tokens were not there")
	}
	if one.take(ctx, claim{}, 0).granted || other.take(ctx, claim{}, 0).granted {
		t.Error("a third token was")
	}
	if elsewhere := sharedBy(t, client, "us-east-1", asSlow); !elsewhere.take(ctx, claim{}, 0).granted {
		t.Error("another region has no quota")
	}
	keys, err := server.Admin.Keys(ctx, "*").Result()
	if err != nil || len(keys) != 4 {
		t.Errorf("%v, %v", keys, err)
	}
	for _, key := range keys {
		if ttl := server.Admin.TTL(ctx, key).Val(); ttl <= 0 || ttl > time.Hour {
			t.Errorf("%s lives for %v", key, ttl)
		}
	}

	fast, faster := sharedBy(t, client, "rate", 2), sharedBy(t, client, "rate", 2)
	begin := time.Now()
	fast.refused(ctx, 0)
	faster.take(ctx, claim{}, 0)
	if rate := faster.rate(); time.Since(begin) < 2*time.Second && rate >= 2 {
		t.Errorf("after a refusal at one replica the other goes at %v", rate)
	}
}

func TestSimultaneousReplicasNeverTakeATokenTwice(t *testing.T) {
	client := openLink(t, redistest.Start(t).URL(""))
	var mu sync.Mutex
	var all sync.WaitGroup
	granted := 0
	for range 4 {
		replica := sharedBy(t, client, "x", asSlow)
		for range 20 {
			all.Go(func() {
				if replica.take(context.Background(), claim{}, 0).granted {
					mu.Lock()
					defer mu.Unlock()
					granted++
				}
			})
		}
	}
	all.Wait()
	if granted != 2 {
		t.Errorf("%d of 2 tokens were granted", granted)
	}
}

func TestWithoutRedisAReplicaHasTheQuotaToItself(t *testing.T) {
	nowhere := openLink(t, enroll.Secret("unix://"+filepath.Join(t.TempDir(), "none")))
	failed := 0
	s := newSharedAccount(SharedQuota{Redis: nowhere.Subsystem(redislink.Quota), Name: "x"}, asSlow, func() { failed++ })
	if v := s.take(t.Context(), aStart("1"), 0); !v.granted {
		t.Errorf("a start: %+v", v)
	}
	if v := s.take(t.Context(), claim{}, 0); !v.granted {
		t.Errorf("the last token: %+v", v)
	}
	if v := s.take(t.Context(), claim{}, 0); v.granted {
		t.Errorf("one more: %+v", v)
	}
	if failed != 3 {
		t.Errorf("%d failures were counted", failed)
	}
}

func TestTheDocumentedRightsAreEnoughForTheQuota(t *testing.T) {
	server, ctx := redistest.Start(t), t.Context()
	page, err := os.ReadFile("../../docs/rollout.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "Rights for the quota:\n\n```\n")
	rule, _, closed := strings.Cut(after, "\n```")
	if !found || !closed {
		t.Fatal("docs/rollout.md has no block of rights for the quota")
	}
	rights := strings.Fields(strings.ReplaceAll(rule, "PASSWORD", "Correct-Horse-Battery"))
	// Each right in turn is taken away, and none at last.
	first := slices.Index(rights, "-@all") + 1
	for i := first; i <= len(rights); i++ {
		without, taken := slices.Clone(rights), "none"
		if i < len(rights) {
			without, taken = slices.Delete(without, i, i+1), rights[i]
		}
		t.Run("without "+taken, func(t *testing.T) {
			server.User(slices.Insert(without, 3, "reset"))
			server.Admin.FlushAll(ctx)
			server.Admin.ScriptFlush(ctx)
			limited := openLink(t, server.URL("mfa-enrollment:Correct-Horse-Battery@"))
			failed := 0
			s := newSharedAccount(SharedQuota{Redis: limited.Subsystem(redislink.Quota), Name: "x"}, asSlow, func() { failed++ })
			session := aStart("1")
			session.aging = "2"
			s.take(ctx, looking(session), 0)
			s.take(ctx, looking(session), 0)
			s.take(ctx, session, 0)
			s.leave(ctx, "2")
			s.refused(ctx, 0)
			if (failed > 0) != (i < len(rights)) {
				t.Errorf("%d of five calls failed", failed)
			}
		})
	}
}
