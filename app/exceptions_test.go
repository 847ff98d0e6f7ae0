package app_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

var update = flag.Bool("update", false, "write the golden files")

// sdkExceptions lists the error types of the SDK's own package, so that a new
// version with a new exception changes the table below and somebody looks.
func sdkExceptions(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "errors.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.TypeSpec); ok {
			names = append(names, s.Name.Name)
		}
		return true
	})
	if len(names) < 50 {
		t.Fatalf("only %d exceptions found in the SDK", len(names))
	}
	slices.Sort(names)
	return names
}

// exceptionCase is an exception with a message that Cognito was seen to send.
type exceptionCase struct{ name, message string }

// reported are the messages that tell two meanings of one exception apart.
var reported = []exceptionCase{
	{"NotAuthorizedException", "Invalid Access Token"},
	{"NotAuthorizedException", "Access Token has been revoked"},
	{"NotAuthorizedException", "Access Token has expired"},
	{"NotAuthorizedException", "Access Token does not have required scopes"},
	{"NotAuthorizedException", "Invalid session for the user, session is expired."},
	{"NotAuthorizedException", "Invalid session for the user, session can only be used once."},
	{"NotAuthorizedException", "Password attempts exceeded"},
	{"NotAuthorizedException", "User is disabled."},
	{"NotAuthorizedException", "Client demo-required is configured with secret but SECRET_HASH was not received"},
	{"NotAuthorizedException", "Unable to verify secret hash for client demo-required"},
	{"InvalidParameterException", "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA"},
	{"InvalidParameterException", "1 validation error detected: Value at 'session' failed to satisfy constraint"},
	{"SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool"},
	{"SoftwareTokenMFANotFoundException", "Software Token MFA does not exist for the user."},
	{"ThrottlingException", "Rate exceeded"},
	{"NeverHeardOfItException", "something new"},
}

func TestEveryExceptionOfEveryOperationHasItsProblem(t *testing.T) {
	cases := slices.Clone(reported)
	for _, name := range sdkExceptions(t) {
		cases = append(cases, exceptionCase{name: name})
	}
	w := newWorld(t, map[string]string{"ACCOUNT_LABEL": "username", "PENDING_TTL": "0", "COGNITO_WRITE_RPS": "1000"})
	token := ""
	session := strings.Repeat("s", 40)
	operations := []struct {
		name, call string
		do         func() reply
	}{
		{"AssociateSoftwareToken by token", "AssociateSoftwareToken", func() reply { return w.begin(token, nil) }},
		{"AssociateSoftwareToken by session", "AssociateSoftwareToken", func() reply { return w.begin("", object{"session": session}) }},
		{"VerifySoftwareToken by token", "VerifySoftwareToken", func() reply { return w.verify(token, object{"code": "123456"}) }},
		{"VerifySoftwareToken by session", "VerifySoftwareToken", func() reply { return w.verify("", object{"code": "123456", "session": session}) }},
		{"SetUserMFAPreference on", "SetUserMFAPreference", func() reply {
			return w.do(request{method: "PUT", path: "/v1/mfa/totp/preference", token: token, body: object{"enabled": true}})
		}},
		{"SetUserMFAPreference off", "SetUserMFAPreference", func() reply {
			return w.do(request{method: "PUT", path: "/v1/mfa/totp/preference", token: token, body: object{"enabled": false}})
		}},
		{"GetUser", "GetUser", func() reply { return w.do(request{method: "GET", path: "/v1/mfa", token: token}) }},
		{"RespondToAuthChallenge", "RespondToAuthChallenge", func() reply {
			return w.answer(object{"challenge": "SOFTWARE_TOKEN_MFA", "session": session, "username": "ada", "clientId": optionalClient, "code": "123456"})
		}},
	}
	var table strings.Builder
	for _, operation := range operations {
		fmt.Fprintf(&table, "%s\n", operation.name)
		for _, c := range cases {
			if overQuota := c.name == "TooManyRequestsException" || c.name == "ThrottlingException"; overQuota && operation.call != "GetUser" && operation.call != "RespondToAuthChallenge" {
				fmt.Fprintf(&table, "  %-45s made again: internal/quota/pacer_test.go\n", c.name)
				continue
			}
			// Nobody meets a limit, and tokens stay fresh.
			w.clock.Advance(10 * time.Second)
			token = w.token(optional, optionalClient, "ada")
			r := w.failing(operation.call, cognitotest.Fault{Exception: c.name, Message: c.message}, operation.do)
			fmt.Fprintf(&table, "  %-45s %d %-24s %s\n", c.name, r.status, r.code(t), c.message)
			if c.message != "" && strings.Contains(string(r.body), c.message) {
				t.Errorf("%s, %s: the reply repeats Cognito's message", operation.name, c.name)
			}
		}
	}
	golden(t, "exceptions.golden", table.String())
	if !strings.Contains(w.log.String(), "NeverHeardOfItException") {
		t.Error("the log does not name an exception that nobody has met")
	}
}

// failing makes every attempt at a call fail while do runs.
func (w *world) failing(operation string, fault cognitotest.Fault, do func() reply) reply {
	w.t.Helper()
	const enough = 4
	before := w.cognito.Calls(operation)
	w.cognito.Fail(operation, fault, fault, fault, fault)
	r := do()
	for range enough - (w.cognito.Calls(operation) - before) {
		w.spendFault(operation)
	}
	return r
}

// spendFault uses up a planned fault that no call met.
func (w *world) spendFault(operation string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.endpoint, strings.NewReader("{}"))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	// The fault may well be a cut connection.
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

// golden compares with a file, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at the difference after go test -update:\n%s", path, got)
	}
}
