package cognitotest_test

import (
	"testing"

	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

func (x *tenant) update(t *testing.T, token string, attributes ...types.AttributeType) error {
	t.Helper()
	_, err := x.sdk.UpdateUserAttributes(t.Context(), &cip.UpdateUserAttributesInput{AccessToken: &token, UserAttributes: attributes})
	return err
}

func (x *tenant) adminUpdate(t *testing.T, username string, attributes ...types.AttributeType) error {
	t.Helper()
	_, err := x.admin.AdminUpdateUserAttributes(t.Context(), &cip.AdminUpdateUserAttributesInput{
		UserPoolId: &x.pool, Username: &username, UserAttributes: attributes,
	})
	return err
}

func TestUsersWriteOnlyWhatIsTheirs(t *testing.T) {
	x := empty(t).make(t, made{})
	x.create(t, "grace", password)
	token := x.tokenOf(t, "grace")
	for _, a := range []types.AttributeType{
		attribute("email_verified", "true"), attribute("phone_number_verified", "true"), attribute("sub", "another"), attribute("dev:custom:role", "admin"),
	} {
		t.Run(*a.Name, func(t *testing.T) {
			_, err := x.signUp(t, "ada", password, attribute("email", "ada@example.com"), a)
			wantException(t, err, "NotAuthorizedException", "A client attempted to write unauthorized attribute")
			wantException(t, x.update(t, token, a), "NotAuthorizedException", "A client attempted to write unauthorized attribute")

			x.createTemporary(t, *a.Name, password)
			in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, *a.Name, password))
			_, err = x.answer(t, in.ChallengeName, *in.Session, *a.Name, map[string]string{"NEW_PASSWORD": otherPassword, "userAttributes." + *a.Name: *a.Value})
			wantException(t, err, "InvalidParameterException", "Cannot modify the non-mutable attribute "+*a.Name)
			must[*cip.InitiateAuthOutput](t)(x.byPassword(t, *a.Name, password)) // the password is not changed either
			if got := x.status(t, *a.Name); len(got.UserAttributes) != 1 || got.UserStatus != types.UserStatusTypeForceChangePassword {
				t.Errorf("%s with %d attributes, want the subject alone", got.UserStatus, len(got.UserAttributes))
			}
		})
	}
}
