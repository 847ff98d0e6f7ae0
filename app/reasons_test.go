package app_test

import (
	"strings"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// A secondary replica of a multi-region pool does not offer TOTP.
func TestWhatTheRegionDoesNotOfferIsThePoolsAnswer(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	w.Cognito.Fail("AssociateSoftwareToken", cognitotest.Fault{Exception: "OperationNotEnabledException"})
	if r := w.Begin(token, nil); r.Status != 409 || r.Code(t) != "not_offered_here" {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
	// What pages the operator counts nothing.
	for series, want := range map[string]string{
		`cognito_requests_total{operation="AssociateSoftwareToken",outcome="internal"}`: "0",
		`cognito_requests_total{operation="AssociateSoftwareToken",outcome="refused"}`:  "1",
		`http_problems_total{code="internal"}`:                                          "0",
	} {
		if got := w.Metric(series); got != want {
			t.Errorf("%s is %s, want %s", series, got, want)
		}
	}
}

func TestWhatALambdaTriggerSaysIsPassedOnWhereTheOperatorAllowsIt(t *testing.T) {
	t.Parallel()
	const secret = "Ask\u202e HR <b>first</b>,\n please"
	long := strings.Repeat("é", 300)
	for name, test := range map[string]struct {
		settings      map[string]string
		message, want string
	}{
		"off by default":      {nil, "PreAuthentication failed with error " + secret + ".", ""},
		"its own words":       {map[string]string{"PASS_POOL_MESSAGES": "true"}, "PreAuthentication failed with error " + secret + ".", "Ask HR <b>first</b>, please"},
		"at most 200":         {map[string]string{"PASS_POOL_MESSAGES": "true"}, long, strings.Repeat("é", 199) + "…"},
		"nothing where empty": {map[string]string{"PASS_POOL_MESSAGES": "true"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := world.New(t, test.settings)
			w.Cognito.Fail("RespondToAuthChallenge", cognitotest.Fault{Exception: "UserLambdaValidationException", Message: test.message})
			r := w.Answer(world.Object{
				"challenge": "SOFTWARE_TOKEN_MFA", "session": strings.Repeat("s", 40), "username": "ada", "clientId": world.OptionalClient, "code": "123456",
			})
			if r.Status != 403 || r.Code(t) != "refused_by_pool" {
				t.Fatalf("status %d: %s", r.Status, r.Body)
			}
			if got, _ := r.JSON(t)["poolMessage"].(string); got != test.want {
				t.Errorf("poolMessage is %q, want %q", got, test.want)
			}
			if strings.Contains(w.Log.String(), "please") {
				t.Error("the message is in the log")
			}
		})
	}
	t.Run("nobody else's words", func(t *testing.T) {
		w := world.New(t, map[string]string{"PASS_POOL_MESSAGES": "true"})
		w.Cognito.Fail("RespondToAuthChallenge", cognitotest.Fault{Exception: "NotAuthorizedException", Message: "User is disabled."})
		r := w.Answer(world.Object{
			"challenge": "SOFTWARE_TOKEN_MFA", "session": strings.Repeat("s", 40), "username": "ada", "clientId": world.OptionalClient, "code": "123456",
		})
		if r.JSON(t)["poolMessage"] != nil {
			t.Errorf("Cognito's own text is passed on: %s", r.Body)
		}
	})
}
