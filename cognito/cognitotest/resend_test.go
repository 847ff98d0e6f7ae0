package cognitotest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// AdminCreateUser's page: RESEND is for "a user that already exists, and to reset
// the temporary-password duration with a new temporary password".
func TestAnInvitationIsSentAgainWithANewTemporaryPassword(t *testing.T) {
	x := empty(t).make(t, made{})
	x.createTemporary(t, "ada", password)
	x.create(t, "grace", password)
	resend := func(username string, temporary *string) (*cip.AdminCreateUserOutput, error) {
		return x.admin.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{
			UserPoolId: &x.pool, Username: &username, TemporaryPassword: temporary, MessageAction: types.MessageActionTypeResend,
		})
	}
	_, err := resend("nobody", nil)
	wantException(t, err, "UserNotFoundException", "User does not exist.")
	_, err = resend("grace", nil)
	wantException(t, err, "UnsupportedUserStateException", "Resend not possible. grace status is not FORCE_CHANGE_PASSWORD")
	_, err = resend("ada", aws.String("short1"))
	wantException(t, err, "InvalidPasswordException", "")
	created := x.status(t, "ada").UserCreateDate
	x.clock.advance(time.Minute)
	out := must[*cip.AdminCreateUserOutput](t)(resend("ada", aws.String(otherPassword))).User
	if got := out.UserLastModifiedDate.Sub(*created); got != time.Minute || !out.UserCreateDate.Equal(*created) {
		t.Errorf("modified after %s, created %s", got, out.UserCreateDate)
	}
	_, err = x.byPassword(t, "ada", password)
	wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
	if in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", otherPassword)); in.ChallengeName != types.ChallengeNameTypeNewPasswordRequired {
		t.Errorf("got %s", in.ChallengeName)
	}
}

// Clients parse userAttributes and look into it: a user without attributes has an
// empty object.
func TestANewPasswordIsAskedForWithTheAttributesAndIsAChange(t *testing.T) {
	x := empty(t).make(t, made{})
	x.createTemporary(t, "ada", password)
	before := x.status(t, "ada").UserLastModifiedDate
	in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password))
	if got := in.ChallengeParameters["userAttributes"]; got != "{}" {
		t.Errorf("userAttributes %s, want {}", got)
	}
	x.clock.advance(time.Minute)
	must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, *in.Session, "ada", map[string]string{"NEW_PASSWORD": otherPassword}))
	if got := x.status(t, "ada").UserLastModifiedDate.Sub(*before); got != time.Minute {
		t.Errorf("modified after %s, want a minute", got)
	}
}

// The words are those of programs that look for them; the time is that of
// PasswordPolicyType's TemporaryPasswordValidityDays, a week where it is not given.
func TestATemporaryPasswordExpires(t *testing.T) {
	for days, change := range map[int]func(*cip.CreateUserPoolInput){
		7: func(*cip.CreateUserPoolInput) {},
		2: func(in *cip.CreateUserPoolInput) {
			in.Policies = &types.UserPoolPolicyType{PasswordPolicy: &types.PasswordPolicyType{MinimumLength: aws.Int32(8), TemporaryPasswordValidityDays: 2}}
		},
	} {
		x := empty(t).make(t, made{pool: change})
		x.createTemporary(t, "ada", password)
		x.create(t, "grace", password)
		x.clock.advance(time.Duration(days)*24*time.Hour - time.Second)
		must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password))
		x.clock.advance(time.Second)
		if err := x.Load(x.Dump()); err != nil {
			t.Fatal(err)
		}
		_, err := x.byPassword(t, "ada", "wrong")
		wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
		_, err = x.byPassword(t, "ada", password)
		wantException(t, err, "NotAuthorizedException", "Temporary password has expired and must be reset by an administrator.")
		must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "grace", password))
		must[*cip.AdminCreateUserOutput](t)(x.admin.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{
			UserPoolId: &x.pool, Username: aws.String("ada"), TemporaryPassword: aws.String(otherPassword), MessageAction: types.MessageActionTypeResend,
		}))
		must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", otherPassword))
	}
}
