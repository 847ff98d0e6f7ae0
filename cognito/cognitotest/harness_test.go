package cognitotest_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go"

	"mfa-enrollment/cognito"
	"mfa-enrollment/cognito/cognitotest"
)

const (
	optional       = "us-east-1_Optional"
	optionalClient = "demo-optional"
	required       = "us-east-1_Required"
	requiredClient = "demo-required"
	requiredSecret = "demo-secret"
	password       = "Correct-Horse-1"
)

// sharedKey signs for every server of these tests but those about keys, since
// making one is slow under the race detector.
var sharedKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// standIn is a server on the loopback with the AWS SDK pointed at it.
type standIn struct {
	*cognitotest.Server
	sdk   *cip.Client
	clock *clock
	url   string
}

// start starts a stand-in with the demo pools, changed by the options.
func start(t *testing.T, change ...func(*cognitotest.Options)) *standIn {
	t.Helper()
	c := &clock{t: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	o := cognitotest.Options{Pools: cognitotest.DemoPools(), Now: c.now}
	for _, f := range change {
		f(&o)
	}
	for i := range o.Pools {
		o.Pools[i].Key = sharedKey()
	}
	server, err := cognitotest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	return &standIn{Server: server, sdk: newSDK(web.URL), clock: c, url: web.URL}
}

// newSDK is the AWS client as an application sets it up, without retries so that
// calls can be counted.
func newSDK(url string) *cip.Client {
	return cip.New(cip.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(url),
		Credentials:  aws.AnonymousCredentials{},
		Retryer:      aws.NopRetryer{},
		HTTPClient:   &http.Client{Transport: cognito.PlainBodies{Next: http.DefaultTransport}},
	})
}

// changePool changes one pool of the options by its ID.
func changePool(id string, change func(*cognitotest.Pool)) func(*cognitotest.Options) {
	return func(o *cognitotest.Options) {
		for i := range o.Pools {
			if o.Pools[i].ID == id {
				change(&o.Pools[i])
			}
		}
	}
}

// changeUser changes ada in the pool of that ID.
func changeUser(id string, change func(*cognitotest.User)) func(*cognitotest.Options) {
	return changePool(id, func(p *cognitotest.Pool) { change(&p.Users[0]) })
}

func user(name string) cognitotest.User {
	return cognitotest.User{
		Username: name, Password: password,
		Attributes: map[string]string{"email": name + "@example.com", "email_verified": "true"},
	}
}

func secretHash(username string) string {
	mac := hmac.New(sha256.New, []byte(requiredSecret))
	mac.Write([]byte(username + requiredClient))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// wantException fails the test unless err is the API's exception of that name
// and, when message is not empty, that message.
func wantException(t *testing.T, err error, name, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got %v, want %s", err, name)
	}
	if api.ErrorCode() != name || (message != "" && api.ErrorMessage() != message) {
		t.Fatalf("got %s %q, want %s %q", api.ErrorCode(), api.ErrorMessage(), name, message)
	}
}

func isException(err error, name, message string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == name && api.ErrorMessage() == message
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
