package app_test

import (
	"strings"
	"testing"

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
	for n := range 20 {
		if r := w.Begin(token, nil); r.Status != 201 {
			t.Fatalf("start %d: %d %s", n, r.Status, r.Body)
		}
	}
	if r := other.Begin(token, nil); r.Status != 429 {
		t.Errorf("status %d for one start more at the other replica, want 429: %s", r.Status, r.Body)
	}
	shared := false
	for _, key := range server.Admin.Keys(t.Context(), "*").Val() {
		shared = shared || strings.Contains(key, "quota:")
	}
	if !shared {
		t.Error("Redis has nothing of the quota: each replica spends all of it")
	}
}
