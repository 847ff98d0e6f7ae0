package clients

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/long"
	"mfa-enrollment/test/program"
	"mfa-enrollment/test/standin"
)

// theCLI runs with LONG=1 alone.
const theCLI = "the AWS CLI"

// TestClients runs what people have, unmodified, against a stand-in that begins
// without a pool, each program through the flows that its script has. A program
// that is not there is skipped, unless CI promises it.
func TestClients(t *testing.T) {
	if testing.Short() {
		t.Skip("runs other programs")
	}
	for name, test := range map[string]struct {
		command func(*testing.T) []string
		flows   int
	}{
		theCLI: {func(t *testing.T) []string {
			program.Find(t, "curl")
			program.Find(t, "openssl")
			t.Setenv("AWS", program.Find(t, "/usr/bin/aws", "aws")) // Debian's, where there are several
			return []string{program.Find(t, "sh"), "cli.sh"}
		}, 9},
		"boto3": {func(t *testing.T) []string {
			return []string{withBoto3(t), "boto3_flows.py"}
		}, 5},
		"the AWS SDK for JavaScript, jose and aws-jwt-verify": {func(t *testing.T) []string {
			program.Install(t, ".")
			return []string{program.Find(t, "node"), "sdk.mjs"}
		}, 7},
	} {
		if name == theCLI && !long.Asked() {
			continue // Each of its commands takes a second. boto3 is what it is made of.
		}
		t.Run(name, func(t *testing.T) {
			command := test.command(t)
			s := standin.Start(t, cognitotest.Options{Pools: []cognitotest.Pool{}, Now: time.Now}) // they look at their own clock
			admin := httptest.NewServer(s.Admin())
			defer admin.Close()
			run := exec.CommandContext(t.Context(), command[0], command[1:]...)
			run.Env = append(os.Environ(), "ENDPOINT="+s.URL, "ADMIN="+admin.URL)
			out, err := run.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count("\n"+string(out), "\nok "); n != test.flows {
				t.Errorf("%d flows, want %d", n, test.flows)
			}
		})
	}
}

// withBoto3 finds a Python that has boto3, Debian's first.
func withBoto3(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import boto3").Run() == nil {
			return python
		}
	}
	program.Missing(t, "no python3 here has boto3")
	return ""
}
