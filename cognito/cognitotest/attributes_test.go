package cognitotest_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
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

// everyWay writes an attribute by every operation that can.
func (x *tenant) everyWay(t *testing.T, token string, a types.AttributeType) map[string]error {
	t.Helper()
	_, signUp := x.signUp(t, "ada", password, a)
	_, create := x.admin.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{UserPoolId: &x.pool, Username: aws.String("ada"), UserAttributes: []types.AttributeType{a}})
	in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "temporary", password))
	_, answer := x.answer(t, in.ChallengeName, *in.Session, "temporary", map[string]string{"NEW_PASSWORD": password, "userAttributes." + *a.Name: *a.Value})
	return map[string]error{
		"SignUp": signUp, "AdminCreateUser": create, "NEW_PASSWORD_REQUIRED": answer,
		"UpdateUserAttributes": x.update(t, token, a), "AdminUpdateUserAttributes": x.adminUpdate(t, "grace", a),
	}
}

func TestAttributesThatNoPoolHas(t *testing.T) {
	x := empty(t).make(t, made{})
	x.create(t, "grace", password)
	x.createTemporary(t, "temporary", password)
	token := x.tokenOf(t, "grace")
	for _, name := range []string{"favourite_colour", "cognito:groups", "token_use", "iss", "exp"} {
		for operation, err := range x.everyWay(t, token, attribute(name, "any")) {
			want := "user." + name
			if operation == "SignUp" || operation == "AdminCreateUser" {
				want = "Attributes did not conform to the schema: " + name
			}
			if !isException(err, "InvalidParameterException", want+": Attribute does not exist in the schema.\n") {
				t.Errorf("%s of %s: %v", operation, name, err)
			}
		}
	}
	for _, a := range []types.AttributeType{attribute("phone_number", "banana"), attribute("phone_number", "+1 555 0123"), attribute("phone_number", "0400000000"), attribute("email", "banana")} {
		want := "Invalid email address format."
		if *a.Name == "phone_number" {
			want = "Invalid phone number format."
		}
		for operation, err := range x.everyWay(t, token, a) {
			if !isException(err, "InvalidParameterException", want) {
				t.Errorf("%s of %s %s: %v", operation, *a.Name, *a.Value, err)
			}
		}
	}
	if err := x.update(t, token, attribute("phone_number", "+15555550123"), attribute("custom:colour", "blue")); err != nil {
		t.Error(err)
	}
}

func TestNoAttributeOverwritesAClaim(t *testing.T) {
	for _, name := range []string{"cognito:groups", "token_use", "iss", "exp", "sub", "aud"} {
		pools := []cognitotest.Pool{{ID: optional, Key: sharedKey(), Users: []cognitotest.User{{Username: "ada", Attributes: map[string]string{name: "x"}}}}}
		if _, err := cognitotest.New(cognitotest.Options{Pools: pools}); err == nil {
			t.Errorf("a user has an attribute %s", name)
		}
	}
	s := start(t, changeUser(optional, func(u *cognitotest.User) { u.Attributes = map[string]string{"custom:colour": "blue"} }))
	if claims := part(t, s.SignIn(optional, optionalClient, "ada").IDToken, 1); claims["custom:colour"] != "blue" {
		t.Errorf("claims %v", claims)
	}
}

// aws-amplify/amplify-js#3174. An empty value takes an attribute away, none does not.
func TestAttributesHaveValues(t *testing.T) {
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	const without = `"UserAttributes":[{"Name":"email"}]}`
	for operation, body := range map[string]string{
		"AdminCreateUser":           `{"UserPoolId":"us-east-1_Optional","Username":"new",` + without,
		"AdminUpdateUserAttributes": `{"UserPoolId":"us-east-1_Optional","Username":"ada",` + without,
		"SignUp":                    `{"ClientId":"demo-optional","Username":"new","Password":"Correct-Horse-1",` + without,
		"UpdateUserAttributes":      `{"AccessToken":"` + token + `",` + without,
	} {
		if _, answer := postSigned(t, s, operation, body); !strings.Contains(answer, "Attribute value for email must not be null") {
			t.Errorf("%s: %s", operation, answer)
		}
	}
	if _, answer := postSigned(t, s, "GetUser", `{"AccessToken":"`+token+`"}`); !strings.Contains(answer, "ada@example.com") {
		t.Error(answer)
	}
}
