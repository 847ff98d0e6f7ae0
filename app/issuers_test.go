package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/standin"
	"mfa-enrollment/test/world"
)

// atCognito calls the stand-in as a front end's Cognito library does.
func atCognito(w *world.World, operation string, body world.Object) (answer world.Object) {
	w.T.Helper()
	w.Cognito.Call(w.T, operation, body, &answer)
	return answer
}

// secretHash is that of the app client with a secret.
func secretHash(username string) string {
	h := hmac.New(sha256.New, []byte(standin.RequiredSecret))
	h.Write([]byte(username + world.RequiredClient))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// issuerOf is the iss of a token.
func issuerOf(t *testing.T, token string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Iss string }
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims.Iss
}

func TestAnEnrollmentOutlivesASwitchOfThePoolsIssuerType(t *testing.T) {
	t.Parallel()
	for _, way := range [][2]cognitotest.IssuerType{
		{cognitotest.IssuerOriginal, cognitotest.IssuerUpdated}, {cognitotest.IssuerUpdated, cognitotest.IssuerOriginal},
	} {
		t.Run(string(way[0])+" to "+string(way[1]), func(t *testing.T) {
			w := world.New(t, nil)
			w.Cognito.SetIssuerType(world.Optional, way[0])
			signedIn := w.Cognito.SignIn(world.Optional, world.OptionalClient, "ada")
			begun := w.Begin(signedIn.AccessToken, nil)
			if begun.Status != 201 {
				t.Fatalf("status %d: %s", begun.Status, begun.Body)
			}

			w.Cognito.SetIssuerType(world.Optional, way[1])
			w.Clock.Advance(time.Minute)
			result := atCognito(w, "InitiateAuth", world.Object{
				"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": world.OptionalClient,
				"AuthParameters": world.Object{"REFRESH_TOKEN": signedIn.RefreshToken},
			})["AuthenticationResult"].(world.Object)
			refreshed := result["AccessToken"].(string)
			if before, after := issuerOf(t, signedIn.AccessToken), issuerOf(t, refreshed); before == after || strings.Contains(after, "//issuer-") != (way[1] == cognitotest.IssuerUpdated) {
				t.Fatalf("the pool was not switched: %s, then %s", before, after)
			}

			again := w.Begin(refreshed, nil)
			secret := begun.JSON(t)["secret"].(string)
			if again.Status != 200 || again.JSON(t)["secret"] != secret {
				t.Errorf("the pending enrollment is lost: status %d", again.Status)
			}
			if r := w.Verify(refreshed, world.Object{"code": w.CodeAt(secret, 0)}); r.Status != 200 {
				t.Errorf("status %d: %s", r.Status, r.Body)
			}
			if w.Begin(signedIn.AccessToken, nil).Status >= 300 {
				t.Error("the token from before the switch is refused")
			}
			people := map[string]bool{}
			for _, m := range regexp.MustCompile(`"subject":"([0-9a-f]+)"`).FindAllStringSubmatch(w.Log.String(), -1) {
				people[m[1]] = true
			}
			if len(people) != 1 {
				t.Errorf("one person is %d in the log and the audit events", len(people))
			}
		})
	}
}
