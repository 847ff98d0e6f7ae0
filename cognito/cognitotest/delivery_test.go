package cognitotest_test

import (
	"testing"

	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

// A code to reset a password is good for an hour, whatever else is sent meanwhile:
// https://docs.aws.amazon.com/cognito/latest/developerguide/limits.html
func TestACodeForOnePurposeLeavesThatForAnother(t *testing.T) {
	s := start(t, changePool(optional, withSMS), changeUser(optional, func(u *cognitotest.User) {
		u.Attributes["phone_number"] = "+15555550123"
		u.Factors = []cognitotest.Factor{cognitotest.SMS}
	}))
	ada, client, next := "ada", optionalClient, "Correct-Horse-2"
	must[*cip.ForgotPasswordOutput](t)(s.sdk.ForgotPassword(t.Context(), &cip.ForgotPasswordInput{ClientId: &client, Username: &ada}))
	reset := s.SentCode(optional, ada)
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	signIn := s.SentCode(optional, ada)
	confirm := func(code string) error {
		_, err := s.sdk.ConfirmForgotPassword(t.Context(), &cip.ConfirmForgotPasswordInput{
			ClientId: &client, Username: &ada, Password: &next, ConfirmationCode: &code,
		})
		return err
	}
	wantException(t, confirm(signIn), "CodeMismatchException", "")
	if err := confirm(reset); err != nil {
		t.Error(err)
	}
	must[*cip.RespondToAuthChallengeOutput](t)(s.respond(t, optionalClient, types.ChallengeNameTypeSmsMfa, *in.Session, map[string]string{"SMS_MFA_CODE": signIn}))
	wantException(t, confirm(reset), "ExpiredCodeException", "")
	if code := s.SentCode(optional, ada); code != "" {
		t.Errorf("%s is left", code)
	}
}
