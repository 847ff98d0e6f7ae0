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
)

func TestStartingAgainGivesTheSameEnrollment(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	first := w.begin(token, nil)
	again := w.begin(token, nil)
	if first.status != 201 || again.status != 200 || string(first.body) != string(again.body) {
		t.Fatalf("%d %s\n%d %s", first.status, first.body, again.status, again.body)
	}
	refreshed := w.begin(w.token(optional, optionalClient, "ada"), nil)
	if refreshed.status != 200 || string(refreshed.body) != string(first.body) {
		t.Errorf("a new token of the same person: %d %s", refreshed.status, refreshed.body)
	}
	picture := w.do(request{method: "POST", path: "/v1/mfa/totp", token: token, header: http.Header{"Accept": {"image/png"}}})
	if picture.status != 200 || scan(t, picture.body) != first.json(t)["otpauthUri"] {
		t.Errorf("the bare picture differs: %d", picture.status)
	}
	if n := w.cognito.Calls("AssociateSoftwareToken"); n != 1 {
		t.Errorf("%d calls", n)
	}
	if got := w.metric(`mfa_enrollments_started_total{flow="token",result="resumed"}`); got != "3" {
		t.Errorf("resumed is %s", got)
	}
	renewed := w.begin(token, object{"renew": true})
	if renewed.status != 201 || renewed.json(t)["secret"] == first.json(t)["secret"] {
		t.Errorf("renew: %d %s", renewed.status, renewed.body)
	}
	other := w.begin(w.token(optional, optionalClient, "linus"), nil)
	if other.status != 201 || other.json(t)["secret"] == renewed.json(t)["secret"] {
		t.Error("another person gets the same secret")
	}
}

func TestAnySessionOfTheChainResumesAndVerifies(t *testing.T) {
	w := newWorld(t, nil)
	session := w.cognito.Session(required, requiredClient, "grace")
	first := w.begin("", object{"session": session})
	next := first.json(t)["session"].(string)
	for _, s := range []string{session, next} {
		again := w.begin("", object{"session": s})
		if again.status != 200 || string(again.body) != string(first.body) {
			t.Fatalf("%d %s", again.status, again.body)
		}
	}
	renewed := w.begin("", object{"session": session, "renew": true})
	if renewed.status != 201 {
		t.Fatalf("renew with the first session: %d %s", renewed.status, renewed.body)
	}
	// The page that still shows the first reply holds a spent session.
	secret := renewed.json(t)["secret"].(string)
	r := w.verify("", object{"session": next, "code": w.codeAt(secret, 0), "username": "grace", "clientId": requiredClient})
	if r.status != 200 || r.json(t)["tokens"] == nil {
		t.Errorf("verify with an older session: %d %s", r.status, r.body)
	}
	if gone := w.begin("", object{"session": session}); gone.status != 410 {
		t.Errorf("after success the session starts again: %d %s", gone.status, gone.body)
	}
}

func TestAnEnrollmentIsForgottenWhenItIsOverOrTooOld(t *testing.T) {
	w := newWorld(t, map[string]string{"PENDING_TTL": "10m"})
	token := w.token(optional, optionalClient, "ada")
	first := w.begin(token, nil).json(t)["secret"]
	w.clock.Advance(9 * time.Minute)
	if w.begin(token, nil).json(t)["secret"] != first {
		t.Error("forgotten too early")
	}
	w.clock.Advance(2 * time.Minute)
	if r := w.begin(token, nil); r.status != 201 || r.json(t)["secret"] == first {
		t.Errorf("kept too long: %d", r.status)
	}
	w.enrolled(token)
	if r := w.begin(token, nil); r.status != 201 {
		t.Errorf("kept after it was verified: %d", r.status)
	}
}

func TestNothingIsKeptWhenTheTTLIsZero(t *testing.T) {
	w := newWorld(t, map[string]string{"PENDING_TTL": "0"})
	token := w.token(optional, optionalClient, "ada")
	first, second := w.begin(token, nil), w.begin(token, nil)
	if first.status != 201 || second.status != 201 || w.cognito.Calls("AssociateSoftwareToken") != 2 {
		t.Errorf("%d, %d, %d calls", first.status, second.status, w.cognito.Calls("AssociateSoftwareToken"))
	}
	if r := w.verify(token, object{"code": w.codeAt(second.json(t)["secret"].(string), 0)}); r.status != 200 {
		t.Errorf("status %d: %s", r.status, r.body)
	}
}

// together runs n requests at once and returns their replies.
func together(n int, do func(i int) reply) []reply {
	replies := make([]reply, n)
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			replies[i] = do(i)
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	return replies
}

func wantEqual(t *testing.T, replies []reply) {
	t.Helper()
	created := 0
	for _, r := range replies {
		if string(r.body) != string(replies[0].body) || r.status/100 != 2 {
			t.Fatalf("replies differ:\n%d %s\n%d %s", replies[0].status, replies[0].body, r.status, r.body)
		}
		if r.status == 201 {
			created++
		}
	}
	if created != 1 {
		t.Errorf("%d replies say that they made it", created)
	}
}

func TestFiftySimultaneousStartsMakeOneCall(t *testing.T) {
	w := newWorld(t, nil)
	w.cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	token := w.token(optional, optionalClient, "ada")
	wantEqual(t, together(50, func(int) reply { return w.begin(token, nil) }))
	if n := w.cognito.Calls("AssociateSoftwareToken"); n != 1 {
		t.Errorf("%d calls", n)
	}
	session := w.cognito.Session(required, requiredClient, "grace")
	wantEqual(t, together(50, func(int) reply { return w.begin("", object{"session": session}) }))
	if n := w.cognito.Calls("AssociateSoftwareToken"); n != 2 {
		t.Errorf("%d calls", n)
	}
}

func TestFiftySimultaneousStartsOverTwoReplicasMakeOneCall(t *testing.T) {
	redis := startRedis(t)
	w := newWorldWith(t, crowd(20), redis.settings())
	other := w.replica(redis.settings())
	w.cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	for run := range 20 {
		token := w.token(optional, optionalClient, person(run))
		before := w.cognito.Calls("AssociateSoftwareToken")
		wantEqual(t, together(50, func(i int) reply { return []*world{w, other}[i%2].begin(token, nil) }))
		if n := w.cognito.Calls("AssociateSoftwareToken") - before; n != 1 {
			t.Fatalf("run %d: %d calls", run, n)
		}
		secret := w.begin(token, nil).json(t)["secret"].(string)
		w.clock.Advance(time.Minute)
		if r := other.verify(token, object{"code": w.codeAt(secret, 0)}); r.status != 200 {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
	}
}

// Of three starts each of the last two waits a second longer than the one before.
// The third is given up meanwhile.
func TestAPageThatIsClosedWhileItWaitsCostsNothing(t *testing.T) {
	w := newWorld(t, map[string]string{"COGNITO_WRITE_RPS": "1", "ACCOUNT_LABEL": "username"})
	begin := time.Now()
	w.begin(w.token(optional, optionalClient, "ada"), nil)
	token := w.token(optional, optionalClient, "grace")
	closed, leave := context.WithCancel(t.Context())
	defer leave()
	var all sync.WaitGroup
	all.Go(func() { w.begin(w.token(optional, optionalClient, "linus"), nil) })
	w.awaitMetric(`cognito_quota_queue{operation="AssociateSoftwareToken"}`, "1")
	all.Go(func() {
		request, err := http.NewRequestWithContext(closed, http.MethodPost, w.url+"/v1/mfa/totp", http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		request.Header.Set("Authorization", "Bearer "+token)
		if reply, err := http.DefaultClient.Do(request); err == nil {
			_ = reply.Body.Close()
			t.Errorf("status %d for a page that is gone", reply.StatusCode)
		}
	})
	w.awaitMetric(`cognito_quota_queue{operation="AssociateSoftwareToken"}`, "2")
	leave()
	w.awaitMetric(`cognito_quota_queue{operation="AssociateSoftwareToken"}`, "0")
	all.Wait()
	if time.Since(begin) > 2*time.Second {
		t.Skip("the machine was so slow that the turn came first")
	}
	if n := w.cognito.Calls("AssociateSoftwareToken"); n != 2 {
		t.Errorf("%d calls", n)
	}
	if got := w.metric(`http_problems_total{code="upstream_timeout"}`); got != "0" {
		t.Errorf("%s timeouts of Cognito", got)
	}
}

func TestADoubleClickOnVerifySpendsOneUseOfTheSession(t *testing.T) {
	w := newWorld(t, nil)
	w.cognito.SetLatency(cognitotest.Latency{Min: 20 * time.Millisecond})
	e := w.begin("", object{"session": w.cognito.Session(required, requiredClient, "grace")}).json(t)
	code := w.codeAt(e["secret"].(string), 0)
	replies := together(5, func(int) reply {
		return w.verify("", object{"session": e["session"], "code": code, "username": "grace", "clientId": requiredClient})
	})
	for _, r := range replies {
		if r.status != 200 || string(r.body) != string(replies[0].body) {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
	}
	if n := w.cognito.Calls("VerifySoftwareToken"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestFiveWrongCodesDoNotCostTheSession(t *testing.T) {
	w := newWorld(t, nil)
	e := w.begin("", object{"session": w.cognito.Session(required, requiredClient, "grace")}).json(t)
	secret := e["secret"].(string)
	try := func(code string) reply {
		return w.verify("", object{"session": e["session"], "code": code, "username": "grace", "clientId": requiredClient})
	}
	for range 5 {
		if r := try(w.wrongCode(secret)); r.status != 422 || r.code(t) != "code_mismatch" {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
	}
	if r := try(w.codeAt(secret, 0)); r.status != 200 || r.json(t)["tokens"] == nil {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	if n := w.cognito.Calls("VerifySoftwareToken"); n != 1 {
		t.Errorf("the stand-in saw %d Verify calls", n)
	}
	if got := w.metric("mfa_codes_rejected_locally_total"); got != "5" {
		t.Errorf("rejected locally: %s", got)
	}
}

func TestTheSkewOfThePhoneIsTold(t *testing.T) {
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
			w := newWorld(t, nil)
			token := w.token(optional, optionalClient, "ada")
			secret := w.begin(token, nil).json(t)["secret"].(string)
			r := w.verify(token, object{"code": w.codeAt(secret, test.off)})
			if r.status != 422 || r.code(t) != "code_mismatch" {
				t.Fatalf("status %d: %s", r.status, r.body)
			}
			if got := r.json(t); got["clockSkewSeconds"] != test.want || !strings.Contains(got["detail"].(string), test.detail) {
				t.Errorf("clockSkewSeconds is %v: %v", got["clockSkewSeconds"], got["detail"])
			}
		})
	}
	for name, off := range map[string]time.Duration{"30 seconds slow": -30 * time.Second, "30 seconds fast": 30 * time.Second} {
		t.Run(name+" is accepted", func(t *testing.T) {
			w := newWorld(t, nil)
			token := w.token(optional, optionalClient, "ada")
			secret := w.begin(token, nil).json(t)["secret"].(string)
			if r := w.verify(token, object{"code": w.codeAt(secret, off)}); r.status != 200 {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		})
	}
}

func TestEveryThirdWrongCodeByTokenGoesToCognito(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	secret := w.begin(token, nil).json(t)["secret"].(string)
	for range 6 {
		if r := w.verify(token, object{"code": w.wrongCode(secret)}); r.status != 422 {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
	}
	if n := w.cognito.Calls("VerifySoftwareToken"); n != 2 {
		t.Errorf("%d calls for 6 wrong codes", n)
	}
	// Another client asked for a new secret, which the service does not know.
	elsewhere := w.associateElsewhere(token)
	var last reply
	for range 3 {
		last = w.verify(token, object{"code": w.codeAt(elsewhere, 0)})
		if last.status == 200 {
			break
		}
	}
	if last.status != 200 {
		t.Errorf("the newer secret never got through: %d %s", last.status, last.body)
	}
}

// associateElsewhere asks Cognito for a secret as another client would.
func (w *world) associateElsewhere(token string) string {
	w.t.Helper()
	r := w.sendWith("POST", w.endpoint, map[string][]string{
		"X-Amz-Target": {"AWSCognitoIdentityProviderService.AssociateSoftwareToken"}, "Content-Type": {"application/x-amz-json-1.1"},
	}, strings.NewReader(`{"AccessToken":"`+token+`"}`))
	return r.json(w.t)["SecretCode"].(string)
}

func TestACodeThatFitsAndIsRefusedMeansThatTheSecretWasReplaced(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	secret := w.begin(token, nil).json(t)["secret"].(string)
	w.associateElsewhere(token)
	r := w.verify(token, object{"code": w.codeAt(secret, 0)})
	if r.status != 409 || r.code(t) != "enrollment_replaced" {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	if r := w.begin(token, nil); r.status != 201 {
		t.Errorf("starting again resumes what is worthless: %d", r.status)
	}
}

func TestWrongCodesAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	session := w.cognito.Session(required, requiredClient, "grace")
	e := w.begin("", object{"session": session}).json(t)
	secret := e["secret"].(string)
	for range 10 {
		w.verify("", object{"session": e["session"], "code": w.wrongCode(secret)})
	}
	r := w.verify("", object{"session": session, "code": w.codeAt(secret, 0)})
	if r.status != 429 || r.code(t) != "too_many_requests" {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	after, err := strconv.Atoi(r.header.Get("Retry-After"))
	if err != nil || after < 1 || after > 60 {
		t.Fatalf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	w.clock.Advance(time.Duration(after) * time.Second)
	if r := w.verify("", object{"session": session, "code": w.codeAt(secret, 0)}); r.status != 200 {
		t.Errorf("after the wait: %d %s", r.status, r.body)
	}
}

func TestTheFirstPhaseIsMeasured(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	secret := w.begin(token, nil).json(t)["secret"].(string)
	if got := w.metric("pending_enrollments"); got != "1" {
		t.Errorf("pending_enrollments is %s", got)
	}
	w.clock.Advance(40 * time.Second)
	w.verify(token, object{"code": w.codeAt(secret, 0)})
	for series, want := range map[string]string{
		`mfa_enrollment_duration_seconds_sum{flow="token"}`: "40",
		`mfa_code_skew_steps_count`:                         "1",
		`pending_enrollments`:                               "0",
	} {
		if got := w.metric(series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
}
