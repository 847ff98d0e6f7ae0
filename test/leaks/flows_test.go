package leaks_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// dump looks at Redis now.
func (l *leaks) dump() {
	for key, value := range l.redis.Values() {
		_, _ = fmt.Fprintf(&l.dumps, "%s %s\n", key, value)
	}
}

func (l *leaks) prefer(token string, enabled bool) world.Reply {
	return l.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": enabled}})
}

func (l *leaks) status(token string) world.Reply {
	return l.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: token})
}

// everyFlow walks through all that people do.
func (l *leaks) everyFlow(t *testing.T) {
	t.Helper()
	want := func(r world.Reply, status int) world.Reply {
		t.Helper()
		if r.Status != status {
			t.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
		}
		return r
	}
	fingerprint := world.Object{"encodedData": "a-fingerprint-of-the-device-0815", "clientMetadata": world.Object{"campaign": "autumn-of-the-owls"}}
	with := func(b world.Object) world.Object {
		for name, value := range fingerprint {
			b[name] = value
		}
		return b
	}

	// Signed in.
	token := l.Token(world.Optional, world.OptionalClient, leakUser)
	secret := want(l.Begin(token, world.Object{"accountName": "ottoline at home"}), 201).JSON(t)["secret"].(string)
	l.dump()
	want(l.Begin(token, nil), 200)
	for _, picture := range []string{"image/png", "image/svg+xml"} {
		want(l.Do(world.Request{Method: "GET", Path: "/v1/mfa/totp/qr", Token: token, Header: http.Header{"Accept": {picture}}}), 200)
	}
	for range 3 {
		want(l.Verify(token, world.Object{"code": l.WrongCode(secret)}), 422)
	}
	want(l.Verify(token, world.Object{"code": l.CodeAt(secret, -4*time.Minute)}), 422)
	earlier := secret
	secret = want(l.Begin(token, world.Object{"renew": true}), 201).JSON(t)["secret"].(string)
	l.dump()
	if r := l.Verify(token, world.Object{"code": l.CodeAt(earlier, 0)}); r.Code(t) != "superseded_code" {
		t.Fatalf("the earlier secret's code: %d %s", r.Status, r.Body)
	}
	want(l.Verify(token, world.Object{"code": l.CodeAt(secret, 0), "deviceName": leakDevice}), 200)
	want(l.status(token), 200)
	want(l.prefer(token, false), 200)
	want(l.prefer(token, true), 200)

	// During sign-in, in one call and in two.
	session := l.Cognito.Session(world.Required, world.RequiredClient, leakUser)
	e := want(l.Begin("", world.Object{"session": session}), 201).JSON(t)
	l.dump()
	want(l.Begin("", world.Object{"session": session}), 200)
	want(l.Verify("", world.Object{"session": session, "code": l.WrongCode(e["secret"].(string))}), 422)
	want(l.Verify("", with(world.Object{"session": e["session"], "code": l.CodeAt(e["secret"].(string), 0), "username": leakUser, "clientId": world.RequiredClient})), 200)
	e = want(l.Begin("", world.Object{"session": l.Cognito.Session(world.Required, world.RequiredClient, leakOther)}), 201).JSON(t)
	v := want(l.Verify("", world.Object{"session": e["session"], "code": l.CodeAt(e["secret"].(string), 0)}), 200).JSON(t)
	want(l.Answer(with(world.Object{"challenge": "MFA_SETUP", "session": v["session"], "username": leakOther, "clientId": world.RequiredClient})), 200)

	// Signing in later; the code that enrolled does not work again.
	_, session = l.SignIn(leakUser)
	answer := func(code string) world.Reply {
		return l.Answer(with(world.Object{"challenge": "SOFTWARE_TOKEN_MFA", "session": session, "username": leakUser, "clientId": world.OptionalClient, "code": code}))
	}
	want(answer(l.CodeAt(secret, 0)), 422)
	l.Clock.Advance(time.Minute)
	_, session = l.SignIn(leakUser)
	want(answer(l.CodeAt(secret, 0)), 200)
	want(answer(l.CodeAt(secret, 0)), 410)
}

// everyFailure brings about what can go wrong, with secrets wherever a
// careless hand could meet them.
func (l *leaks) everyFailure(t *testing.T) {
	t.Helper()
	l.wrongTokens()
	l.brokenRequests(t)
	l.refusals()
	l.breakdowns()
	l.provokePanics(t)
	l.configurationFaults(t)
}

func (l *leaks) wrongTokens() {
	good := l.Cognito.SignIn(world.Optional, world.OptionalClient, leakUser)
	for _, token := range []string{
		good.IDToken, good.RefreshToken, good.AccessToken[:len(good.AccessToken)-9], good.AccessToken + ".tail-of-a-token", "not-a-token-at-all",
		l.Cognito.Mint(world.Optional, map[string]any{"scope": "openid profile"}),
		l.Cognito.Mint(world.Optional, map[string]any{"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Foreign99"}),
		l.Cognito.Mint(world.Optional, map[string]any{"client_id": "a-foreign-client"}),
		l.Cognito.Mint(world.Optional, map[string]any{"exp": l.Clock.Now().Add(-time.Hour).Unix()}),
		l.Cognito.Mint(world.Required, map[string]any{"iss": "https://cognito-idp.us-east-1.amazonaws.com/" + world.Optional}),
		strings.Repeat("long-token", 1000),
	} {
		l.Begin(token, nil)
		l.status(token)
		l.Begin(token, world.Object{"session": strings.Repeat("both-", 10)})
	}
	for _, authorization := range []string{"Basic b3R0b2xpbmU6c2VjcmV0", "Bearer", "Digest username=ottoline.quillfeather", good.AccessToken} {
		l.Do(world.Request{Method: "GET", Path: "/v1/mfa", Header: http.Header{"Authorization": {authorization}}})
	}
}

func (l *leaks) brokenRequests(t *testing.T) {
	t.Helper()
	token, n := l.Token(world.Optional, world.OptionalClient, leakUser), 0
	canary := func(what string) string {
		n++
		c := fmt.Sprintf("canary-%s-%04d-JBSWY3DPEHPK3PXP", what, n)
		l.note(what, c)
		return c
	}
	for _, path := range []string{"/v1/mfa/totp", "/v1/mfa/totp/verify", "/v1/auth/challenge"} {
		for _, body := range []string{
			`{"session":"` + canary("body") + ` with spaces"}`, `{"session":["` + canary("body") + `"]}`, `{"` + canary("member") + `":"483921"}`,
			`{"code":"` + canary("body") + `"}`, `{"code":"483922","deviceName":"` + canary("body") + strings.Repeat("x", 200) + `"}`,
			`"` + canary("body") + `"`, canary("body"), `{"challenge":"` + canary("body") + `"}`, `{"clientMetadata":{"` + canary("member") + `":1}}`,
			`{"accountName":"` + canary("body") + `\ud800","session":"` + canary("body") + `"}`,
		} {
			for _, contentType := range []string{"application/json", "text/plain", "application/json; charset=" + canary("header")} {
				l.Do(world.Request{Method: "POST", Path: path, Token: token, Body: strings.NewReader(body), Header: http.Header{"Content-Type": {contentType}}})
				l.Do(world.Request{Method: "POST", Path: path, Body: strings.NewReader(body), Header: http.Header{"Content-Type": {contentType}}})
			}
		}
		l.Do(world.Request{Method: "POST", Path: path, Body: strings.NewReader(`{"session":"` + strings.Repeat(canary("body"), 1000) + `"}`), Header: http.Header{"Content-Type": {"application/json"}}})
	}
	for _, path := range []string{"/v1/mfa/", "/v1/mfa/totp?access_token=", "/v1/mfa?session=", "/", "/v1/mfa/totp/verify?code=", "/openapi.yaml?"} {
		for _, method := range []string{"GET", "POST", "DELETE", "SECRETLY"} {
			l.Do(world.Request{Method: method, Path: path + canary("path"), Token: token})
		}
	}
	l.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp", Token: token, Header: http.Header{
		"Accept": {canary("header") + "/*", "text/" + canary("header")}, "User-Agent": {canary("header")}, "Cookie": {"a=" + canary("header")}, "Referer": {"https://x/" + canary("header")},
		"Origin": {"https://" + canary("header")}, "X-Request-Id": {canary("header") + "?"}, "X-Forwarded-For": {canary("header")}, "Baggage": {"a=" + canary("header")},
		"Traceparent": {"00-" + canary("header") + "-01"}, "Content-Encoding": {canary("header")},
	}})
	l.Do(world.Request{Method: "OPTIONS", Path: "/v1/mfa/totp", Header: http.Header{"Origin": {"https://" + canary("header")}, "Access-Control-Request-Headers": {canary("header")}}})
	// What net/http itself refuses.
	for _, raw := range []string{
		"GET /v1/mfa HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n\r\n", // without TLS
		canary("raw") + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", l.App.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, raw)
		answer, _ := io.ReadAll(conn)
		_, _ = fmt.Fprintf(l.broken, "%s\n", answer)
		_ = conn.Close()
	}
}

// refusals are Cognito's, with messages that quote what they were given.
func (l *leaks) refusals() {
	token, session := l.Token(world.Optional, world.OptionalClient, leakUser), strings.Repeat("a-session-of-nobody-", 3)
	message := "1 validation error detected: Value '" + token + "' at 'accessToken', '" + session + "' at 'session', '483923' at 'userCode'"
	l.note("token", token)
	l.note("code", "483923")
	attempts := map[string][]func() world.Reply{
		"AssociateSoftwareToken": {
			func() world.Reply { _, token := l.somebody(); return l.Begin(token, world.Object{"renew": true}) },
			func() world.Reply { return l.Begin("", world.Object{"session": session}) },
		},
		"VerifySoftwareToken": {
			func() world.Reply { _, token := l.somebody(); return l.Verify(token, world.Object{"code": "483923"}) },
			func() world.Reply { return l.Verify("", world.Object{"session": session, "code": "483923"}) },
		},
		"SetUserMFAPreference": {
			func() world.Reply { _, token := l.somebody(); return l.prefer(token, true) },
			func() world.Reply { _, token := l.somebody(); return l.prefer(token, false) },
		},
		"GetUser": {func() world.Reply { return l.status(token) }, func() world.Reply {
			_, token := l.somebody()
			return l.Begin(token, nil)
		}},
		"RespondToAuthChallenge": {func() world.Reply {
			return l.Answer(world.Object{"challenge": "SOFTWARE_TOKEN_MFA", "session": session, "username": leakUser, "clientId": world.OptionalClient, "code": "483923"})
		}},
	}
	for operation, tries := range attempts {
		for _, exception := range []string{
			"NotAuthorizedException", "InvalidParameterException", "ResourceNotFoundException", "UserLambdaValidationException", "TooManyRequestsException",
			"InternalErrorException", "CodeMismatchException", "UserNotFoundException", "ForbiddenException", "A" + strings.Repeat("-new-", 3) + "Exception",
		} {
			for _, try := range tries {
				l.Failing(operation, cognitotest.Fault{Exception: exception, Message: message}, try)
			}
		}
	}
}

// breakdowns are calls that get no usable answer.
func (l *leaks) breakdowns() {
	for _, fault := range []cognitotest.Fault{
		{Status: 502}, {CutBefore: true}, {CutAfter: true}, {Truncate: true}, {StatusError: true},
	} {
		_, token := l.somebody()
		l.Failing("GetUser", fault, func() world.Reply { return l.status(token) })
		l.Failing("AssociateSoftwareToken", fault, func() world.Reply { return l.Begin(token, world.Object{"renew": true}) })
		e := l.Begin(token, world.Object{"renew": true}).JSON(l.T)
		l.Failing("VerifySoftwareToken", fault, func() world.Reply { return l.Verify(token, world.Object{"code": l.CodeAt(e["secret"].(string), 0)}) })
		l.Failing("RespondToAuthChallenge", fault, func() world.Reply {
			session := strings.Repeat("a-session-that-breaks-", 2)
			return l.Answer(world.Object{"challenge": "SOFTWARE_TOKEN_MFA", "session": session, "username": leakUser, "clientId": world.OptionalClient, "code": "483924"})
		})
	}
	l.Cognito.Fail("RespondToAuthChallenge", cognitotest.Fault{Delay: 1200 * time.Millisecond})
	l.Answer(world.Object{"challenge": "SOFTWARE_TOKEN_MFA", "session": strings.Repeat("a-session-that-waits-", 2), "username": leakUser, "clientId": world.OptionalClient, "code": "483926"})
}

// provokePanics makes the calls to Cognito panic with all that they carry.
func (l *leaks) provokePanics(t *testing.T) {
	t.Helper()
	token := l.Token(world.Optional, world.OptionalClient, leakOther)
	for name, do := range map[string]func() world.Reply{
		"status":     func() world.Reply { return l.status(token) },
		"preference": func() world.Reply { return l.prefer(token, true) },
		"challenge": func() world.Reply {
			return l.Answer(world.Object{"challenge": "SOFTWARE_TOKEN_MFA", "session": strings.Repeat("panicking-", 5), "username": leakUser, "clientId": world.OptionalClient, "code": "483925"})
		},
	} {
		l.panics.Store(true)
		if r := do(); r.Status != 500 || r.Code(t) != "internal" {
			t.Errorf("%s: a panic ended with status %d: %s", name, r.Status, r.Body)
		}
	}
	if got := l.Metric("http_panics_total"); got != "3" {
		t.Errorf("http_panics_total is %s", got)
	}
}

// configurationFaults are told at the start, without what is wrong with them.
func (l *leaks) configurationFaults(t *testing.T) {
	t.Helper()
	env := map[string]string{
		"COGNITO_CLIENT_SECRETS": "a-client-secret-without-its-id", "SEAL_KEYS": "a-seal-key-that-is-no-base64", "REDIS_URL": "redis://:the-password-of-redis@[::1",
		"COGNITO_USER_POOL_IDS": world.Optional, "COGNITO_CLIENT_IDS": world.OptionalClient, "TOTP_ISSUER": "Example",
	}
	for _, name := range []string{"COGNITO_CLIENT_SECRETS", "SEAL_KEYS", "REDIS_URL"} {
		l.note("configuration", env[name])
	}
	l.note("configuration", "the-password-of-redis")
	if status := app.Run(t.Context(), world.Environ(env), &l.faults, &l.faults); status == 0 {
		t.Error("a wrong configuration was taken")
	}
	env["COGNITO_CLIENT_SECRETS"], env["SEAL_KEYS"] = "", strings.Repeat("QUFB", 10)+"QUE="
	l.note("configuration", env["SEAL_KEYS"])
	if status := app.Run(t.Context(), world.Environ(env), &l.faults, &l.faults); status == 0 {
		t.Error("a wrong configuration was taken")
	}
}

// withoutRedis is one more enrollment, when Redis is gone.
func (l *leaks) withoutRedis() {
	l.dump()
	l.redis.Kill()
	token := l.Token(world.Optional, world.OptionalClient, leakOther)
	e := l.Begin(token, world.Object{"renew": true}).JSON(l.T)
	l.Verify(token, world.Object{"code": l.CodeAt(e["secret"].(string), 0)})
	l.Begin("", world.Object{"session": l.Cognito.Session(world.Required, world.RequiredClient, leakOther)})
}
