package cognitotest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito/cognitotest"
)

// post makes a call without the SDK.
func post(t *testing.T, s *standIn, target, body string) (*http.Response, string) {
	t.Helper()
	return send(t, s, target, "", body)
}

// postSigned makes an administrator's call, with a signature that is none.
func postSigned(t *testing.T, s *standIn, operation, body string) (*http.Response, string) {
	t.Helper()
	return send(t, s, "AWSCognitoIdentityProviderService."+operation,
		"AWS4-HMAC-SHA256 Credential=any/20260314/us-east-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=any", body)
}

func send(t *testing.T, s *standIn, target, authorization, body string) (*http.Response, string) {
	t.Helper()
	req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/", strings.NewReader(body)))
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", target)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res := must[*http.Response](t)(http.DefaultClient.Do(req))
	defer func() { _ = res.Body.Close() }()
	return res, string(must[[]byte](t)(io.ReadAll(res.Body)))
}

func TestExceptionsTravelAsCognitosDo(t *testing.T) {
	const prefix = "AWSCognitoIdentityProviderService."
	tests := map[string]struct {
		target, body string
		fault        cognitotest.Fault
		status       int
		name         string
	}{
		"a refusal":                 {target: prefix + "GetUser", body: `{"AccessToken":"x"}`, status: 400, name: "NotAuthorizedException"},
		"a failure":                 {target: prefix + "GetUser", body: `{}`, fault: cognitotest.Fault{Exception: "InternalErrorException"}, status: 500, name: "InternalErrorException"},
		"an operation of no one":    {target: prefix + "GetUsers", body: `{}`, status: 400, name: "UnknownOperationException"},
		"no operation":              {body: `{}`, status: 400, name: "UnknownOperationException"},
		"a body that is not JSON":   {target: prefix + "GetUser", body: `{`, status: 400, name: "SerializationException"},
		"no body":                   {target: prefix + "GetUser", status: 400, name: "SerializationException"},
		"a member of another type":  {target: prefix + "GetUser", body: `{"AccessToken":1}`, status: 400, name: "SerializationException"},
		"a body that is too long":   {target: prefix + "GetUser", body: `{"AccessToken":"` + strings.Repeat("a", 1<<20) + `"}`, status: 400, name: "SerializationException"},
		"a signature missing":       {target: prefix + "AdminDeleteSoftwareToken", body: `{}`, status: 400, name: "MissingAuthenticationTokenException"},
		"a required member missing": {target: prefix + "GetUser", body: `{}`, status: 400, name: "InvalidParameterException"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Fail("", test.fault)
			res, body := post(t, s, test.target, test.body)
			if res.StatusCode != test.status {
				t.Errorf("status %d, want %d", res.StatusCode, test.status)
			}
			if got := res.Header.Get("X-Amzn-ErrorType"); got != test.name+":" {
				t.Errorf("X-Amzn-ErrorType: %q, want %q", got, test.name+":")
			}
			if got := res.Header.Get("Content-Type"); got != "application/x-amz-json-1.1" {
				t.Errorf("Content-Type: %q", got)
			}
			if res.Header.Get("X-Amzn-RequestId") == "" {
				t.Error("no X-Amzn-RequestId")
			}
			var problem struct {
				Type    string `json:"__type"`
				Message string `json:"message"`
			}
			if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Type != test.name {
				t.Errorf("body %s (%v), want __type %s", body, err, test.name)
			}
			if got := res.Header.Get("X-Amzn-ErrorMessage"); got != problem.Message {
				t.Errorf("X-Amzn-ErrorMessage: %q, want the message %q", got, problem.Message)
			}
			if exposed := res.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "X-Amzn-ErrorType, X-Amzn-ErrorMessage, Date") {
				t.Errorf("pages cannot read the headers of an error: %q", exposed)
			}
			if got, want := res.Header.Get("Date"), s.clock.now().Format(http.TimeFormat); got != want {
				t.Errorf("Date: %q, want the stand-in's clock %q", got, want)
			}
		})
	}
}

func TestAnEmptyReplyIsAnEmptyObject(t *testing.T) {
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	res, body := post(t, s, "AWSCognitoIdentityProviderService.SetUserMFAPreference", `{"AccessToken":"`+token+`"}`)
	if res.StatusCode != http.StatusOK || strings.TrimSpace(body) != "{}" {
		t.Errorf("got %s %s, want 200 {}", res.Status, body)
	}
}

func TestBrowsersMayCallFromAnywhere(t *testing.T) {
	s := start(t)
	req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodOptions, s.url+"/", nil))
	req.Header.Set("Origin", "http://127.0.0.1:8080")
	req.Header.Set("Access-Control-Request-Method", "POST")
	req.Header.Set("Access-Control-Request-Headers", "content-type,x-amz-target,x-amz-user-agent")
	res := must[*http.Response](t)(http.DefaultClient.Do(req))
	_ = res.Body.Close()
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":  "*",
		"Access-Control-Allow-Headers": "content-type,x-amz-target,x-amz-user-agent",
		"Access-Control-Allow-Methods": "GET, POST, OPTIONS",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if res, _ := post(t, s, "", "{}"); res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("the reply itself has no Access-Control-Allow-Origin")
	}
	if n := s.Calls(""); n != 0 {
		t.Errorf("counted %d calls, want none", n)
	}
}

func TestOtherPathsAreNotFound(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/", "/other", "/" + optional} {
		res := must[*http.Response](t)(http.Get(s.url + path))
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %s, want 404", path, res.Status)
		}
	}
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func TestTheLogHoldsNoSecret(t *testing.T) {
	log := &journal{}
	s := start(t, func(o *cognitotest.Options) { o.Logger = slog.New(slog.NewTextHandler(log, nil)) })
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	associated := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, *in.Session))
	code := s.code(t, *associated.SecretCode, 0)
	verified := must[*cip.VerifySoftwareTokenOutput](t)(s.verifyBySession(t, *associated.Session, code))
	_, err := s.signIn(t, requiredClient, with("PASSWORD", "another-password"))
	wantException(t, err, "NotAuthorizedException", "")

	written := log.String()
	for _, want := range []string{"operation=AssociateSoftwareToken status=200", "operation=InitiateAuth status=400 exception=NotAuthorizedException"} {
		if !strings.Contains(written, want) {
			t.Errorf("the log lacks %q:\n%s", want, written)
		}
	}
	for what, secret := range map[string]string{
		"password": password, "wrong password": "another-password", "session": *in.Session, "next session": *associated.Session,
		"last session": *verified.Session, "secret": *associated.SecretCode, "code": code,
	} {
		if strings.Contains(written, secret) {
			t.Errorf("the log holds the %s", what)
		}
	}
}
