package conformance

import (
	"os"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

// TestUserPool runs the suite against a real user pool, where the environment
// names one; README.md says what it does to the person.
func TestUserPool(t *testing.T) {
	who, ok := named(t)
	if !ok {
		t.Skip("CONFORMANCE_POOL_ID names no user pool")
	}
	run(t, asOnePerson(t, userPool(t, who), who))
}

// userPool is the target that the environment names: at AWS, or at the address of
// CONFORMANCE_ENDPOINT.
func userPool(t *testing.T, who account) *target {
	region, _, ok := strings.Cut(who.pool, "_")
	if !ok {
		t.Fatal("CONFORMANCE_POOL_ID wants the ID of a user pool, such as eu-west-1_AbCdEfGhI")
	}
	return &target{
		name: "the user pool", region: region, endpoint: os.Getenv("CONFORMANCE_ENDPOINT"), now: time.Now, lacks: userPoolLacks(),
	}
}

// TestOnePersonServesAllFlows runs the suite as TestUserPool does, with one
// person and a clock that cannot be set, against the stand-in.
func TestOnePersonServesAllFlows(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{optional, withSecret, required} {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			on := startCognitotest(t, time.Now)
			who, _ := on.account(t, k)
			on.name, on.lacks = "cognitotest, as one person: "+string(k), userPoolLacks()
			run(t, asOnePerson(t, on, who))
		})
	}
}

// named reads whom the environment names.
func named(t *testing.T) (account, bool) {
	who := account{pool: os.Getenv("CONFORMANCE_POOL_ID"), clientSecret: os.Getenv("CONFORMANCE_CLIENT_SECRET")}
	if who.pool == "" {
		return who, false
	}
	for name, value := range map[string]*string{
		"CONFORMANCE_CLIENT_ID": &who.client, "CONFORMANCE_USERNAME": &who.username, "CONFORMANCE_PASSWORD": &who.password,
	} {
		if *value = os.Getenv(name); *value == "" {
			t.Errorf("CONFORMANCE_POOL_ID wants %s as well", name)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return who, true
}

// asOnePerson has one person go through all flows that fit the pool. What the
// pool asks for it finds out by signing in.
func asOnePerson(t *testing.T, on *target, who account) *target {
	in, err := newPerson(on, who).signIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[kind]bool{optional: true, withSecret: who.clientSecret != ""}
	if c := in.Challenge; c != nil {
		if c.Name != enroll.ChallengeMFASetup {
			t.Fatalf("the sign-in asks for %s: the suite wants a new user without a factor", c.Name)
		}
		kinds = map[kind]bool{required: true}
	}
	on.account = func(_ *testing.T, k kind) (account, bool) { return who, kinds[k] }
	// In a pool with optional MFA the next flow wants nobody's factor on.
	on.after = func(t *testing.T, p *person) {
		if p.phone == nil || kinds[required] {
			return
		}
		if err := p.sets(t.Context(), false, false); err != nil {
			t.Errorf("the authenticator app of the user stays on: %v", err)
		}
	}
	return on
}

// userPoolLacks is what cannot be shown in a real pool.
func userPoolLacks() lacks {
	const clock = "its clock cannot be set, and the suite does not wait so long"
	return lacks{
		"tokens":                       {"a token is refused after an hour": clock},
		"wrong codes without end":      {"the right code is taken when the lock-out is over": clock},
		"enrolling during the sign-in": {"a session lives for three minutes": clock},
	}
}
