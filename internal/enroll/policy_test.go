package enroll_test

import (
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/test/standin"
)

// policyCase is what the service says to one kind of person on the three days.
type policyCase struct {
	groups            []string
	factor            string
	federated         bool
	before, on, after enroll.Next
}

const (
	none    = enroll.NextNone
	offer   = enroll.NextOffer
	require = enroll.NextRequire
)

func policyCases() (all []policyCase) {
	for _, row := range []policyCase{
		{groups: nil, before: offer, on: offer, after: offer},
		{groups: []string{"readers"}, before: offer, on: offer, after: offer},
		{groups: []string{"admins"}, before: require, on: require, after: require},
		{groups: []string{"staff"}, before: offer, on: require, after: require},
		{groups: []string{"readers", "support"}, before: offer, on: require, after: require},
		{groups: []string{"staff", "admins"}, before: require, on: require, after: require},
		{groups: []string{"Admins"}, before: offer, on: offer, after: offer},
	} {
		all = append(all, row)
		row.before, row.on, row.after = none, none, none
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

// The policy's table: groups × dates × factors × federated. Everybody is offered a
// factor, admins must have one, and from the day on staff, too.
func TestNextIsWhatThePolicySays(t *testing.T) {
	t.Parallel()
	cases := policyCases()
	pools := cognitotest.DemoPools()
	pools[0].Factors = []cognitotest.Factor{cognitotest.SMS, cognitotest.EmailOTP}
	for i, c := range cases {
		u := cognitotest.User{Username: standin.Person(i), Groups: c.groups, Federated: c.federated}
		switch c.factor {
		case "":
		case "app":
			u.TOTPSecret = itsSecret
		default:
			u.Factors = []cognitotest.Factor{cognitotest.Factor(c.factor)}
		}
		pools[0].Users = append(pools[0].Users, u)
	}
	day := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	f := newFlowsAt(t, cognitotest.Options{Pools: pools}, func(o *enroll.Options) {
		o.Policy = enroll.Policy{{Next: offer}, {Next: require, Groups: []string{"admins"}}, {Next: require, From: day, Groups: []string{"staff", "support"}}}
	})
	for _, at := range []struct {
		name string
		off  time.Duration
		want func(policyCase) enroll.Next
	}{
		{"a second before the day", -time.Second, func(c policyCase) enroll.Next { return c.before }},
		{"when the day begins", 0, func(c policyCase) enroll.Next { return c.on }},
		{"a month later", 30 * 24 * time.Hour, func(c policyCase) enroll.Next { return c.after }},
	} {
		f.clock.Advance(day.Add(at.off).Sub(f.clock.Now()))
		for i, c := range cases {
			if got := f.status(f.signedIn(standin.Person(i))).Next; got != at.want(c) {
				t.Errorf("%s, groups %v, factor %q, federated %v: next is %v, want %s", at.name, c.groups, c.factor, c.federated, got, at.want(c))
			}
		}
	}
}

func TestNextFollowsWhatThePersonDoes(t *testing.T) {
	t.Parallel()
	f := newFlows(t, func(o *enroll.Options) { o.Policy = enroll.Policy{{Next: require}} })
	ada := f.signedIn("ada")
	if got := f.status(ada).Next; got != require {
		t.Errorf("before: %v", got)
	}
	f.enrolled(ada)
	if got := f.status(ada).Next; got != none {
		t.Errorf("with an app: %v", got)
	}
	if got := f.prefer(ada, enroll.Preference{}).Next; got != require {
		t.Errorf("switched off: %v", got)
	}
	if got := f.prefer(ada, enroll.Preference{Enabled: true}).Next; got != none {
		t.Errorf("switched on: %v", got)
	}
}

func TestWithoutAPolicyNobodyIsAskedForAnything(t *testing.T) {
	t.Parallel()
	f := newFlows(t)
	if got := f.status(f.signedIn("ada")).Next; got != none {
		t.Errorf("next is %v", got)
	}
}

// Whatever a trigger of the pool writes where groups belong: it decides on advice
// alone, and keeps nobody out.
func TestGroupsThatAreNoneAdviseAsForEverybody(t *testing.T) {
	t.Parallel()
	f := newFlows(t, func(o *enroll.Options) {
		o.Policy = enroll.Policy{{Next: offer}, {Next: require, Groups: []string{"admins"}}}
	})
	for _, groups := range []any{nil, "admins", 7, []any{"admins", 7}, map[string]any{"admins": true}} {
		if got := f.status(f.minted(map[string]any{"cognito:groups": groups})).Next; got != offer {
			t.Errorf("%v: next is %v", groups, got)
		}
	}
}
