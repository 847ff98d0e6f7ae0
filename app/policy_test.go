package app_test

import (
	"fmt"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// policyCase is what the service says to one kind of person on the three days.
type policyCase struct {
	groups            []string
	factor            string
	federated         bool
	before, on, after string
}

// MFA_POLICY of the test: everybody is offered a factor, admins must have one, and
// from the day on staff, too.
const (
	policy = "offer; require for admins; require from 2026-06-01 for staff, support"
	day    = "2026-06-01T00:00:00Z"
)

func policyCases() (all []policyCase) {
	for _, row := range []policyCase{
		{groups: nil, before: "offer", on: "offer", after: "offer"},
		{groups: []string{"readers"}, before: "offer", on: "offer", after: "offer"},
		{groups: []string{"admins"}, before: "require", on: "require", after: "require"},
		{groups: []string{"staff"}, before: "offer", on: "require", after: "require"},
		{groups: []string{"readers", "support"}, before: "offer", on: "require", after: "require"},
		{groups: []string{"staff", "admins"}, before: "require", on: "require", after: "require"},
		{groups: []string{"Admins"}, before: "offer", on: "offer", after: "offer"},
	} {
		all = append(all, row)
		row.before, row.on, row.after = "none", "none", "none"
		row.federated = true
		all = append(all, row)
		for _, row.factor = range []string{"app", "SMS_MFA", "EMAIL_OTP"} {
			row.federated = false
			all = append(all, row)
			row.federated = true
			all = append(all, row)
		}
	}
	return all
}

// The policy's table: groups × dates × factors × federated.
func TestNextIsWhatThePolicySays(t *testing.T) {
	t.Parallel()
	cases := policyCases()
	pools := cognitotest.DemoPools()
	for i, c := range cases {
		u := cognitotest.User{Username: fmt.Sprint("person", i), Groups: c.groups, Federated: c.federated}
		switch c.factor {
		case "":
		case "app":
			u.TOTPSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
		default:
			u.Factors = []cognitotest.Factor{cognitotest.Factor(c.factor)}
		}
		pools[0].Users = append(pools[0].Users, u)
	}
	w := world.NewWith(t, cognitotest.Options{Pools: pools}, map[string]string{"MFA_POLICY": policy})
	moment, err := time.Parse(time.RFC3339, day)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		name string
		off  time.Duration
		want func(policyCase) string
	}{
		{"a second before the day", -time.Second, func(c policyCase) string { return c.before }},
		{"when the day begins", 0, func(c policyCase) string { return c.on }},
		{"a month later", 30 * 24 * time.Hour, func(c policyCase) string { return c.after }},
	} {
		w.Clock.Advance(moment.Add(at.off).Sub(w.Clock.Now()))
		for i, c := range cases {
			token := w.Token(world.Optional, world.OptionalClient, fmt.Sprint("person", i))
			if got := status(w, token).JSON(t)["next"]; got != at.want(c) {
				t.Errorf("%s, groups %v, factor %q, federated %v: next is %v, want %s", at.name, c.groups, c.factor, c.federated, got, at.want(c))
			}
		}
	}
}

func TestNextFollowsWhatThePersonDoes(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"MFA_POLICY": "require"})
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	next := func(r world.Reply) any { return r.JSON(t)["next"] }
	if got := next(status(w, token)); got != "require" {
		t.Errorf("before: %v", got)
	}
	w.Enrolled(token)
	if got := next(status(w, token)); got != "none" {
		t.Errorf("with an app: %v", got)
	}
	if got := next(w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": false}})); got != "require" {
		t.Errorf("switched off: %v", got)
	}
	if got := next(w.Do(world.Request{Method: "PUT", Path: "/v1/mfa/totp/preference", Token: token, Body: world.Object{"enabled": true}})); got != "none" {
		t.Errorf("switched on: %v", got)
	}
}

func TestWithoutAPolicyNobodyIsAskedForAnything(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	if got := status(w, w.Token(world.Optional, world.OptionalClient, "ada")).JSON(t)["next"]; got != "none" {
		t.Errorf("next is %v", got)
	}
}

// Whatever a trigger of the pool writes where groups belong: it decides on advice
// alone, and keeps nobody out.
func TestGroupsThatAreNoneAdviseAsForEverybody(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"MFA_POLICY": "offer; require for admins"})
	for _, groups := range []any{nil, "admins", 7, []any{"admins", 7}, map[string]any{"admins": true}} {
		r := status(w, w.Cognito.Mint(world.Optional, map[string]any{"cognito:groups": groups}))
		if got := r.JSON(t)["next"]; r.Status != 200 || got != "offer" {
			t.Errorf("%v: status %d, next %v", groups, r.Status, got)
		}
	}
}

func status(w *world.World, token string) world.Reply {
	return w.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: token})
}
