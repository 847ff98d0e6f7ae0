// Package standin runs the stand-in for Amazon Cognito in a test's process, on
// loopback and port 0, by a clock that the test moves. Tests alone import it.
package standin

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
)

// The demonstration's pools and clients (cognitotest.DemoPools), in each of which
// ada, grace and linus have this password.
const (
	Optional       = "us-east-1_Optional"
	OptionalClient = "demo-optional"
	Required       = "us-east-1_Required"
	RequiredClient = "demo-required"
	RequiredSecret = "demo-secret" // of RequiredClient
	Password       = "Correct-Horse-1"
)

// Crowd is the demonstration with n more people in the optional pool.
func Crowd(n int) cognitotest.Options {
	pools := cognitotest.DemoPools()
	for i := range n {
		pools[0].Users = append(pools[0].Users, cognitotest.User{Username: Person(i), Password: Password})
	}
	return cognitotest.Options{Pools: pools}
}

// Person is the username of the i-th of a Crowd.
func Person(i int) string { return fmt.Sprintf("person%03d", i) }

// StandIn is a stand-in that listens until its test ends.
type StandIn struct {
	*cognitotest.Server
	URL   string
	Clock *Clock
	web   *httptest.Server
}

// Start runs a stand-in with these options: the demonstration's pools where they
// name none, and a clock that stands still where they have none; one that they
// have can be moved ahead.
func Start(t testing.TB, o cognitotest.Options) *StandIn {
	t.Helper()
	s := &StandIn{Clock: NewClock()}
	if o.Now != nil {
		s.Clock = NewClockOver(o.Now)
	}
	o.Now = s.Clock.Now
	if o.Pools == nil {
		o.Pools = cognitotest.DemoPools()
	}
	for i := range o.Pools {
		if o.Pools[i].Key == nil {
			o.Pools[i].Key = key(i)
		}
	}
	server, err := cognitotest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	s.Server, s.URL, s.web = server, web.URL, web
	return s
}

// Call makes a call, as another client of the user pool would, and reads Cognito's
// answer into out.
func (s *StandIn) Call(t testing.TB, operation string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", operation, res.StatusCode, err)
	}
}

// RefusedURL is where every connection is refused until the test ends. A port that
// was only let go of may be the next stand-in's, of another test: a socket that does
// not listen holds this one.
func RefusedURL(t testing.TB) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

// Lose takes the stand-in away: nothing listens at its address any more.
func (s *StandIn) Lose() {
	s.web.CloseClientConnections()
	s.web.Close()
}

var keys struct {
	sync.Mutex
	made []*rsa.PrivateKey
}

// key is the signing key of the i-th pool. A process makes it once: that takes
// 0.1 s, 0.2 s with the race detector.
func key(i int) *rsa.PrivateKey {
	keys.Lock()
	defer keys.Unlock()
	for len(keys.made) <= i {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys.made = append(keys.made, k)
	}
	return keys.made[i]
}
