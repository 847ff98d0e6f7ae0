package conformance

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
)

// TestCognitotest runs the suite against this repository's own stand-in, which
// lacks nothing.
func TestCognitotest(t *testing.T) {
	t.Parallel()
	at := &clock{t: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	on := startCognitotest(t, at.now)
	on.advance = at.advance
	run(t, on)
}

// startCognitotest serves pools with a person for each flow.
func startCognitotest(t *testing.T, now func() time.Time) *target {
	on, _ := serveCognitotest(t, now)
	return on
}

func serveCognitotest(t *testing.T, now func() time.Time) (*target, *cognitotest.Server) {
	const region, password, secret = "us-east-1", "Correct-Horse-1", "client-secret"
	var users []cognitotest.User
	for i := range flows() {
		users = append(users, cognitotest.User{
			Username: fmt.Sprintf("person-%d", i), Password: password,
			Attributes: map[string]string{"phone_number": "+15555550100"},
		})
	}
	pools := []cognitotest.Pool{{
		ID: region + "_Optional", MFA: cognitotest.MFAOptional, Factors: []cognitotest.Factor{cognitotest.SMS}, Users: users,
		Clients: []cognitotest.Client{{ID: "optional"}, {ID: "secret", Secret: secret}},
	}, {
		ID: region + "_Required", MFA: cognitotest.MFARequired, Users: users,
		Clients: []cognitotest.Client{{ID: "required", Secret: secret}},
	}}
	server, err := cognitotest.New(cognitotest.Options{Region: region, Pools: pools, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)

	next := 0
	return &target{
		name: "cognitotest", region: region, endpoint: web.URL, now: now,
		account: func(_ *testing.T, k kind) (account, bool) {
			a := account{pool: pools[0].ID, client: "optional", username: users[next].Username, password: password}
			switch k {
			case withSecret:
				a.client, a.clientSecret = "secret", secret
			case required:
				a.pool, a.client, a.clientSecret = pools[1].ID, "required", secret
			}
			next++
			return a, true
		},
	}, server
}

// clock is a clock that a test sets.
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
