package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	contract "mfa-enrollment"
	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/program"
	"mfa-enrollment/test/world"
)

func TestMetricsAreServedOnTheAdminAddressAlone(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/"} {
		if r := w.Send("GET", w.URL+path, nil); r.Status != 404 || r.Code(t) != "not_found" {
			t.Errorf("%s on the public address: status %d", path, r.Status)
		}
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		if r := w.Send("GET", w.Admin+path, nil); r.Status != 200 {
			t.Errorf("%s on the admin address: status %d", path, r.Status)
		}
	}
}

func TestEverySeriesExistsAtZeroFromTheStart(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	for _, series := range []string{
		`cognito_requests_total{operation="AssociateSoftwareToken",outcome="ok"}`,
		`cognito_requests_total{operation="RespondToAuthChallenge",outcome="throttled"}`,
		`cognito_request_duration_seconds_count{operation="GetUser"}`,
		`mfa_enrollments_started_total{flow="token",result="created"}`,
		`mfa_enrollments_started_total{flow="session",result="resumed"}`,
		`mfa_enrollments_verified_total{flow="token",result="wrong_code"}`,
		`mfa_preference_changes_total{change="off",result="failed"}`,
		`mfa_challenges_answered_total{challenge="MFA_SETUP",result="ok"}`,
		`mfa_enrollment_duration_seconds_count{flow="session"}`,
		`mfa_code_skew_steps_count`,
		`mfa_codes_rejected_locally_total`,
		`pending_store_errors_total{operation="open"}`,
		`qr_render_duration_seconds_count`,
		`http_problems_total{code="code_mismatch"}`,
		`http_panics_total`,
	} {
		if got := w.Metric(series); got != "0" {
			t.Errorf("%s is %s", series, got)
		}
	}
}

func TestMetricsCountWhatHappened(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
	for series, want := range map[string]string{
		`mfa_enrollments_started_total{flow="token",result="created"}`:                     "1",
		`mfa_enrollments_verified_total{flow="token",result="ok"}`:                         "1",
		`mfa_preference_changes_total{change="on",result="ok"}`:                            "1",
		`cognito_requests_total{operation="AssociateSoftwareToken",outcome="ok"}`:          "1",
		`qr_render_duration_seconds_count`:                                                 "1",
		`http_requests_total{code="201",host="",method="POST",url="/v1/mfa/totp"}`:         "1",
		`build_info{goversion="` + runtime.Version() + `",revision="test",version="test"}`: "1",
		`cognito_request_duration_seconds_count{operation="VerifySoftwareToken"}`:          "1",
		`cognito_requests_total{operation="VerifySoftwareToken",outcome="throttled"}`:      "0",
	} {
		if got := w.Metric(series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
}

func TestStrangersCannotMakeSeries(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	for _, path := range []string{"/a", "/b", "/v1/mfa/totp/123456", "/v1/" + strings.Repeat("x", 1000)} {
		w.Send("GET", w.URL+path, nil)
		w.Send("BREW", w.URL+path, nil)
	}
	scraped := string(w.Send("GET", w.Admin+"/metrics", nil).Body)
	for line := range strings.Lines(scraped) {
		if strings.HasPrefix(line, "http_") && (strings.Contains(line, "123456") || strings.Contains(line, "BREW") || strings.Contains(line, "127.0.0.1")) {
			t.Errorf("what a stranger sent is a label: %s", line)
		}
	}
	if n := strings.Count(scraped, "http_requests_total{"); n > 2 {
		t.Errorf("%d series of http_requests_total for what is not there", n)
	}
}

func TestPromtoolFindsNothingWrong(t *testing.T) {
	t.Parallel()
	promtool := program.Find(t, "promtool")
	w := world.New(t, nil)
	w.Enrolled(w.Token(world.Optional, world.OptionalClient, "ada"))
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(string(w.Send("GET", w.Admin+"/metrics", nil).Body))
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheServiceIsNotReadyWithoutKeysAndLetsNobodyIn(t *testing.T) {
	t.Parallel()
	w := world.Prepare(t, cognitotest.Options{})
	reachable := make(chan struct{})
	door := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		select {
		case <-reachable:
			w.Cognito.ServeHTTP(rw, r)
		default:
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(door.Close)
	w.Endpoint = door.URL
	w.Run(nil)
	if r := w.Send("GET", w.Admin+"/healthz", nil); r.Status != 200 {
		t.Errorf("healthz: status %d", r.Status)
	}
	if r := w.Send("GET", w.Admin+"/readyz", nil); r.Status != 503 {
		t.Errorf("readyz: status %d", r.Status)
	}
	r := w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), nil)
	if r.Status != 502 || r.Code(t) != "upstream_unavailable" {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
	close(reachable)
	w.WaitReady()
}

func TestStopFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"ACCOUNT_LABEL": "username"})
	w.Cognito.Fail("AssociateSoftwareToken", cognitotest.Fault{Delay: 300 * time.Millisecond})
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	done := make(chan world.Reply)
	go func() { done <- w.Begin(token, nil) }()
	for w.Cognito.Calls("AssociateSoftwareToken") == 0 {
		time.Sleep(time.Millisecond)
	}
	w.Stop()
	if r := <-done; r.Status != 201 {
		t.Errorf("the request in flight ended with status %d: %s", r.Status, r.Body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL+"/openapi.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
		t.Error("a stopped service answers")
	}
}

func TestTheContractIsServedAndSound(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	r := w.Send("GET", w.URL+"/openapi.yaml", nil)
	if r.Status != 200 || string(r.Body) != string(contract.OpenAPI) {
		t.Fatalf("status %d", r.Status)
	}
	spec, err := openapi3.NewLoader().LoadFromData(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCORSNamesExactOriginsAndNoCredentials(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	preflight := func(origin string) world.Reply {
		return w.Do(world.Request{Method: "OPTIONS", Path: "/v1/mfa/totp", Header: http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization,content-type"},
		}})
	}
	r := preflight("https://app.example.com")
	if r.Status != 204 || r.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || r.Header.Get("Access-Control-Max-Age") != "7200" {
		t.Errorf("status %d, headers %v", r.Status, r.Header)
	}
	if allowed := r.Header.Get("Access-Control-Allow-Headers"); allowed != "Authorization,Content-Type,Accept,X-Request-Id,traceparent,tracestate,baggage,sentry-trace" {
		t.Errorf("allowed headers are %s", allowed)
	}
	if r.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("credentials are allowed")
	}
	for _, origin := range []string{"https://evil.example.com", "http://app.example.com", "https://app.example.com.evil.test", "null"} {
		if got := preflight(origin).Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s is allowed as %s", origin, got)
		}
	}
	plain := w.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp", Header: http.Header{"Origin": {"https://app.example.com"}}})
	if exposed := plain.Header.Get("Access-Control-Expose-Headers"); exposed != "Retry-After,RateLimit,RateLimit-Policy,WWW-Authenticate,X-Request-Id" {
		t.Errorf("exposed headers are %s", exposed)
	}
}

func TestTheRequestIDIsTheCallersWhenItIsSensible(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	for id, keep := range map[string]bool{
		"4bf92f3577b34da6a3ce929d0e0e4736": true, "trace.42-of_1": true,
		"x": false, "with space here": false, strings.Repeat("a", 65): false, `"><script>`: false,
	} {
		r := w.Do(world.Request{Method: "GET", Path: "/v1/mfa", Header: http.Header{"X-Request-Id": {id}}})
		if got := r.Header.Get("X-Request-Id"); (got == id) != keep || got == "" {
			t.Errorf("%q became %q", id, got)
		}
		if got := r.JSON(t)["requestId"]; got != r.Header.Get("X-Request-Id") {
			t.Errorf("the problem names %v", got)
		}
	}
}

func TestOneLogEventARequestWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	secret := w.Enrolled(token)
	w.Verify(token, world.Object{"code": w.WrongCode(secret)})
	w.Stop()
	var events []world.Object
	for line := range strings.Lines(w.Log.String()) {
		var event world.Object
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("not JSON: %s", line)
		}
		if event["msg"] == "request" {
			events = append(events, event)
		}
	}
	if len(events) != 3 {
		t.Fatalf("%d events for 3 requests", len(events))
	}
	for _, name := range []string{"requestId", "method", "route", "status", "duration", "outcome", "subject", "flow", "clientIp"} {
		if events[0][name] == nil {
			t.Errorf("the event has no %s: %v", name, events[0])
		}
	}
	for _, hidden := range []string{token, secret, w.Cognito.Subject(world.Optional, "ada"), "ada@example.com", "otpauth"} {
		if strings.Contains(w.Log.String(), hidden) {
			t.Errorf("the log holds %q", hidden)
		}
	}
}

func TestBodiesThatBreakTheContract(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	post := func(contentType, body string) world.Reply {
		return w.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp/verify", Token: token, Body: strings.NewReader(body), Header: http.Header{"Content-Type": {contentType}}})
	}
	const jsonType = "application/json"
	tests := map[string]struct {
		contentType, body string
		status            int
		code              string
		fields            []string
	}{
		"not JSON":              {jsonType, "{", 400, "invalid_request", []string{"body"}},
		"a string":              {jsonType, `"483920"`, 400, "invalid_request", []string{"body"}},
		"null":                  {jsonType, `null`, 400, "invalid_request", []string{"body"}},
		"nothing":               {jsonType, ``, 400, "invalid_request", []string{"body"}},
		"two documents":         {jsonType, `{"code":"483920"}{"code":"483921"}`, 400, "invalid_request", []string{"body"}},
		"something after it":    {jsonType, `{"code":"483920"} x`, 400, "invalid_request", []string{"body"}},
		"a member twice":        {jsonType, `{"code":"483920","code":"483921"}`, 400, "invalid_request", []string{"body"}},
		"a member twice inside": {jsonType, `{"code":"483920","clientMetadata":{"a":"1","a":"2"}}`, 400, "invalid_request", []string{"body"}},
		"ten thousand arrays":   {jsonType, strings.Repeat("[", 10000), 400, "invalid_request", []string{"body"}},
		"an unknown member":     {jsonType, `{"code":"483920","sesion":"483920xyz"}`, 400, "invalid_request", []string{"body"}},
		"two wrong members":     {jsonType, `{"code":483920,"deviceName":1}`, 400, "invalid_request", []string{"code", "deviceName"}},
		"no code":               {jsonType, `{}`, 400, "invalid_request", []string{"code"}},
		"letters for digits":    {jsonType, `{"code":"48392O"}`, 400, "invalid_request", []string{"code"}},
		"a form":                {"application/x-www-form-urlencoded", "code=483920", 415, "unsupported_media_type", nil},
		"no content type":       {"", `{"code":"483920"}`, 415, "unsupported_media_type", nil},
		"65 KiB":                {jsonType, `{"code":"483920","deviceName":"` + strings.Repeat("x", 65<<10) + `"}`, 413, "payload_too_large", nil},
		"a charset beside JSON": {jsonType + "; charset=utf-8", `{"code":"48392"}`, 400, "invalid_request", []string{"code"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := post(test.contentType, test.body)
			if r.Status != test.status || r.Code(t) != test.code {
				t.Fatalf("status %d: %s", r.Status, r.Body)
			}
			var fields []string
			if list, ok := r.JSON(t)["fields"].([]any); ok {
				for _, f := range list {
					fields = append(fields, f.(world.Object)["field"].(string))
				}
			}
			slices.Sort(fields)
			if !slices.Equal(fields, test.fields) {
				t.Errorf("fields are %v, want %v", fields, test.fields)
			}
			if strings.Contains(string(r.Body), "48392") {
				t.Error("the reply repeats the submitted value")
			}
		})
	}
	if w.Cognito.Calls("") != 0 {
		t.Error("calls were spent")
	}
}

func TestMethodsThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	r := w.Send("DELETE", w.URL+"/v1/mfa/totp", nil)
	if r.Status != 405 || r.Code(t) != "method_not_allowed" || r.Header.Get("Allow") == "" {
		t.Errorf("status %d, Allow %q: %s", r.Status, r.Header.Get("Allow"), r.Body)
	}
}

// The release binary must not hold the stand-in, which would be a way round
// authentication.
func TestTheServiceDoesNotLinkTheStandIn(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "mfa-enrollment/cmd/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{"mfa-enrollment/app", "mfa-enrollment/cognito"} {
		if !slices.Contains(strings.Fields(string(out)), wanted) {
			t.Fatalf("cmd/api does not even link %s", wanted)
		}
	}
	if strings.Contains(string(out), "cognitotest") {
		t.Error("cmd/api links cognitotest")
	}
}

func TestEveryProblemCodeIsInTheContractAndTheOtherWayRound(t *testing.T) {
	t.Parallel()
	spec, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, code := range spec.Components.Schemas["ProblemCode"].Value.Enum {
		listed = append(listed, code.(string))
	}
	w := world.New(t, nil)
	var counted []string
	for line := range strings.Lines(string(w.Send("GET", w.Admin+"/metrics", nil).Body)) {
		if rest, ok := strings.CutPrefix(line, `http_problems_total{code="`); ok {
			code, _, _ := strings.Cut(rest, `"`)
			counted = append(counted, code)
		}
	}
	slices.Sort(counted)
	slices.Sort(listed)
	if !slices.Equal(counted, listed) {
		t.Errorf("the service knows  %v\nthe contract lists %v", counted, listed)
	}
}

func TestRunReportsEveryFaultOfTheConfigurationAtOnce(t *testing.T) {
	t.Parallel()
	var out, errs world.Buffer
	env := map[string]string{"COGNITO_USER_POOL_IDS": "nonsense", "PENDING_TTL": "soon", "COGNITO_ENDPOINT": "ftp://x", "SEAL_KEYS": "hunter2"}
	if status := app.Run(t.Context(), world.Environ(env), &out, &errs); status != 2 {
		t.Errorf("exit status %d", status)
	}
	for _, name := range []string{"COGNITO_USER_POOL_IDS", "COGNITO_CLIENT_IDS", "TOTP_ISSUER", "PENDING_TTL", "COGNITO_ENDPOINT", "SEAL_KEYS"} {
		if !strings.Contains(errs.String(), name) {
			t.Errorf("%s is not named in:\n%s", name, errs.String())
		}
	}
	if strings.Contains(errs.String(), "hunter2") {
		t.Error("a value is repeated")
	}
}
