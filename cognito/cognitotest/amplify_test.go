package cognitotest_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/program"
)

// TestAmplifyWorksUnmodified runs amplify/sign-in.mjs: the JavaScript libraries
// of AWS against the stand-in. It needs Node, and the package registry the first
// time.
func TestAmplifyWorksUnmodified(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages")
	}
	node := program.Find(t, "node")
	program.Install(t, "amplify")

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
