package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

func environment(addr, admin string) func(string) string {
	return func(name string) string {
		switch name {
		case "COGNITO_ADDR":
			return addr
		case "COGNITO_ADMIN_ADDR":
			return cmp.Or(admin, "127.0.0.1:0")
		}
		return ""
	}
}

func TestRunServesTheDemoPoolsUntilItIsStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read, write := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, nil, environment("127.0.0.1:0", ""), write)
		_ = write.Close()
	}()
	lines := bufio.NewScanner(read)
	if !lines.Scan() {
		t.Fatal("it said nothing")
	}
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(lines.Text())
	said := make(chan string, 1)
	go func() {
		var rest strings.Builder
		for lines.Scan() {
			rest.WriteString(lines.Text() + "\n")
		}
		said <- rest.String()
	}()

	sdk := cip.New(cip.Options{Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: aws.AnonymousCredentials{}})
	out, err := sdk.InitiateAuth(t.Context(), &cip.InitiateAuthInput{
		AuthFlow:       types.AuthFlowTypeUserPasswordAuth,
		ClientId:       aws.String("demo-optional"),
		AuthParameters: map[string]string{"USERNAME": "ada", "PASSWORD": "Correct-Horse-1"},
	})
	if err != nil || out.AuthenticationResult == nil {
		t.Errorf("sign-in: %v", err)
	}
	stop()
	if code := <-exit; code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	rest := <-said
	for _, want := range []string{
		"pool us-east-1_Optional (MFA OPTIONAL), client demo-optional",
		`pool us-east-1_Required (MFA ON), client demo-required, secret "demo-secret"`,
		"operation=InitiateAuth status=200",
	} {
		if !strings.Contains(rest, want) {
			t.Errorf("it did not say %q:\n%s", want, rest)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	tests := map[string]struct {
		addr  string
		admin string
		args  []string
		code  int
		says  string
	}{
		"every address":                         {addr: ":0", code: 1, says: `COGNITO_ADDR: address ":0": want a loopback address`},
		"a public address":                      {addr: "192.0.2.1:0", code: 1, says: "want a loopback address"},
		"no address at all":                     {addr: "nonsense", code: 1, says: "COGNITO_ADDR"},
		"an argument":                           {args: []string{"here"}, code: 2, says: "takes no argument"},
		"a question":                            {args: []string{"-h"}, says: "COGNITO_ADMIN_ADDR"},
		"a file of a pool that cannot be":       {addr: "127.0.0.1:0", args: []string{"-pools", "testdata/wrong.json"}, code: 1, says: "cognitotest: -pools testdata/wrong.json: pool us-east-1_Team: "},
		"a flag of nobody":                      {args: []string{"-x"}, code: 2, says: "flag provided but not defined"},
		"a file of nobody":                      {addr: "127.0.0.1:0", args: []string{"-pools", "nowhere.json"}, code: 1, says: "-pools: open nowhere.json"},
		"an admin address that anybody reaches": {addr: "127.0.0.1:0", admin: ":0", code: 1, says: `COGNITO_ADMIN_ADDR: address ":0": want a loopback address`},
		"an impossible port":                    {addr: "127.0.0.1:-1", code: 1, says: "COGNITO_ADDR"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var said strings.Builder
			if code := run(t.Context(), test.args, environment(test.addr, test.admin), &said); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(said.String(), test.says) {
				t.Errorf("it said %q, want %q", said.String(), test.says)
			}
		})
	}
}

func TestRunListensBeyondLoopbackWhenItIsTold(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop() // it listens, and then ends at once
	var said strings.Builder
	if code := run(ctx, []string{"-expose"}, environment("0.0.0.0:0", ""), &said); code != 0 || !strings.Contains(said.String(), "at http://") {
		t.Errorf("exit code %d: %s", code, said.String())
	}
}

// TestRunServesTheReadmesFileOfPools signs in to the pool of README.md's example,
// as it is and in another region.
func TestRunServesTheReadmesFileOfPools(t *testing.T) {
	readme, err := os.ReadFile("../../cognito/cognitotest/README.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(readme)
	if example == nil {
		t.Fatal("README.md has no example of a file")
	}
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		t.Run(region, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pools.json")
			if err := os.WriteFile(file, bytes.ReplaceAll(example[1], []byte("us-east-1"), []byte(region)), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			read, write := io.Pipe()
			exit := make(chan int, 1)
			go func() {
				exit <- run(ctx, []string{"-pools", file}, environment("127.0.0.1:0", ""), write)
				_ = write.Close()
			}()
			var said strings.Builder
			lines := bufio.NewScanner(read)
			for !strings.Contains(said.String(), "user ada") && lines.Scan() {
				said.WriteString(lines.Text() + "\n")
			}
			go func() { _, _ = io.Copy(io.Discard, read) }()
			for _, want := range []string{"pool " + region + "_Team (MFA ON), client web", `client server, secret "s3cr3t"`, "user ada, password Correct-Horse-1"} {
				if !strings.Contains(said.String(), want) {
					t.Fatalf("it did not say %q:\n%s", want, said.String())
				}
			}
			url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(said.String())
			sdk := cip.New(cip.Options{Region: region, BaseEndpoint: aws.String(url), Credentials: aws.AnonymousCredentials{}})
			out, err := sdk.InitiateAuth(t.Context(), &cip.InitiateAuthInput{
				AuthFlow: types.AuthFlowTypeUserPasswordAuth, ClientId: aws.String("web"),
				AuthParameters: map[string]string{"USERNAME": "ada", "PASSWORD": "Correct-Horse-1"},
			})
			if err != nil || out.ChallengeParameters["MFAS_CAN_SETUP"] != `["SMS_MFA","SOFTWARE_TOKEN_MFA"]` {
				t.Errorf("sign-in: %+v, %v", out, err)
			}
			stop()
			if code := <-exit; code != 0 {
				t.Errorf("exit code %d, want 0", code)
			}
		})
	}
}
