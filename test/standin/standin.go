// Package standin runs the stand-in for Amazon Cognito in a test's process, on
// loopback and port 0, by a clock that the test moves. Tests alone import it.
package standin

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http/httptest"
	"sync"
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
