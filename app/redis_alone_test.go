package app_test

import (
	"strings"
	"testing"
	"time"

	"mfa-enrollment/test/world"
)

// Without pending enrollments to keep, Redis still is where the replicas share
// the allowances of callers and the quota.
func TestWithoutPendingEnrollmentsReplicasStillShare(t *testing.T) {
	t.Parallel()
	server := world.StartRedis(t)
	settings := server.Settings()
	settings["PENDING_TTL"], settings["COGNITO_WRITE_RPS"] = "0", "1000"
	w := world.New(t, settings)
	other := w.Replica(settings)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	began := time.Now()
	for n := range 20 {
		if r := w.Begin(token, nil); r.Status != 201 {
			t.Fatalf("start %d: %d %s", n, r.Status, r.Body)
		}
	}
	// One more comes every six seconds (docs/threat-model.md, Limits), and a slow
	// machine takes as long. A replica with an allowance of its own gives 20.
	more := 0
	for ; more < 20 && other.Begin(token, nil).Status == 201; more++ {
	}
	if most := int(time.Since(began) / (6 * time.Second)); more > most {
		t.Errorf("the other replica let %d starts more through, want %d at most", more, most)
	}
	shared := false
	for _, key := range server.Admin.Keys(t.Context(), "*").Val() {
		shared = shared || strings.Contains(key, "quota:")
	}
	if !shared {
		t.Error("Redis has nothing of the quota: each replica spends all of it")
	}
}
