package cognitotest_test

import (
	"strings"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
)

func TestAFileIsOneValueWithMembersAsTheyAreNamed(t *testing.T) {
	const pool = `{"Pools":[{"ID":"us-east-1_One",`
	for text, want := range map[string]string{
		pool + `"MFA":"ON"}]} {"Pools":[]}`:             "after top-level value",
		pool + `"MFA":"ON"}]}]`:                         "after top-level value",
		`{"pools":[]}`:                                  `"pools"`,
		pool + `"mfa":"ON"}]}`:                          `"mfa"`,
		pool + `"Clients":[{"ID":"c","secret":"s"}]}]}`: `"secret"`,
		pool + `"MFA":"ON","MFA":"OFF"}]}`:              `"MFA"`,
	} {
		if _, err := cognitotest.ReadState([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
