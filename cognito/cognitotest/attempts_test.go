package cognitotest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// AWS's quotas: "Maximum number of ConfirmSignUp calls per user | 15 attempts per
// hour", and so on.
func TestAUserHasSoManyAttemptsAnHour(t *testing.T) {
	x := empty(t).make(t, made{pool: verifiesEmail})
	must[*cip.SignUpOutput](t)(x.signUp(t, "grace", password, attribute("email", "grace@example.com")))
	x.create(t, "ada", password, attribute("email", "ada@example.com"), attribute("email_verified", "true"))
	token := x.tokenOf(t, "ada")
	tests := map[string]struct {
		call    func() error
		allowed int
		failure string // of an allowed call, empty when it succeeds
	}{
		"ChangePassword": {func() error {
			_, err := x.sdk.ChangePassword(t.Context(), &cip.ChangePasswordInput{
				AccessToken: &token, PreviousPassword: aws.String("wrong"), ProposedPassword: aws.String(otherPassword),
			})
			return err
		}, 5, "NotAuthorizedException"},
		"ConfirmForgotPassword": {func() error {
			_, err := x.sdk.ConfirmForgotPassword(t.Context(), &cip.ConfirmForgotPasswordInput{
				ClientId: &x.client, Username: aws.String("ada"), ConfirmationCode: aws.String("wrong"), Password: aws.String(otherPassword),
			})
			return err
		}, 5, "ExpiredCodeException"},
		"ConfirmSignUp": {func() error { return x.confirmSignUp(t, "grace", "wrong") }, 15, "CodeMismatchException"},
		"ResendConfirmationCode": {func() error {
			_, err := x.sdk.ResendConfirmationCode(t.Context(), &cip.ResendConfirmationCodeInput{ClientId: &x.client, Username: aws.String("grace")})
			return err
		}, 5, ""},
		"ForgotPassword": {func() error {
			_, err := x.sdk.ForgotPassword(t.Context(), &cip.ForgotPasswordInput{ClientId: &x.client, Username: aws.String("ada")})
			return err
		}, 5, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for hour := range 2 {
				for range test.allowed {
					if err := test.call(); test.failure == "" && err != nil {
						t.Fatalf("hour %d: %v", hour, err)
					} else if test.failure != "" && isException(err, "LimitExceededException", tooMany) {
						t.Fatalf("hour %d: %v", hour, err)
					}
				}
				wantException(t, test.call(), "LimitExceededException", tooMany)
				x.clock.advance(time.Hour)
				token = x.tokenOf(t, "ada")
			}
		})
	}
}

const tooMany = "Attempt limit exceeded, please try after some time."

// Wrong passwords in ChangePassword do not keep the user from signing in: the
// lock-out is one of "failed unauthenticated or IAM-authorized sign-in attempts",
// as AWS's guide has it.
func TestAWrongPasswordOfASignedInUserIsNoFailedSignIn(t *testing.T) {
	x := empty(t).make(t, made{})
	x.create(t, "ada", password)
	token := x.tokenOf(t, "ada")
	for range 5 {
		_, err := x.sdk.ChangePassword(t.Context(), &cip.ChangePasswordInput{
			AccessToken: &token, PreviousPassword: aws.String("wrong"), ProposedPassword: aws.String(otherPassword),
		})
		wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
	}
	must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password))
}
