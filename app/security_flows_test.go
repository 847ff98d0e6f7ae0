package app_test

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
)

// dump looks at Redis now.
func (l *leaks) dump() {
	for key, value := range l.redis.dump() {
		_, _ = fmt.Fprintf(&l.dumps, "%s %s\n", key, value)
	}
}

func (l *leaks) prefer(token string, enabled bool) reply {
	return l.do(request{method: "PUT", path: "/v1/mfa/totp/preference", token: token, body: object{"enabled": enabled}})
}

func (l *leaks) status(token string) reply {
	return l.do(request{method: "GET", path: "/v1/mfa", token: token})
}

// everyFlow walks through all that people do.
func (l *leaks) everyFlow(t *testing.T) {
	t.Helper()
	want := func(r reply, status int) reply {
		t.Helper()
		if r.status != status {
			t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
		}
		return r
	}
	fingerprint := object{"encodedData": "a-fingerprint-of-the-device-0815", "clientMetadata": object{"campaign": "autumn-of-the-owls"}}
	with := func(b object) object {
		for name, value := range fingerprint {
			b[name] = value
		}
		return b
	}

	// Signed in.
	token := l.token(optional, optionalClient, leakUser)
	secret := want(l.begin(token, object{"accountName": "ottoline at home"}), 201).json(t)["secret"].(string)
	l.dump()
	want(l.begin(token, nil), 200)
	want(l.do(request{method: "POST", path: "/v1/mfa/totp", token: token, header: http.Header{"Accept": {"image/png"}}}), 200)
	for range 3 { // The third goes to Cognito.
		want(l.verify(token, object{"code": l.wrongCode(secret)}), 422)
	}
	want(l.verify(token, object{"code": l.codeAt(secret, -4*time.Minute)}), 422)
	secret = want(l.begin(token, object{"renew": true}), 201).json(t)["secret"].(string)
	want(l.verify(token, object{"code": l.codeAt(secret, 0), "deviceName": leakDevice}), 200)
	want(l.status(token), 200)
	want(l.prefer(token, false), 200)
	want(l.prefer(token, true), 200)

	// During sign-in, in one call and in two.
	session := l.cognito.Session(required, requiredClient, leakUser)
	e := want(l.begin("", object{"session": session}), 201).json(t)
	l.dump()
	want(l.begin("", object{"session": session}), 200)
	want(l.verify("", object{"session": session, "code": l.wrongCode(e["secret"].(string))}), 422)
	want(l.verify("", with(object{"session": e["session"], "code": l.codeAt(e["secret"].(string), 0), "username": leakUser, "clientId": requiredClient})), 200)
	e = want(l.begin("", object{"session": l.cognito.Session(required, requiredClient, leakOther)}), 201).json(t)
	v := want(l.verify("", object{"session": e["session"], "code": l.codeAt(e["secret"].(string), 0)}), 200).json(t)
	want(l.answer(with(object{"challenge": "MFA_SETUP", "session": v["session"], "username": leakOther, "clientId": requiredClient})), 200)

	// Signing in later; the code that enrolled does not work again.
	_, session = l.signIn(leakUser)
	answer := func(code string) reply {
		return l.answer(with(object{"challenge": "SOFTWARE_TOKEN_MFA", "session": session, "username": leakUser, "clientId": optionalClient, "code": code}))
	}
	want(answer(l.codeAt(secret, 0)), 422)
	l.clock.Advance(time.Minute)
	_, session = l.signIn(leakUser)
	want(answer(l.codeAt(secret, 0)), 200)
	want(answer(l.codeAt(secret, 0)), 410)
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
	good := l.cognito.SignIn(optional, optionalClient, leakUser)
	for _, token := range []string{
		good.IDToken, good.RefreshToken, good.AccessToken[:len(good.AccessToken)-9], good.AccessToken + ".tail-of-a-token", "not-a-token-at-all",
		l.cognito.Mint(optional, map[string]any{"scope": "openid profile"}),
		l.cognito.Mint(optional, map[string]any{"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Foreign99"}),
		l.cognito.Mint(optional, map[string]any{"client_id": "a-foreign-client"}),
		l.cognito.Mint(optional, map[string]any{"exp": l.clock.Now().Add(-time.Hour).Unix()}),
		l.cognito.Mint(required, map[string]any{"iss": "https://cognito-idp.us-east-1.amazonaws.com/" + optional}),
		strings.Repeat("long-token", 1000),
	} {
		l.begin(token, nil)
		l.status(token)
		l.begin(token, object{"session": strings.Repeat("both-", 10)})
	}
	for _, authorization := range []string{"Basic b3R0b2xpbmU6c2VjcmV0", "Bearer", "Digest username=ottoline.quillfeather", good.AccessToken} {
		l.do(request{method: "GET", path: "/v1/mfa", header: http.Header{"Authorization": {authorization}}})
	}
}

func (l *leaks) brokenRequests(t *testing.T) {
	t.Helper()
	token, n := l.token(optional, optionalClient, leakUser), 0
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
				l.do(request{method: "POST", path: path, token: token, body: strings.NewReader(body), header: http.Header{"Content-Type": {contentType}}})
				l.do(request{method: "POST", path: path, body: strings.NewReader(body), header: http.Header{"Content-Type": {contentType}}})
			}
		}
		l.do(request{method: "POST", path: path, body: strings.NewReader(`{"session":"` + strings.Repeat(canary("body"), 1000) + `"}`), header: http.Header{"Content-Type": {"application/json"}}})
	}
	for _, path := range []string{"/v1/mfa/", "/v1/mfa/totp?access_token=", "/v1/mfa?session=", "/", "/v1/mfa/totp/verify?code=", "/openapi.yaml?"} {
		for _, method := range []string{"GET", "POST", "DELETE", "SECRETLY"} {
			l.do(request{method: method, path: path + canary("path"), token: token})
		}
	}
	l.do(request{method: "POST", path: "/v1/mfa/totp", token: token, header: http.Header{
		"Accept": {canary("header") + "/*", "text/" + canary("header")}, "User-Agent": {canary("header")}, "Cookie": {"a=" + canary("header")}, "Referer": {"https://x/" + canary("header")},
		"Origin": {"https://" + canary("header")}, "X-Request-Id": {canary("header") + "?"}, "X-Forwarded-For": {canary("header")}, "Baggage": {"a=" + canary("header")},
		"Traceparent": {"00-" + canary("header") + "-01"}, "Content-Encoding": {canary("header")},
	}})
	l.do(request{method: "OPTIONS", path: "/v1/mfa/totp", header: http.Header{"Origin": {"https://" + canary("header")}, "Access-Control-Request-Headers": {canary("header")}}})
	// What net/http itself refuses.
	for _, raw := range []string{
		"GET /v1/mfa HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n\r\n", // without TLS
		canary("raw") + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", l.app.Addr())
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
	token, session := l.token(optional, optionalClient, leakUser), strings.Repeat("a-session-of-nobody-", 3)
	message := "1 validation error detected: Value '" + token + "' at 'accessToken', '" + session + "' at 'session', '483923' at 'userCode'"
	l.note("token", token)
	l.note("code", "483923")
	attempts := map[string][]func() reply{
		"AssociateSoftwareToken": {
			func() reply { _, token := l.somebody(); return l.begin(token, object{"renew": true}) },
			func() reply { return l.begin("", object{"session": session}) },
		},
		"VerifySoftwareToken": {
			func() reply { _, token := l.somebody(); return l.verify(token, object{"code": "483923"}) },
			func() reply { return l.verify("", object{"session": session, "code": "483923"}) },
		},
		"SetUserMFAPreference": {
			func() reply { _, token := l.somebody(); return l.prefer(token, true) },
			func() reply { _, token := l.somebody(); return l.prefer(token, false) },
		},
		"GetUser": {func() reply { return l.status(token) }, func() reply {
			_, token := l.somebody()
			return l.begin(token, nil)
		}},
		"RespondToAuthChallenge": {func() reply {
			return l.answer(object{"challenge": "SOFTWARE_TOKEN_MFA", "session": session, "username": leakUser, "clientId": optionalClient, "code": "483923"})
		}},
	}
	for operation, tries := range attempts {
		for _, exception := range []string{
			"NotAuthorizedException", "InvalidParameterException", "ResourceNotFoundException", "UserLambdaValidationException", "TooManyRequestsException",
			"InternalErrorException", "CodeMismatchException", "UserNotFoundException", "ForbiddenException", "A" + strings.Repeat("-new-", 3) + "Exception",
		} {
			for _, try := range tries {
				l.failing(operation, cognitotest.Fault{Exception: exception, Message: message}, try)
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
		l.failing("GetUser", fault, func() reply { return l.status(token) })
		l.failing("AssociateSoftwareToken", fault, func() reply { return l.begin(token, object{"renew": true}) })
		e := l.begin(token, object{"renew": true}).json(l.t)
		l.failing("VerifySoftwareToken", fault, func() reply { return l.verify(token, object{"code": l.codeAt(e["secret"].(string), 0)}) })
		l.failing("RespondToAuthChallenge", fault, func() reply {
			session := strings.Repeat("a-session-that-breaks-", 2)
			return l.answer(object{"challenge": "SOFTWARE_TOKEN_MFA", "session": session, "username": leakUser, "clientId": optionalClient, "code": "483924"})
		})
	}
	l.cognito.Fail("RespondToAuthChallenge", cognitotest.Fault{Delay: 1200 * time.Millisecond})
	l.answer(object{"challenge": "SOFTWARE_TOKEN_MFA", "session": strings.Repeat("a-session-that-waits-", 2), "username": leakUser, "clientId": optionalClient, "code": "483926"})
}

// provokePanics makes the calls to Cognito panic with all that they carry.
func (l *leaks) provokePanics(t *testing.T) {
	t.Helper()
	token := l.token(optional, optionalClient, leakOther)
	for name, do := range map[string]func() reply{
		"status":     func() reply { return l.status(token) },
		"preference": func() reply { return l.prefer(token, true) },
		"challenge": func() reply {
			return l.answer(object{"challenge": "SOFTWARE_TOKEN_MFA", "session": strings.Repeat("panicking-", 5), "username": leakUser, "clientId": optionalClient, "code": "483925"})
		},
	} {
		l.panics.Store(true)
		if r := do(); r.status != 500 || r.code(t) != "internal" {
			t.Errorf("%s: a panic ended with status %d: %s", name, r.status, r.body)
		}
	}
	if got := l.metric("http_panics_total"); got != "3" {
		t.Errorf("http_panics_total is %s", got)
	}
}

// configurationFaults are told at the start, without what is wrong with them.
func (l *leaks) configurationFaults(t *testing.T) {
	t.Helper()
	env := map[string]string{
		"COGNITO_CLIENT_SECRETS": "a-client-secret-without-its-id", "SEAL_KEYS": "a-seal-key-that-is-no-base64", "REDIS_URL": "redis://:the-password-of-redis@[::1",
		"COGNITO_USER_POOL_IDS": optional, "COGNITO_CLIENT_IDS": optionalClient, "TOTP_ISSUER": "Example",
	}
	for _, name := range []string{"COGNITO_CLIENT_SECRETS", "SEAL_KEYS", "REDIS_URL"} {
		l.note("configuration", env[name])
	}
	l.note("configuration", "the-password-of-redis")
	if status := app.Run(t.Context(), func(name string) string { return env[name] }, &l.faults, &l.faults); status == 0 {
		t.Error("a wrong configuration was taken")
	}
	env["COGNITO_CLIENT_SECRETS"], env["SEAL_KEYS"] = "", strings.Repeat("QUFB", 10)+"QUE="
	l.note("configuration", env["SEAL_KEYS"])
	if status := app.Run(t.Context(), func(name string) string { return env[name] }, &l.faults, &l.faults); status == 0 {
		t.Error("a wrong configuration was taken")
	}
}

// withoutRedis is one more enrollment, when Redis is gone.
func (l *leaks) withoutRedis() {
	l.dump()
	l.redis.kill()
	token := l.token(optional, optionalClient, leakOther)
	e := l.begin(token, object{"renew": true}).json(l.t)
	l.verify(token, object{"code": l.codeAt(e["secret"].(string), 0)})
	l.begin("", object{"session": l.cognito.Session(required, requiredClient, leakOther)})
}
