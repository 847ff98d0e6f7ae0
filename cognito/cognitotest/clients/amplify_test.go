package clients

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/program"
	"mfa-enrollment/test/standin"
)

// TestAmplifyWorksUnmodified runs sign-in.mjs: the JavaScript libraries
// of AWS against the stand-in. It needs Node, and the package registry the first
// time.
func TestAmplifyWorksUnmodified(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages")
	}
	node := program.Find(t, "node")
	program.Install(t, ".")

	users := func() []cognitotest.User {
		return append(cognitotest.DemoPools()[0].Users, user("barbara"), user("hedy"))
	}
	pools := []cognitotest.Pool{
		{ID: standin.Optional, MFA: cognitotest.MFAOptional, Clients: []cognitotest.Client{{ID: "optional"}}, Users: users()},
		{ID: standin.Required, MFA: cognitotest.MFARequired, Clients: []cognitotest.Client{{ID: "required"}}, Users: users()},
	}
	pools[0].Users[1].TOTPSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	pools[0].Users[1].Factors, pools[0].Factors = []cognitotest.Factor{cognitotest.SMS}, []cognitotest.Factor{cognitotest.SMS}
	pools[1].Users[4].ForceNewPassword = true
	s := standin.Start(t, cognitotest.Options{Pools: pools})
	run := exec.CommandContext(t.Context(), node, "sign-in.mjs")
	run.Env = append(os.Environ(), "ENDPOINT="+s.URL, fmt.Sprintf("NOW=%d", s.Clock.Now().Unix()))
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, username := range []string{"ada", "grace", "linus", "barbara"} {
		if !s.MFAEnabled(standin.Required, username) {
			t.Errorf("%s has no authenticator app", username)
		}
	}
}

func user(name string) cognitotest.User {
	return cognitotest.User{
		Username: name, Password: standin.Password,
		Attributes: map[string]string{"email": name + "@example.com", "email_verified": "true"},
	}
}
