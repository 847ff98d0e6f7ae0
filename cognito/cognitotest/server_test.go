package cognitotest_test

import (
	"strings"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
)

func TestNewNamesTheFaultInItsOptions(t *testing.T) {
	pool := func(change func(*cognitotest.Pool)) cognitotest.Options {
		p := cognitotest.Pool{ID: "us-east-1_One", Key: sharedKey()}
		change(&p)
		return cognitotest.Options{Pools: []cognitotest.Pool{p}}
	}
	tests := map[string]struct {
		options cognitotest.Options
		want    string
	}{
		"a pool without a region": {
			options: pool(func(p *cognitotest.Pool) { p.ID = "One" }),
			want:    `pool ID "One": want a region, _ and letters or digits`,
		},
		"a pool twice": {
			options: cognitotest.Options{Pools: []cognitotest.Pool{{ID: "us-east-1_One"}, {ID: "us-east-1_One"}}},
			want:    "pool us-east-1_One: given twice",
		},
		"an unknown MFA setting": {
			options: pool(func(p *cognitotest.Pool) { p.MFA = "REQUIRED" }),
			want:    `pool us-east-1_One: Value 'REQUIRED' at 'mfaConfiguration' failed to satisfy constraint: Member must satisfy enum value set: [OPTIONAL, OFF, ON]`,
		},
		"a client twice": {
			options: pool(func(p *cognitotest.Pool) { p.Clients = []cognitotest.Client{{ID: "c"}, {ID: "c"}} }),
			want:    `client "c" of pool us-east-1_One: empty or given twice`,
		},
		"a user twice": {
			options: pool(func(p *cognitotest.Pool) { p.Users = []cognitotest.User{{Username: "u"}, {Username: "u"}} }),
			want:    `user "u" of pool us-east-1_One: empty or given twice`,
		},
		"a secret that is not base32": {
			options: pool(func(p *cognitotest.Pool) { p.Users = []cognitotest.User{{Username: "u", TOTPSecret: "1!"}} }),
			want:    `user "u" of pool us-east-1_One: the TOTP secret is not base32`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := cognitotest.New(test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
