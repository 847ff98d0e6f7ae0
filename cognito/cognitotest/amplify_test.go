package cognitotest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
)

// TestAmplifyWorksUnmodified runs amplify/sign-in.mjs: the JavaScript libraries
// of AWS against the stand-in. It needs Node, and the package registry the first
// time.
func TestAmplifyWorksUnmodified(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages")
	}
	npm, node := nodeTool(t, "npm"), nodeTool(t, "node")
	install(t, npm)

	s := start(t, func(o *cognitotest.Options) {
		users := cognitotest.DemoPools()[0].Users
		users = append(users, user("barbara"), user("hedy"))
		o.Pools = []cognitotest.Pool{
			{ID: optional, MFA: cognitotest.MFAOptional, Clients: []cognitotest.Client{{ID: "optional"}}, Users: users},
			{ID: required, MFA: cognitotest.MFARequired, Clients: []cognitotest.Client{{ID: "required"}}, Users: append([]cognitotest.User(nil), users...)},
		}
		o.Pools[0].Users[1].TOTPSecret = enrolledSecret
		o.Pools[0].Users[1].Factors = []cognitotest.Factor{cognitotest.SMS}
		o.Pools[1].Users[4].ForceNewPassword = true
	})
	run := exec.CommandContext(t.Context(), node, "sign-in.mjs")
	run.Dir = "amplify"
	run.Env = append(os.Environ(), "ENDPOINT="+s.url, fmt.Sprintf("NOW=%d", s.clock.now().Unix()))
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, username := range []string{"ada", "grace", "linus", "barbara"} {
		if !s.MFAEnabled(required, username) {
			t.Errorf("%s has no authenticator app", username)
		}
	}
}

func user(name string) cognitotest.User {
	return cognitotest.User{
		Username: name, Password: password,
		Attributes: map[string]string{"email": name + "@example.com", "email_verified": "true"},
	}
}

// nodeTool finds a tool of Node's, skips the test where there is none, and fails
// it where CI promises one.
func nodeTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("CI has no %s", name)
	default:
		t.Skipf("no %s here", name)
	}
	return ""
}

// install installs what package-lock.json says, unless this test did so before:
// it leaves a copy of the file that it installed.
func install(t *testing.T, npm string) {
	t.Helper()
	wanted := must[[]byte](t)(os.ReadFile(filepath.Join("amplify", "package-lock.json")))
	receipt := filepath.Join("amplify", "node_modules", ".installed.json")
	if installed, err := os.ReadFile(receipt); err == nil && bytes.Equal(installed, wanted) {
		return
	}
	run := exec.CommandContext(t.Context(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	run.Dir = "amplify"
	switch out, err := run.CombinedOutput(); {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("npm ci: %v\n%s", err, out)
	default:
		t.Skipf("the packages cannot be had here: %v\n%s", err, out)
	}
	if err := os.WriteFile(receipt, wanted, 0o600); err != nil {
		t.Fatal(err)
	}
}
