package cognitotest_test

import (
	"strings"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
)

// What CreateUserPool and AdminCreateUser refuse, a file cannot have either.
func TestAFileHasNoPoolThatTheAPIWouldRefuse(t *testing.T) {
	for text, want := range map[string]string{
		`"AliasAttributes":["email"],"UsernameAttributes":["email"]`:     "pool us-east-1_One: Only one of the aliasAttributes or usernameAttributes can be set",
		`"Users":[{"Username":"ada","PendingSecret":"a1"}]`:              `user "ada" of pool us-east-1_One: the TOTP secret is not base32`,
		`"Users":[{"Username":"ada","Attributes":{"emale":"a@b"}}]`:      `user "ada" of pool us-east-1_One: Attributes did not conform to the schema: emale: Attribute does not exist in the schema.`,
		`"Users":[{"Username":"ada","Attributes":{"email":"a"}}]`:        `user "ada" of pool us-east-1_One: Invalid email address format.`,
		`"Users":[{"Username":"ada","Attributes":{"phone_number":"0"}}]`: `user "ada" of pool us-east-1_One: Invalid phone number format.`,
	} {
		state, err := cognitotest.ReadState([]byte(`{"Pools":[{"ID":"us-east-1_One",` + text + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cognitotest.New(cognitotest.Options{Pools: state.Pools}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
