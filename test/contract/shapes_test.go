package contract_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"mfa-enrollment/test/world"
)

// shape is a request that means one thing and yet is not written as most are.
type shape struct {
	name           string // as docs/contract.md has it
	method, path   string
	header         http.Header
	body           string
	status         int
	code           string // of the problem
	inTheBodyThere string // a part of the reply
	chunked        bool   // the length of the body is not told beforehand
}

// sent and with are the headers of a request.
func sent(pairs ...string) http.Header {
	return with(append(pairs, "Content-Type", "application/json")...)
}

func with(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return h
}

// TestRequestShapes holds the service to what docs/contract.md lists under "Request
// shapes": what is taken, and what is refused with its reason.
func TestRequestShapes(t *testing.T) {
	w := world.New(t, nil)
	bearer := "Bearer " + w.Token(world.Optional, world.OptionalClient, "ada")
	session := func() string { return w.Cognito.Session(world.Required, world.RequiredClient, "grace") }
	const start, status, preference = "/v1/mfa/totp", "/v1/mfa", "/v1/mfa/totp/preference"
	withSession := func() string { return `{"session":"` + session() + `"}` }
	long := strings.Repeat("s", 8192)

	listed := map[string]bool{}
	for _, row := range rowsOf(t, "Request shapes") {
		listed[row[0]] = true
	}
	for _, s := range []shape{
		{name: "null for an optional member", method: "POST", path: start, header: sent("Authorization", bearer), body: `{"session":null,"accountName":null,"renew":null}`, status: 201},
		{name: "null for a required member is refused", method: "PUT", path: preference, header: sent("Authorization", bearer), body: `{"enabled":null}`, status: 400, code: "invalid_request"},
		{name: "a byte order mark", method: "POST", path: start, header: sent("Authorization", bearer), body: "\ufeff{}", status: 200},
		{name: "an empty `Accept`", method: "POST", path: start, header: sent("Authorization", bearer, "Accept", ""), body: "{}", status: 200},
		{name: "`Content-Encoding: identity`", method: "POST", path: start, header: sent("Authorization", bearer, "Content-Encoding", "Identity"), body: "{}", status: 200},
		{name: "another `Content-Encoding` is refused", method: "POST", path: start, header: sent("Authorization", bearer, "Content-Encoding", "gzip"), body: "{}", status: 415, code: "unsupported_media_type"},
		{name: "no body", method: "POST", path: start, header: with("Authorization", bearer), status: 200},
		{name: "an empty body of unknown length", method: "POST", path: start, header: with("Authorization", bearer), chunked: true, status: 200},
		{name: "an empty body with a `Content-Type`", method: "POST", path: start, header: sent("Authorization", bearer), status: 200},
		{name: "a `charset`", method: "POST", path: start, header: with("Authorization", bearer, "Content-Type", "application/json; charset=utf-8"), body: "{}", status: 200},
		{name: "the scheme in any case", method: "GET", path: status, header: with("Authorization", strings.Replace(bearer, "Bearer", "bEARER", 1)), status: 200},
		{name: "two spaces after the scheme", method: "GET", path: status, header: with("Authorization", strings.Replace(bearer, " ", "  ", 1)), status: 200},
		{name: "one trailing slash", method: "GET", path: status + "/", header: with("Authorization", bearer), status: 200},
		{name: "two trailing slashes are not found", method: "GET", path: status + "//", header: with("Authorization", bearer), status: 404, code: "not_found"},
		{name: "an empty `Authorization` beside a session", method: "POST", path: start, header: sent("Authorization", ""), body: withSession(), status: 201},
		{name: "a foreign `Authorization` beside a session", method: "POST", path: start, header: sent("Authorization", "Basic YTpi"), body: withSession(), status: 201},
		{name: "an access token without its scheme is named", method: "GET", path: status, header: with("Authorization", strings.TrimPrefix(bearer, "Bearer ")), status: 401, code: "missing_credential", inTheBodyThere: "without its scheme"},
		{name: "`Bearer` without a token beside a session", method: "POST", path: start, header: sent("Authorization", "Bearer "), body: withSession(), status: 201},
		{name: "a foreign `Authorization` beside an access token", method: "GET", path: status, header: with("Authorization", "Basic YTpi", "Authorization", bearer), status: 200},
		{name: "a token and a session are refused", method: "POST", path: start, header: sent("Authorization", bearer), body: withSession(), status: 400, code: "two_credentials"},
		{name: "two tokens are refused", method: "GET", path: status, header: with("Authorization", bearer, "Authorization", bearer), status: 400, code: "two_credentials"},
		{name: "a session of 8,192 characters", method: "POST", path: start, header: sent(), body: `{"session":"` + long + `"}`, status: 410, code: "session_expired"},
		{name: "a longer session is refused", method: "POST", path: start, header: sent(), body: `{"session":"` + long + `s"}`, status: 400, code: "invalid_request", inTheBodyThere: "8192"},
		{name: "a JWT as `session` is named", method: "POST", path: start, header: sent(), body: `{"session":"` + strings.TrimPrefix(bearer, "Bearer ") + `"}`, status: 400, code: "invalid_request", inTheBodyThere: "this is a token"},
		{name: "a JWT as `session` is named, also a longer one", method: "POST", path: start, header: sent(), body: `{"session":"` + strings.TrimPrefix(bearer, "Bearer ") + strings.Repeat("x", 8192) + `"}`, status: 400, code: "invalid_request", inTheBodyThere: "this is a token"},
		{name: "a JWT as `session` is named, also with its scheme", method: "POST", path: start, header: sent(), body: `{"session":"` + bearer + `"}`, status: 400, code: "invalid_request", inTheBodyThere: "this is a token"},
		{name: "a session as access token is named", method: "GET", path: status, header: with("Authorization", "Bearer AYABe"+strings.Repeat("x", 60)), status: 401, code: "invalid_token", inTheBodyThere: "session"},
		{name: "a token longer than 24 KiB is told", method: "GET", path: status, header: with("Authorization", "Bearer eyJ"+strings.Repeat("x", 24<<10)), status: 401, code: "invalid_token", inTheBodyThere: "24 KiB"},
		{name: "a body in another encoding than UTF-8 is refused", method: "POST", path: start, header: sent("Authorization", bearer), body: "{\"accountName\":\"J\xfcrgen\"}", status: 400, code: "invalid_request", inTheBodyThere: "UTF-8"},
		{name: "half a character is refused", method: "POST", path: start, header: sent("Authorization", bearer), body: `{"accountName":"Ada \ud83d"}`, status: 400, code: "invalid_request", inTheBodyThere: "UTF-8"},
		{name: "two documents are refused", method: "POST", path: start, header: sent("Authorization", bearer), body: "{}{}", status: 400, code: "invalid_request"},
		{name: "a member twice is refused", method: "POST", path: start, header: sent("Authorization", bearer), body: `{"renew":true,"renew":false}`, status: 400, code: "invalid_request"},
		{name: "an unknown member is refused", method: "POST", path: start, header: sent("Authorization", bearer), body: `{"renw":true}`, status: 400, code: "invalid_request"},
	} {
		if !listed[s.name] {
			t.Errorf("docs/contract.md does not list %s", s.name)
		}
		delete(listed, s.name)
		t.Run(s.name, func(t *testing.T) {
			var body io.Reader = strings.NewReader(s.body)
			if s.chunked {
				body = struct{ io.Reader }{body}
			}
			r := w.Do(world.Request{Method: s.method, Path: s.path, Header: s.header, Body: body})
			if r.Status != s.status {
				t.Fatalf("status %d, want %d: %s", r.Status, s.status, r.Body)
			}
			if s.code != "" && r.Code(t) != s.code {
				t.Errorf("%s, want %s", r.Code(t), s.code)
			}
			if !strings.Contains(string(r.Body), s.inTheBodyThere) {
				t.Errorf("%q is not in %s", s.inTheBodyThere, r.Body)
			}
		})
	}
	for name := range listed {
		t.Errorf("docs/contract.md lists %s, which nothing here holds", name)
	}
}

// A preflight of a page that traces passes, and a reply to headers that are too
// large can be read by the page's scripts.
func TestScriptsOfOtherOriginsGetAnAnswer(t *testing.T) {
	w := world.New(t, nil)
	const origin = "https://app.example.com"
	preflight := w.Do(world.Request{Method: "OPTIONS", Path: "/v1/mfa/totp", Header: with(
		"Origin", origin, "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "authorization,baggage,content-type,sentry-trace,traceparent,tracestate",
	)})
	allowed := strings.ToLower(preflight.Header.Get("Access-Control-Allow-Headers"))
	for _, name := range []string{"authorization", "baggage", "content-type", "sentry-trace", "traceparent", "tracestate"} {
		if preflight.Status != 204 || !strings.Contains(allowed, name) {
			t.Errorf("status %d, and %s is not among %q", preflight.Status, name, allowed)
		}
	}
	tooLarge := w.Do(world.Request{Method: "GET", Path: "/v1/mfa", Header: with("Origin", origin, "X-Long", strings.Repeat("x", 17<<10))})
	if tooLarge.Status != 431 || tooLarge.Header.Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("status %d for %q", tooLarge.Status, tooLarge.Header.Get("Access-Control-Allow-Origin"))
	}
}

// What people enter in place of a code is their slip and not the page's: the problem
// says so to them, and no try is counted.
func TestPeopleAreToldOfACodeThatIsNone(t *testing.T) {
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	w.Begin(token, nil)
	session := strings.Repeat("s", 40)
	for _, code := range []string{"", "12345", "123456789", "123 456", "123\u00a0456", "123-456", "123456\n", "１２３４５６", "١٢٣٤٥٦", "12345O"} {
		for name, r := range map[string]world.Reply{
			"verifyTotp":      w.Verify(token, world.Object{"code": code}),
			"answerChallenge": w.Answer(world.Object{"challenge": "SOFTWARE_TOKEN_MFA", "clientId": world.OptionalClient, "username": "ada", "session": session, "code": code}),
		} {
			if p := r.JSON(t); r.Status != 400 || r.Code(t) != "invalid_request" || p["variant"] != "code" || !strings.Contains(p["detail"].(string), "digits") {
				t.Errorf("%s, %q: %s", name, code, r.Body)
			}
		}
	}
	// A page that sends something else, or something else besides, is at fault itself.
	for _, body := range []world.Object{{}, {"code": 123456}, {"code": nil}, {"code": "123 456", "preferred": "yes"}} {
		if r := w.Verify(token, body); r.Status != 400 || r.JSON(t)["variant"] != nil {
			t.Errorf("%v: %s", body, r.Body)
		}
	}
}
