package cognitotest_test

import (
	"fmt"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

// Names are looked up, not searched for: with a search for each, so many users who
// sign in by e-mail address took twenty seconds.
func TestManyUsersWhoSignInByAddress(t *testing.T) {
	pool := cognitotest.Pool{ID: optional, Key: sharedKey(), UsernameAttributes: []string{"email"}, CaseInsensitive: true}
	for i := range 5000 {
		pool.Users = append(pool.Users, cognitotest.User{Username: fmt.Sprintf("user-%d@example.com", i)})
	}
	began := time.Now()
	server := must[*cognitotest.Server](t)(cognitotest.New(cognitotest.Options{Pools: []cognitotest.Pool{pool}}))
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a pool of %d users took %s", len(pool.Users), took)
	}
	if server.Subject(optional, "USER-4999@example.com") == "" {
		t.Error("the last one is not there")
	}
}
