package contract_test

import (
	"fmt"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// Cognito's sessions have 20 to 8,192 characters (API reference, "Session"). What
// the service hands out it takes back, through to the tokens.
func TestSessionsOfEveryLengthGoInAndComeOut(t *testing.T) {
	for _, length := range []int{20, 2049, 4097, 8192} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			w := world.NewWith(t, cognitotest.Options{Variants: cognitotest.Variants{SessionLength: length}}, nil)
			begun := w.Begin("", world.Object{"session": w.Cognito.Session(world.Required, world.RequiredClient, "ada")})
			if begun.Status != 201 {
				t.Fatalf("start: %d %s", begun.Status, begun.Body)
			}
			e := begun.JSON(t)
			if got := len(e["session"].(string)); got != length {
				t.Errorf("the session that comes out has %d characters, want %d", got, length)
			}
			done := w.Verify("", world.Object{
				"session": e["session"], "code": w.CodeAt(e["secret"].(string), 0), "username": "ada", "clientId": world.RequiredClient,
			})
			if done.Status != 200 || done.JSON(t)["outcome"] != "signed_in" {
				t.Errorf("verify: %d %s", done.Status, done.Body)
			}
		})
	}
}
