package cognitotest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito/cognitotest"
)

// steer serves the admin address and gives a function that asks it.
func (s *standIn) steer(t *testing.T) func(method, path, body string) (int, map[string]any) {
	t.Helper()
	web := httptest.NewServer(s.Admin())
	t.Cleanup(web.Close)
	return func(method, path, body string) (int, map[string]any) {
		t.Helper()
		req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), method, web.URL+path, strings.NewReader(body)))
		res := must[*http.Response](t)(http.DefaultClient.Do(req))
		defer func() { _ = res.Body.Close() }()
		answer := map[string]any{}
		text := must[[]byte](t)(io.ReadAll(res.Body))
		if text[0] == '[' {
			var list []any
			if err := json.Unmarshal(text, &list); err != nil {
				t.Fatal(err)
			}
			answer["list"] = list
		} else if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return res.StatusCode, answer
	}
}

func TestTheAdminAddressGivesCodes(t *testing.T) {
	s := start(t, changePool(required, withSMS), changeUser(required, func(u *cognitotest.User) {
		u.Attributes["phone_number"] = "+15555550123"
		u.TOTPSecret = enrolledSecret
	}))
	ask := s.steer(t)
	const ada = "?pool=us-east-1_Required&username=ada"
	if status, answer := ask("GET", "/code"+ada, ""); status != 400 {
		t.Errorf("a code before one was sent: %v", answer)
	}
	s.clock.advance(0)
	for steps, query := range map[int]string{0: "", -1: "&steps=-1"} {
		if _, answer := ask("GET", "/totp"+ada+query, ""); answer["Code"] != s.code(t, enrolledSecret, steps) || answer["Secret"] != enrolledSecret {
			t.Errorf("%d steps away: %v", steps, answer)
		}
	}
	token := s.SignIn(required, requiredClient, "ada").AccessToken
	pending := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
	if _, answer := ask("GET", "/totp"+ada, ""); answer["Secret"] != pending {
		t.Errorf("the secret that waits for its code: %v", answer)
	}
	if _, answer := ask("GET", "/totp"+ada+"&verified=true", ""); answer["Secret"] != enrolledSecret {
		t.Errorf("the secret that counts: %v", answer)
	}
	for _, path := range []string{"/totp?pool=x", "/code?pool=us-east-1_Required&username=nobody", "/totp" + ada + "&steps=x"} {
		if status, _ := ask("GET", path, ""); status != 400 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestTheAdminAddressSteersTheStandIn(t *testing.T) {
	s := start(t)
	ask := s.steer(t)
	tokens := s.SignIn(optional, optionalClient, "ada")
	if status, answer := ask("POST", "/clock", `{"Advance":"61m"}`); status != 200 || answer["Offset"] != "1h1m0s" {
		t.Errorf("clock: %v", answer)
	}
	wantException(t, s.getUser(t, tokens.AccessToken), "NotAuthorizedException", "Access Token has expired")
	token := s.SignIn(optional, optionalClient, "ada").AccessToken

	for _, call := range [][2]string{
		{"/faults", `{"Operation":"GetUser","Faults":[{"Exception":"InternalErrorException","Delay":"1ms"},{}]}`},
	} {
		if status, answer := ask("POST", call[0], call[1]); status != 200 {
			t.Fatalf("%s: %v", call[0], answer)
		}
	}
	wantException(t, s.getUser(t, token), "InternalErrorException", "")
	if err := s.getUser(t, token); err != nil {
		t.Error(err)
	}
	if status, answer := ask("PUT", "/quota", `{"UserRead":1}`); status != 200 {
		t.Errorf("quota: %v", answer)
	}
	if err := s.getUser(t, token); err != nil {
		t.Error(err)
	}
	wantException(t, s.getUser(t, token), "TooManyRequestsException", "Rate exceeded")
	ask("PUT", "/quota", `{}`)
	if status, answer := ask("PUT", "/latency", `{"Min":"20ms"}`); status != 200 {
		t.Errorf("latency: %v", answer)
	}
	began := time.Now()
	if err := s.getUser(t, token); err != nil || time.Since(began) < 20*time.Millisecond {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	ask("PUT", "/latency", `{}`)
	if status, answer := ask("PUT", "/variants", `{"SessionLength":30}`); status != 200 {
		t.Errorf("variants: %v", answer)
	}
	if in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient)); len(*in.Session) != 30 {
		t.Errorf("a session of %d characters", len(*in.Session))
	}
	_, answer := ask("GET", "/calls", "")
	calls := answer["list"].([]any)
	last, first := calls[len(calls)-1].(map[string]any), calls[0].(map[string]any)
	if last["Operation"] != "InitiateAuth" || last["Status"] != 200.0 || first["Exception"] != "NotAuthorizedException" {
		t.Errorf("the log of calls: %v", calls)
	}
	for path, body := range map[string]string{
		"POST /faults": `{"Operation":"NoSuch"}`, "PUT /quota": `{"Reads":1}`, "POST /clock": `{"Advance":"x"}`, "PUT /state": `{"Pools":[{}]}`,
	} {
		method, path, _ := strings.Cut(path, " ")
		if status, answer := ask(method, path, body); status != 400 || answer["error"] == "" {
			t.Errorf("%s %s: %d %v", method, path, status, answer)
		}
	}
}

func TestAStateIsDumpedAndLoaded(t *testing.T) {
	first := start(t, changeUser(optional, func(u *cognitotest.User) { u.TOTPSecret, u.AppOff, u.AppName = enrolledSecret, true, "phone" }),
		changePool(optional, func(p *cognitotest.Pool) { p.Clients[0].AuthSessionValidity = 5 * time.Minute }))
	tokens := first.SignIn(optional, optionalClient, "ada")
	first.RotateKeys(optional)
	dump := must[[]byte](t)(json.Marshal(first.Dump()))
	for _, want := range []string{`"AuthSessionValidity":"5m0s"`, `"AppOff":true`} {
		if !strings.Contains(string(dump), want) {
			t.Errorf("the dump lacks %s", want)
		}
	}

	second := empty(t)
	if err := second.Load(must[cognitotest.State](t)(cognitotest.ReadState(dump))); err != nil {
		t.Fatal(err)
	}
	if err := second.getUser(t, tokens.AccessToken); err != nil {
		t.Errorf("the token of before: %v", err)
	}
	if second.Subject(optional, "ada") != first.Subject(optional, "ada") || second.TOTPSecret(optional, "ada") != enrolledSecret ||
		second.MFAEnabled(optional, "ada") || second.DeviceName(optional, "ada") != "phone" {
		t.Error("ada is not who she was")
	}
	if again := must[[]byte](t)(json.Marshal(second.Dump())); string(again) != string(dump) {
		t.Error("dumping what was loaded gives another state")
	}
	must[*cip.InitiateAuthOutput](t)(second.signIn(t, requiredClient))
}

func TestTheTokenEndpoint(t *testing.T) {
	s := start(t)
	ask := s.steer(t)
	token := func(form url.Values) map[string]any {
		t.Helper()
		req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/oauth2/token", strings.NewReader(form.Encode())))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(requiredClient, requiredSecret)
		res := must[*http.Response](t)(http.DefaultClient.Do(req))
		defer func() { _ = res.Body.Close() }()
		var answer map[string]any
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	_, answer := ask("POST", "/authorization-codes", `{"Client":"demo-required","Username":"ada","Scope":"openid email",
		"RedirectURI":"https://app.example.com","CodeChallenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}`)
	code, _ := answer["Code"].(string)
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://app.example.com"},
		"code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}} // RFC 7636 appendix B
	got := token(form)
	access, _ := got["access_token"].(string)
	if part(t, access, 1)["scope"] != "openid email" || got["id_token"] == nil {
		t.Fatalf("got %v", got)
	}
	wantException(t, s.getUser(t, access), "NotAuthorizedException", "Access Token does not have required scopes")
	if again := token(form); again["error"] != "invalid_grant" {
		t.Errorf("the code twice: %v", again)
	}
	refreshed := token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got["refresh_token"].(string)}})
	if renewed, _ := refreshed["access_token"].(string); part(t, renewed, 1)["origin_jti"] != part(t, access, 1)["origin_jti"] {
		t.Errorf("got %v", refreshed)
	}
	for fault, form := range map[string]url.Values{
		"invalid_grant":          {"grant_type": {"refresh_token"}, "refresh_token": {"x"}},
		"unsupported_grant_type": {"grant_type": {"password"}},
	} {
		if got := token(form); got["error"] != fault {
			t.Errorf("got %v, want %s", got, fault)
		}
	}
}
