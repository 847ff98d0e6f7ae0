package live

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/app"
	"mfa-enrollment/metrics"
)

// The demonstration's pools and clients.
const (
	optional       = "us-east-1_Optional"
	optionalClient = "demo-optional"
	required       = "us-east-1_Required"
	requiredClient = "demo-required"
)

// service is what `go run ./cmd/demo` runs: the application and the stand-in for
// Cognito, with sockets of their own.
type service struct {
	t       *testing.T
	cognito *cognitotest.Server
	// lose takes Cognito away: nothing listens any more.
	lose func()
	// loseRedis kills the Redis that the service was given, if it was.
	loseRedis func()
	app       *app.App
	stop      func()
}

// startService starts the application; settings are environment variables over
// the demonstration's.
func startService(t *testing.T, settings map[string]string) *service {
	t.Helper()
	standIn, err := cognitotest.New(cognitotest.Options{Pools: cognitotest.DemoPools()})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(standIn)
	t.Cleanup(web.Close)
	environment := map[string]string{
		"ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0",
		"COGNITO_ENDPOINT":       web.URL,
		"COGNITO_USER_POOL_IDS":  optional + "," + required,
		"COGNITO_CLIENT_IDS":     optionalClient + "," + requiredClient,
		"COGNITO_CLIENT_SECRETS": requiredClient + "=demo-secret",
		"TOTP_ISSUER":            "Demo",
	}
	maps.Copy(environment, settings)
	config, err := app.LoadConfig(func(name string) string { return environment[name] })
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(config, app.Options{Logger: slog.New(slog.DiscardHandler), Build: metrics.BuildInfo{Version: "test", Revision: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, cognito: standIn, app: a}
	s.lose = func() {
		web.CloseClientConnections()
		web.Close()
	}
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(s.stop)
	return s
}

// object is a JSON body.
type object = map[string]any

// call sends one request to the API and returns the status and the body.
func (s *service) call(method, path, token string, body object) (int, object) {
	s.t.Helper()
	return s.send("http://"+s.app.Addr()+path, method, http.Header{"Authorization": {"Bearer " + token}}, body)
}

// signIn is InitiateAuth at the stand-in, as a front end does it.
func (s *service) signIn(client, user string) object {
	s.t.Helper()
	web := httptest.NewRecorder()
	body, err := json.Marshal(object{
		"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client,
		"AuthParameters": object{"USERNAME": user, "PASSWORD": "Correct-Horse-1"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.InitiateAuth")
	s.cognito.ServeHTTP(web, r)
	var answer object
	if err := json.Unmarshal(web.Body.Bytes(), &answer); err != nil || web.Code != http.StatusOK {
		s.t.Fatalf("sign-in: %v, status %d: %s", err, web.Code, web.Body)
	}
	return answer
}

func (s *service) send(url, method string, header http.Header, body object) (int, object) {
	s.t.Helper()
	var payload io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		payload = bytes.NewReader(encoded)
		header.Set("Content-Type", "application/json")
	}
	if header.Get("Authorization") == "Bearer " {
		header.Del("Authorization")
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, url, payload)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header = header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer object
	_ = json.NewDecoder(res.Body).Decode(&answer) // What is no JSON is of no interest here.
	return res.StatusCode, answer
}

// want stops the test where a step of the load did not go as meant.
func (s *service) want(what string, wanted, got int) {
	s.t.Helper()
	if got != wanted {
		s.t.Fatalf("%s: status %d, want %d", what, got, wanted)
	}
}

// code is what an authenticator app shows whose clock is off.
func (s *service) code(secret any, off time.Duration) string {
	s.t.Helper()
	text, _ := secret.(string)
	code, err := totp.GenerateCode(text, time.Now().Add(off))
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

// wrong is a code that is not right for at least half an hour.
func (s *service) wrong(secret any) string {
	s.t.Helper()
	near := map[string]bool{}
	for off := -30 * time.Minute; off <= 30*time.Minute; off += 30 * time.Second {
		near[s.code(secret, off)] = true
	}
	for _, candidate := range []string{"000000", "111111", "222222", "333333"} {
		if !near[candidate] {
			return candidate
		}
	}
	s.t.Fatal("every candidate is right")
	return ""
}

// byToken takes one person through everything that an access token allows.
func (s *service) byToken(user string) {
	s.t.Helper()
	token := s.tokenOf(user)
	status, started := s.call(http.MethodPost, "/v1/mfa/totp", token, nil)
	s.want("start", http.StatusCreated, status)
	status, _ = s.call(http.MethodPost, "/v1/mfa/totp/verify", token, object{"code": s.wrong(started["secret"])})
	s.want("a wrong code", http.StatusUnprocessableEntity, status)
	status, _ = s.call(http.MethodPost, "/v1/mfa/totp/verify", token, object{"code": s.code(started["secret"], -3*time.Minute)})
	s.want("the code of a slow phone", http.StatusUnprocessableEntity, status)
	status, _ = s.call(http.MethodPost, "/v1/mfa/totp/verify", token, object{"code": s.code(started["secret"], 0)})
	s.want("verify", http.StatusOK, status)
	status, _ = s.call(http.MethodGet, "/v1/mfa", token, nil)
	s.want("status", http.StatusOK, status)
	status, _ = s.call(http.MethodPut, "/v1/mfa/totp/preference", token, object{"enabled": true, "preferred": true})
	s.want("prefer", http.StatusOK, status)
}

// bySession takes one person through a sign-in that asks for an app, and then
// through one that asks for its code.
func (s *service) bySession(user string) {
	s.t.Helper()
	status, started := s.call(http.MethodPost, "/v1/mfa/totp", "", object{"session": s.cognito.Session(required, requiredClient, user)})
	s.want("start by session", http.StatusCreated, status)
	status, done := s.call(http.MethodPost, "/v1/mfa/totp/verify", "", object{
		"session": started["session"], "code": s.code(started["secret"], 0), "username": user, "clientId": requiredClient,
	})
	s.want("verify by session", http.StatusOK, status)
	if done["tokens"] == nil {
		s.t.Fatal("the sign-in is not complete")
	}
}

// signInWithCode signs in somebody who was enrolled by byToken. The code that
// enrolled cannot be used again, so it is the next one.
func (s *service) signInWithCode(user string) {
	s.t.Helper()
	secret := s.cognito.TOTPSecret(optional, user)
	session := s.signIn(optionalClient, user)["Session"]
	answer := object{"challenge": "SOFTWARE_TOKEN_MFA", "clientId": optionalClient, "username": user, "session": session, "code": s.wrong(secret)}
	status, _ := s.call(http.MethodPost, "/v1/auth/challenge", "", answer)
	s.want("a wrong code at sign-in", http.StatusUnprocessableEntity, status)
	answer["session"], answer["code"] = s.signIn(optionalClient, user)["Session"], s.code(secret, 30*time.Second)
	status, _ = s.call(http.MethodPost, "/v1/auth/challenge", "", answer)
	s.want("sign-in", http.StatusOK, status)
}
