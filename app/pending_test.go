package app_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

func TestAReloadGetsTheSameReply(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	first := w.Begin(token, nil)
	again := w.Begin(token, nil)
	if first.Status != 201 || again.Status != 200 || string(first.Body) != string(again.Body) {
		t.Fatalf("%d %s\n%d %s", first.Status, first.Body, again.Status, again.Body)
	}
	picture := w.Do(world.Request{Method: "GET", Path: "/v1/mfa/totp/qr", Token: token})
	if picture.Status != 200 || scan(t, picture.Body) != first.JSON(t)["otpauthUri"] {
		t.Errorf("the bare picture differs: %d", picture.Status)
	}
	if got := w.Metric("pending_enrollments"); got != "1" {
		t.Errorf("pending_enrollments is %s", got)
	}
	renewed := w.Begin(token, world.Object{"renew": true})
	if renewed.Status != 201 || renewed.JSON(t)["secret"] == first.JSON(t)["secret"] {
		t.Errorf("renew: %d %s", renewed.Status, renewed.Body)
	}
	w.Verify(token, world.Object{"code": w.CodeAt(renewed.JSON(t)["secret"].(string), 0)})
	if got := w.Metric("pending_enrollments"); got != "0" {
		t.Errorf("pending_enrollments is %s after it was verified", got)
	}
}

func wantEqual(t *testing.T, replies []world.Reply) {
	t.Helper()
	created := 0
	for _, r := range replies {
		if string(r.Body) != string(replies[0].Body) || r.Status/100 != 2 {
			t.Fatalf("replies differ:\n%d %s\n%d %s", replies[0].Status, replies[0].Body, r.Status, r.Body)
		}
		if r.Status == 201 {
			created++
		}
	}
	if created != 1 {
		t.Errorf("%d replies say that they made it", created)
	}
}

func TestFiftySimultaneousStartsOverTwoReplicasMakeOneCall(t *testing.T) {
	t.Parallel()
	redis := world.StartRedis(t)
	w := world.NewWith(t, world.Crowd(20), redis.Settings())
	other := w.Replica(redis.Settings())
	w.Cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	for run := range 20 {
		token := w.Token(world.Optional, world.OptionalClient, world.Person(run))
		before := w.Cognito.Calls("AssociateSoftwareToken")
		wantEqual(t, world.Together(50, func(i int) world.Reply { return []*world.World{w, other}[i%2].Begin(token, nil) }))
		if n := w.Cognito.Calls("AssociateSoftwareToken") - before; n != 1 {
			t.Fatalf("run %d: %d calls", run, n)
		}
		secret := w.Begin(token, nil).JSON(t)["secret"].(string)
		w.Clock.Advance(time.Minute)
		if r := other.Verify(token, world.Object{"code": w.CodeAt(secret, 0)}); r.Status != 200 {
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
	}
}

// Of three starts each of the last two waits a second longer than the one before.
// The third is given up meanwhile.
func TestAPageThatIsClosedWhileItWaitsCostsNothing(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"COGNITO_WRITE_RPS": "1", "ACCOUNT_LABEL": "username"})
	begin := time.Now()
	slow := func() bool { return time.Since(begin) > 2*time.Second } // Then a turn may have come before its time.
	waiting := func(n string) {
		w.Await(n+" waiting", func() bool { return slow() || w.Metric(`cognito_quota_queue{operation="AssociateSoftwareToken"}`) == n })
	}
	w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), nil)
	token := w.Token(world.Optional, world.OptionalClient, "grace")
	closed, leave := context.WithCancel(t.Context())
	defer leave()
	var all sync.WaitGroup
	all.Go(func() { w.Begin(w.Token(world.Optional, world.OptionalClient, "linus"), nil) })
	waiting("1")
	all.Go(func() {
		request, err := http.NewRequestWithContext(closed, http.MethodPost, w.URL+"/v1/mfa/totp", http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		request.Header.Set("Authorization", "Bearer "+token)
		if reply, err := http.DefaultClient.Do(request); err == nil {
			_ = reply.Body.Close()
			if slow() {
				return
			}
			t.Errorf("status %d for a page that is gone", reply.StatusCode)
		}
	})
	waiting("2")
	leave()
	waiting("0")
	all.Wait()
	if slow() {
		t.Skip("the machine was so slow that the turn came first")
	}
	if n := w.Cognito.Calls("AssociateSoftwareToken"); n != 2 {
		t.Errorf("%d calls", n)
	}
	if got := w.Metric(`http_problems_total{code="upstream_timeout"}`); got != "0" {
		t.Errorf("%s timeouts of Cognito", got)
	}
}
