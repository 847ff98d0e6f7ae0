package app_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

func TestStartingAgainGivesTheSameEnrollment(t *testing.T) {
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
	if n := w.Cognito.Calls("AssociateSoftwareToken"); n != 1 {
		t.Errorf("%d calls", n)
	}
	if got := w.Metric(`mfa_enrollments_started_total{flow="token",result="resumed"}`); got != "1" {
		t.Errorf("resumed is %s", got)
	}
	renewed := w.Begin(token, world.Object{"renew": true})
	if renewed.Status != 201 || renewed.JSON(t)["secret"] == first.JSON(t)["secret"] {
		t.Errorf("renew: %d %s", renewed.Status, renewed.Body)
	}
	other := w.Begin(w.Token(world.Optional, world.OptionalClient, "linus"), nil)
	if other.Status != 201 || other.JSON(t)["secret"] == renewed.JSON(t)["secret"] {
		t.Error("another person gets the same secret")
	}
}

func TestAnySessionOfTheChainResumesAndVerifies(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
	first := w.Begin("", world.Object{"session": session})
	next := first.JSON(t)["session"].(string)
	for _, s := range []string{session, next} {
		again := w.Begin("", world.Object{"session": s})
		if again.Status != 200 || string(again.Body) != string(first.Body) {
			t.Fatalf("%d %s", again.Status, again.Body)
		}
	}
	renewed := w.Begin("", world.Object{"session": session, "renew": true})
	if renewed.Status != 201 {
		t.Fatalf("renew with the first session: %d %s", renewed.Status, renewed.Body)
	}
	// The page that still shows the first reply holds a spent session.
	secret := renewed.JSON(t)["secret"].(string)
	r := w.Verify("", world.Object{"session": next, "code": w.CodeAt(secret, 0), "username": "grace", "clientId": world.RequiredClient})
	if r.Status != 200 || r.JSON(t)["tokens"] == nil {
		t.Errorf("verify with an older session: %d %s", r.Status, r.Body)
	}
	if gone := w.Begin("", world.Object{"session": session}); gone.Status != 410 {
		t.Errorf("after success the session starts again: %d %s", gone.Status, gone.Body)
	}
}

func TestAnEnrollmentIsForgottenWhenItIsOverOrTooOld(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"PENDING_TTL": "10m"})
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	first := w.Begin(token, nil).JSON(t)["secret"]
	w.Clock.Advance(9 * time.Minute)
	if w.Begin(token, nil).JSON(t)["secret"] != first {
		t.Error("forgotten too early")
	}
	w.Clock.Advance(2 * time.Minute)
	if r := w.Begin(token, nil); r.Status != 201 || r.JSON(t)["secret"] == first {
		t.Errorf("kept too long: %d", r.Status)
	}
	w.Enrolled(token)
	if r := w.Begin(token, nil); r.Status != 201 {
		t.Errorf("kept after it was verified: %d", r.Status)
	}
}

func TestNothingIsKeptWhenTheTTLIsZero(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"PENDING_TTL": "0"})
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	first, second := w.Begin(token, nil), w.Begin(token, nil)
	if first.Status != 201 || second.Status != 201 || w.Cognito.Calls("AssociateSoftwareToken") != 2 {
		t.Errorf("%d, %d, %d calls", first.Status, second.Status, w.Cognito.Calls("AssociateSoftwareToken"))
	}
	if r := w.Verify(token, world.Object{"code": w.CodeAt(second.JSON(t)["secret"].(string), 0)}); r.Status != 200 {
		t.Errorf("status %d: %s", r.Status, r.Body)
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

func TestFiftySimultaneousStartsMakeOneCall(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	w.Cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	wantEqual(t, world.Together(50, func(int) world.Reply { return w.Begin(token, nil) }))
	if n := w.Cognito.Calls("AssociateSoftwareToken"); n != 1 {
		t.Errorf("%d calls", n)
	}
	session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
	wantEqual(t, world.Together(50, func(int) world.Reply { return w.Begin("", world.Object{"session": session}) }))
	if n := w.Cognito.Calls("AssociateSoftwareToken"); n != 2 {
		t.Errorf("%d calls", n)
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

func TestADoubleClickOnVerifySpendsOneUseOfTheSession(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	w.Cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	e := w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, "grace")}).JSON(t)
	code := w.CodeAt(e["secret"].(string), 0)
	replies := world.Together(5, func(int) world.Reply {
		return w.Verify("", world.Object{"session": e["session"], "code": code, "username": "grace", "clientId": world.RequiredClient})
	})
	for _, r := range replies {
		if r.Status != 200 || string(r.Body) != string(replies[0].Body) {
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
	}
	if n := w.Cognito.Calls("VerifySoftwareToken"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestFiveWrongCodesDoNotCostTheSession(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	e := w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, "grace")}).JSON(t)
	secret := e["secret"].(string)
	try := func(code string) world.Reply {
		return w.Verify("", world.Object{"session": e["session"], "code": code, "username": "grace", "clientId": world.RequiredClient})
	}
	for range 5 {
		if r := try(w.WrongCode(secret)); r.Status != 422 || r.Code(t) != "code_mismatch" {
			t.Fatalf("status %d: %s", r.Status, r.Body)
		}
	}
	if r := try(w.CodeAt(secret, 0)); r.Status != 200 || r.JSON(t)["tokens"] == nil {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	if n := w.Cognito.Calls("VerifySoftwareToken"); n != 1 {
		t.Errorf("the stand-in saw %d Verify calls", n)
	}
	if got := w.Metric("mfa_codes_rejected_locally_total"); got != "5" {
		t.Errorf("rejected locally: %s", got)
	}
}

func TestTheSkewOfThePhoneIsTold(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		off    time.Duration
		want   any // clockSkewSeconds
		detail string
	}{
		"90 seconds slow": {-90 * time.Second, -90.0, "about 90 seconds slow"},
		"2 minutes fast":  {2 * time.Minute, 120.0, "about 2 minutes fast"},
		"10 minutes slow": {-10 * time.Minute, -600.0, "about 10 minutes slow"},
		"11 minutes fast": {11 * time.Minute, nil, "not right"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := world.New(t, nil)
			token := w.Token(world.Optional, world.OptionalClient, "ada")
			secret := w.Begin(token, nil).JSON(t)["secret"].(string)
			r := w.Verify(token, world.Object{"code": w.CodeAt(secret, test.off)})
			if r.Status != 422 || r.Code(t) != "code_mismatch" {
				t.Fatalf("status %d: %s", r.Status, r.Body)
			}
			if got := r.JSON(t); got["clockSkewSeconds"] != test.want || !strings.Contains(got["detail"].(string), test.detail) {
				t.Errorf("clockSkewSeconds is %v: %v", got["clockSkewSeconds"], got["detail"])
			}
		})
	}
	for name, off := range map[string]time.Duration{"30 seconds slow": -30 * time.Second, "30 seconds fast": 30 * time.Second} {
		t.Run(name+" is accepted", func(t *testing.T) {
			w := world.New(t, nil)
			token := w.Token(world.Optional, world.OptionalClient, "ada")
			secret := w.Begin(token, nil).JSON(t)["secret"].(string)
			if r := w.Verify(token, world.Object{"code": w.CodeAt(secret, off)}); r.Status != 200 {
				t.Errorf("status %d: %s", r.Status, r.Body)
			}
		})
	}
}

func TestACodeThatFitsAndIsRefusedMeansThatTheSecretWasReplaced(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Begin(token, nil).JSON(t)["secret"].(string)
	w.AssociateElsewhere(token)
	r := w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)})
	if r.Status != 409 || r.Code(t) != "enrollment_replaced" {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	if r := w.Begin(token, nil); r.Status != 201 {
		t.Errorf("starting again resumes what is worthless: %d", r.Status)
	}
}

func TestWrongCodesAreBounded(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
	e := w.Begin("", world.Object{"session": session}).JSON(t)
	secret := e["secret"].(string)
	for range 10 {
		w.Verify("", world.Object{"session": e["session"], "code": w.WrongCode(secret)})
	}
	r := w.Verify("", world.Object{"session": session, "code": w.CodeAt(secret, 0)})
	if r.Status != 429 || r.Code(t) != "too_many_requests" {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	after, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || after < 1 || after > 60 {
		t.Fatalf("Retry-After is %q", r.Header.Get("Retry-After"))
	}
	w.Clock.Advance(time.Duration(after) * time.Second)
	if r := w.Verify("", world.Object{"session": session, "code": w.CodeAt(secret, 0)}); r.Status != 200 {
		t.Errorf("after the wait: %d %s", r.Status, r.Body)
	}
}

func TestTheFirstPhaseIsMeasured(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Begin(token, nil).JSON(t)["secret"].(string)
	if got := w.Metric("pending_enrollments"); got != "1" {
		t.Errorf("pending_enrollments is %s", got)
	}
	w.Clock.Advance(40 * time.Second)
	w.Verify(token, world.Object{"code": w.CodeAt(secret, 0)})
	for series, want := range map[string]string{
		`mfa_enrollment_duration_seconds_sum{flow="token"}`: "40",
		`mfa_code_skew_steps_count`:                         "1",
		`pending_enrollments`:                               "0",
	} {
		if got := w.Metric(series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
}
