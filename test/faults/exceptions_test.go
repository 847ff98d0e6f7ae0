package faults_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

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
	{"NotAuthorizedException", "Unable to login because of security reasons."},
	{"NotAuthorizedException", "Request not allowed due to security reasons."},
	{"NotAuthorizedException", "Client demo-required is configured with secret but SECRET_HASH was not received"},
	{"NotAuthorizedException", "Unable to verify secret hash for client demo-required"},
	{"InvalidParameterException", "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA"},
	{"InvalidParameterException", "User has not set up software token mfa"},
	{"InvalidParameterException", "MFA is required by the user pool"},
	{"InvalidParameterException", "Invalid device key given."},
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
	w := world.New(t, map[string]string{"ACCOUNT_LABEL": "username", "PENDING_TTL": "0", "COGNITO_WRITE_RPS": "1000"})
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	w.Enrolled(token) // Else switching off would end well, however it is refused.
	session := strings.Repeat("s", 40)
	operations := []struct {
		name, call string
		do         func() world.Reply
	}{
		{"AssociateSoftwareToken by token", "AssociateSoftwareToken", func() world.Reply { return w.Begin(token, nil) }},
		{"AssociateSoftwareToken by session", "AssociateSoftwareToken", func() world.Reply { return w.Begin("", world.Object{"session": session}) }},
		{"VerifySoftwareToken by token", "VerifySoftwareToken", func() world.Reply { return w.Verify(token, world.Object{"code": "123456"}) }},
		{"VerifySoftwareToken by session", "VerifySoftwareToken", func() world.Reply { return w.Verify("", world.Object{"code": "123456", "session": session}) }},
		{"SetUserMFAPreference on", "SetUserMFAPreference", func() world.Reply {
			return w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": true}})
		}},
		{"SetUserMFAPreference off", "SetUserMFAPreference", func() world.Reply {
			return w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": false}})
		}},
		{"GetUser", "GetUser", func() world.Reply { return w.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: token}) }},
		{"RespondToAuthChallenge", "RespondToAuthChallenge", func() world.Reply {
			return w.Answer(world.Object{"challenge": "SOFTWARE_TOKEN_MFA", "session": session, "username": "ada", "clientId": world.OptionalClient, "code": "123456"})
		}},
	}
	var table strings.Builder
	for o, operation := range operations {
		fmt.Fprintf(&table, "%s\n", operation.name)
		for i, c := range cases {
			if overQuota := c.name == "TooManyRequestsException" || c.name == "ThrottlingException"; overQuota && operation.call != "GetUser" && operation.call != "RespondToAuthChallenge" {
				fmt.Fprintf(&table, "  %-45s made again: internal/quota/admission_test.go\n", c.name)
				continue
			}
			// Nobody meets a limit, tokens stay fresh, and no session waits for longer than it lives.
			w.Clock.Advance(10 * time.Second)
			session = fmt.Sprintf("%040d", o*len(cases)+i)
			token = w.Token(world.Optional, world.OptionalClient, "ada")
			r := w.Failing(operation.call, cognitotest.Fault{Exception: c.name, Message: c.message}, operation.do)
			fmt.Fprintf(&table, "  %-45s %d %-24s %s\n", c.name, r.Status, r.Code(t), c.message)
			if c.message != "" && strings.Contains(string(r.Body), c.message) {
				t.Errorf("%s, %s: the reply repeats Cognito's message", operation.name, c.name)
			}
			if r.Code(t) == "invalid_request" && r.JSON(t)["fields"] == nil {
				t.Errorf("%s, %s %q: the hint points at fields, and there are none", operation.name, c.name, c.message)
			}
		}
	}
	world.Golden(t, "exceptions.golden", table.String())
	if !strings.Contains(w.Log.String(), "NeverHeardOfItException") {
		t.Error("the log does not name an exception that nobody has met")
	}
}
