package pending

import (
	"testing"

	"mfa-enrollment/internal/redislink/redistest"
)

func TestTheDocumentedRightsAreEnough(t *testing.T) {
	server, r := redistest.Start(t), newRig()
	server.User(redistest.Rights(t, "one server", "Correct-Horse-Battery"))
	url := server.URL("mfa-enrollment:Correct-Horse-Battery@")
	expectSharing(t, r, newRedis(t, r, url), newRedis(t, r, url))
	r.expect(t, 0, map[string]int{})
	if denied := server.Denied(); len(denied) > 0 {
		t.Errorf("denied: %v", denied)
	}
}
