package conformance

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/test/program"
)

// localConfig lets plain usernames sign in, and puts AWS's name into the tokens,
// as every verifier of Cognito's tokens expects.
const localConfig = `{
	"UserPoolDefaults": {"UsernameAttributes": []},
	"TokenConfig": {"IssuerDomain": "https://cognito-idp.local.amazonaws.com"}
}`

// TestCognitoLocal runs the suite against cognito-local, which others wrote. It
// needs Node, and the package registry the first time.
func TestCognitoLocal(t *testing.T) {
	if testing.Short() {
		t.Skip("installs packages")
	}
	t.Parallel()
	node := program.Find(t, "node")
	program.Install(t, ".")
	run(t, cognitoLocal(t, startCognitoLocal(t, node)))
}

// startCognitoLocal starts a server with nothing in it, on a port that the
// system chooses, and returns its address. It lives as long as the test.
func startCognitoLocal(t *testing.T, node string) (endpoint string) {
	program, err := filepath.Abs("node_modules/cognito-local/lib/bin/start.js")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".cognito"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".cognito", "config.json"), []byte(localConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), node, program)
	server.Dir = dir
	server.Env = []string{"HOST=127.0.0.1", "PORT=0"} // nothing of the caller's, AWS credentials above all
	var complaints bytes.Buffer
	server.Stderr = &complaints
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		announce(stdout, address)
	}()
	stop := func() {
		_ = server.Process.Kill() // it may have ended by itself
		<-ended
		_ = server.Wait() // which says that it was killed
	}
	t.Cleanup(stop)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case endpoint = <-address:
	case <-ended:
		stop()
		t.Fatalf("cognito-local does not start: %s", &complaints)
	case <-ctx.Done():
		t.Fatalf("cognito-local says no address within %s", patience)
	}
	isHealthy(ctx, t, endpoint)
	return endpoint
}

// announce reads what the server prints, to the end, and tells the first address
// in it.
func announce(stdout io.Reader, address chan<- string) {
	url := regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)
	told := false
	for lines := bufio.NewReader(stdout); ; {
		line, err := lines.ReadString('\n')
		if found := url.FindString(line); found != "" && !told {
			told = true
			address <- found
		}
		if err != nil {
			return
		}
	}
}

func isHealthy(ctx context.Context, t *testing.T, endpoint string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("cognito-local answers /health with %s", response.Status)
	}
}

// cognitoLocal makes two pools, their app clients, and a user for each flow, by
// the administrator's operations.
func cognitoLocal(t *testing.T, endpoint string) *target {
	admin := idp.New(idp.Options{
		Region: "local", BaseEndpoint: aws.String(endpoint), Retryer: aws.NopRetryer{},
		// It looks at no signature, but the SDK insists on making one.
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
	pools := map[kind]account{
		optional:     makePool(t, admin, types.UserPoolMfaTypeOptional, false),
		administered: makePool(t, admin, types.UserPoolMfaTypeOptional, false),
		required:     makePool(t, admin, types.UserPoolMfaTypeOn, true),
	}
	pools[withPhone] = pools[optional]
	pools[withSecret] = makeClient(t, admin, pools[optional].pool, true)
	next := 0
	return &target{
		name: "cognito-local", region: "local", endpoint: endpoint, now: time.Now, lacks: cognitoLocalLacks(),
		account: func(t *testing.T, k kind) (account, bool) {
			a := pools[k]
			a.username, a.password = fmt.Sprintf("person-%d", next), "Correct-Horse-1"
			next++
			makeUser(t, admin, a)
			return a, true
		},
	}
}

func makePool(t *testing.T, admin *idp.Client, mfa types.UserPoolMfaType, secret bool) account {
	out, err := admin.CreateUserPool(t.Context(), &idp.CreateUserPoolInput{PoolName: aws.String("people"), MfaConfiguration: mfa})
	if err != nil {
		t.Fatal(err)
	}
	return makeClient(t, admin, aws.ToString(out.UserPool.Id), secret)
}

func makeClient(t *testing.T, admin *idp.Client, pool string, secret bool) account {
	out, err := admin.CreateUserPoolClient(t.Context(), &idp.CreateUserPoolClientInput{
		UserPoolId: aws.String(pool), ClientName: aws.String("app"), GenerateSecret: secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := out.UserPoolClient
	return account{pool: pool, client: aws.ToString(c.ClientId), clientSecret: aws.ToString(c.ClientSecret)}
}

func makeUser(t *testing.T, admin *idp.Client, a account) {
	_, err := admin.AdminCreateUser(t.Context(), &idp.AdminCreateUserInput{
		UserPoolId: aws.String(a.pool), Username: aws.String(a.username), MessageAction: types.MessageActionTypeSuppress,
		UserAttributes: []types.AttributeType{{Name: aws.String("phone_number"), Value: aws.String("+15555550100")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = admin.AdminSetUserPassword(t.Context(), &idp.AdminSetUserPasswordInput{
		UserPoolId: aws.String(a.pool), Username: aws.String(a.username), Password: aws.String(a.password), Permanent: true,
	})
	if err != nil {
		t.Fatal(err)
	}
}
