package cognitotest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

const otherPassword = "Other-Horse-2"

// verifiesEmail makes a pool that verifies e-mail addresses.
func verifiesEmail(in *cip.CreateUserPoolInput) {
	in.AutoVerifiedAttributes = []types.VerifiedAttributeType{types.VerifiedAttributeTypeEmail}
}

func (x *tenant) signUp(t *testing.T, username, password string, attributes ...types.AttributeType) (*cip.SignUpOutput, error) {
	t.Helper()
	return x.sdk.SignUp(t.Context(), &cip.SignUpInput{
		ClientId: &x.client, Username: &username, Password: &password, SecretHash: x.hash(username), UserAttributes: attributes,
	})
}

func (x *tenant) confirmSignUp(t *testing.T, username, code string) error {
	t.Helper()
	_, err := x.sdk.ConfirmSignUp(t.Context(), &cip.ConfirmSignUpInput{
		ClientId: &x.client, Username: &username, ConfirmationCode: &code, SecretHash: x.hash(username),
	})
	return err
}

func (x *tenant) status(t *testing.T, username string) *cip.AdminGetUserOutput {
	t.Helper()
	return must[*cip.AdminGetUserOutput](t)(x.admin.AdminGetUser(t.Context(), &cip.AdminGetUserInput{UserPoolId: &x.pool, Username: &username}))
}

func TestSigningUpEndsWithTheCodeThatWasSent(t *testing.T) {
	x := empty(t).make(t, made{pool: verifiesEmail, client: withSecret})
	_, err := x.signUp(t, "ada", "short")
	wantException(t, err, "InvalidPasswordException", "Password did not conform with policy: Password not long enough")
	out := must[*cip.SignUpOutput](t)(x.signUp(t, "ada", password, attribute("email", "ada@example.com")))
	if out.UserConfirmed || aws.ToString(out.CodeDeliveryDetails.Destination) != "a***@e***" {
		t.Errorf("got %+v", out)
	}
	_, err = x.signUp(t, "ada", password)
	wantException(t, err, "UsernameExistsException", "User already exists")
	_, err = x.byPassword(t, "ada", password)
	wantException(t, err, "UserNotConfirmedException", "User is not confirmed.")

	wantException(t, x.confirmSignUp(t, "ada", "wrong"), "CodeMismatchException", "Invalid verification code provided, please try again.")
	old := x.SentCode(x.pool, "ada")
	resend := func(username string) (*cip.ResendConfirmationCodeOutput, error) {
		return x.sdk.ResendConfirmationCode(t.Context(), &cip.ResendConfirmationCodeInput{ClientId: &x.client, Username: &username, SecretHash: x.hash(username)})
	}
	_, err = resend("nobody")
	wantException(t, err, "UserNotFoundException", "Username/client id combination not found.")
	if again := must[*cip.ResendConfirmationCodeOutput](t)(resend("ada")); aws.ToString(again.CodeDeliveryDetails.Destination) != "a***@e***" {
		t.Errorf("got %+v", again)
	}
	code := x.SentCode(x.pool, "ada")
	if code != old { // one in a million
		wantException(t, x.confirmSignUp(t, "ada", old), "CodeMismatchException", "")
	}
	x.clock.advance(24 * time.Hour)
	wantException(t, x.confirmSignUp(t, "ada", code), "ExpiredCodeException", "Invalid code provided, please request a code again.")
	x.clock.advance(-time.Second)
	if err := x.confirmSignUp(t, "ada", code); err != nil {
		t.Fatal(err)
	}
	wantException(t, x.confirmSignUp(t, "ada", code), "NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED")
	_, err = resend("ada")
	wantException(t, err, "InvalidParameterException", "User is already confirmed.")
	user := x.status(t, "ada")
	if user.UserStatus != types.UserStatusTypeConfirmed || !has(user.UserAttributes, "email_verified", "true") {
		t.Errorf("status %s, attributes %v", user.UserStatus, user.UserAttributes)
	}
}

// AWS's guide hides from ResendConfirmationCode who is not there or is disabled.
func TestWhoIsSentNoOtherCode(t *testing.T) {
	hides := func(in *cip.CreateUserPoolClientInput) {
		in.PreventUserExistenceErrors = types.PreventUserExistenceErrorTypesEnabled
	}
	x := empty(t).make(t, made{client: hides})
	must[*cip.SignUpOutput](t)(x.signUp(t, "ada", password, attribute("email", "ada@example.com")))
	resend := func(username string) error {
		_, err := x.sdk.ResendConfirmationCode(t.Context(), &cip.ResendConfirmationCodeInput{ClientId: &x.client, Username: &username})
		return err
	}
	wantException(t, resend("ada"), "NotAuthorizedException", "Cannot resend codes. Auto verification not turned on.")
	must[*cip.AdminDisableUserOutput](t)(x.admin.AdminDisableUser(t.Context(), &cip.AdminDisableUserInput{UserPoolId: &x.pool, Username: aws.String("ada")}))
	for _, name := range []string{"ada", "nobody"} {
		if err := resend(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func has(list []types.AttributeType, name, value string) bool {
	for _, a := range list {
		if aws.ToString(a.Name) == name {
			return aws.ToString(a.Value) == value
		}
	}
	return value == ""
}

func TestWhoMaySignUp(t *testing.T) {
	s := empty(t)
	closed := s.make(t, made{pool: func(in *cip.CreateUserPoolInput) {
		in.AdminCreateUserConfig = &types.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true}
	}})
	_, err := closed.signUp(t, "ada", password)
	wantException(t, err, "NotAuthorizedException", "SignUp is not permitted for this user pool")
	byEmail := s.make(t, made{pool: func(in *cip.CreateUserPoolInput) {
		in.UsernameAttributes = []types.UsernameAttributeType{types.UsernameAttributeTypeEmail}
	}})
	_, err = byEmail.signUp(t, "ada", password)
	wantException(t, err, "InvalidParameterException", "Username should be an email.")
	must[*cip.SignUpOutput](t)(byEmail.signUp(t, "ada@example.com", password))
	_, err = byEmail.signUp(t, "ada@example.com", password)
	wantException(t, err, "UsernameExistsException", "")
	byAlias := s.make(t, made{pool: func(in *cip.CreateUserPoolInput) {
		in.AliasAttributes = []types.AliasAttributeType{types.AliasAttributeTypeEmail}
	}})
	_, err = byAlias.signUp(t, "ada@example.com", password)
	wantException(t, err, "InvalidParameterException", "Username cannot be of email format, since user pool is configured for email alias.")
	_, err = s.administrator().CreateUserPool(t.Context(), &cip.CreateUserPoolInput{
		PoolName: aws.String("both"), AliasAttributes: []types.AliasAttributeType{"email"}, UsernameAttributes: []types.UsernameAttributeType{"email"},
	})
	wantException(t, err, "InvalidParameterException", "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.")
}

func TestUsernamesInAnyCaseWhereThePoolSaysSo(t *testing.T) {
	for insensitive, name := range map[bool]string{true: "same", false: "another"} {
		x := empty(t).make(t, made{pool: func(in *cip.CreateUserPoolInput) {
			in.UsernameConfiguration = &types.UsernameConfigurationType{CaseSensitive: aws.Bool(!insensitive)}
		}})
		x.create(t, "Ada", password)
		_, err := x.byPassword(t, "ADA", password)
		if (err == nil) != insensitive {
			t.Errorf("%s user: %v", name, err)
		}
		_, err = x.signUp(t, "aDA", password)
		if (err == nil) == insensitive {
			t.Errorf("%s user signs up: %v", name, err)
		}
	}
}

func TestAForgottenPassword(t *testing.T) {
	x := empty(t).make(t, made{})
	x.create(t, "ada", password, attribute("email", "ada@example.com"), attribute("email_verified", "true"))
	x.create(t, "grace", password)
	forgot := func(username string) (*cip.ForgotPasswordOutput, error) {
		return x.sdk.ForgotPassword(t.Context(), &cip.ForgotPasswordInput{ClientId: &x.client, Username: &username})
	}
	confirm := func(code, password string) error {
		_, err := x.sdk.ConfirmForgotPassword(t.Context(), &cip.ConfirmForgotPasswordInput{
			ClientId: &x.client, Username: aws.String("ada"), ConfirmationCode: &code, Password: &password,
		})
		return err
	}
	_, err := forgot("grace")
	wantException(t, err, "InvalidParameterException", "Cannot reset password for the user as there is no registered/verified email or phone_number")
	_, err = forgot("nobody")
	wantException(t, err, "UserNotFoundException", "Username/client id combination not found.")
	wantException(t, confirm("123456", otherPassword), "ExpiredCodeException", "")
	out := must[*cip.ForgotPasswordOutput](t)(forgot("ada"))
	if got := out.CodeDeliveryDetails; aws.ToString(got.Destination) != "a***@e***" || got.DeliveryMedium != types.DeliveryMediumTypeEmail {
		t.Errorf("got %+v", got)
	}
	code := x.SentCode(x.pool, "ada")
	wantException(t, confirm("wrong", otherPassword), "CodeMismatchException", "")
	wantException(t, confirm(code, "short"), "InvalidPasswordException", "")
	if err := confirm(code, otherPassword); err != nil {
		t.Fatal(err)
	}
	wantException(t, confirm(code, otherPassword), "ExpiredCodeException", "")
	must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", otherPassword))

	x.clock.advance(time.Hour) // the attempts of this one are used up
	must[*cip.AdminResetUserPasswordOutput](t)(x.admin.AdminResetUserPassword(t.Context(), &cip.AdminResetUserPasswordInput{UserPoolId: &x.pool, Username: aws.String("ada")}))
	_, err = x.byPassword(t, "ada", otherPassword)
	wantException(t, err, "PasswordResetRequiredException", "")
	if err := confirm(x.SentCode(x.pool, "ada"), password); err != nil {
		t.Fatal(err)
	}
	must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password))
}

func TestWhatASignedInUserChanges(t *testing.T) {
	x := empty(t).make(t, made{pool: verifiesEmail})
	x.create(t, "ada", password, attribute("email", "ada@example.com"), attribute("email_verified", "true"))
	token := *must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password)).AuthenticationResult.AccessToken
	change := func(from, to string) error {
		_, err := x.sdk.ChangePassword(t.Context(), &cip.ChangePasswordInput{AccessToken: &token, PreviousPassword: &from, ProposedPassword: &to})
		return err
	}
	wantException(t, change("wrong", otherPassword), "NotAuthorizedException", "Incorrect username or password.")
	wantException(t, change(password, "short"), "InvalidPasswordException", "")
	if err := change(password, otherPassword); err != nil {
		t.Fatal(err)
	}
	must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", otherPassword))

	update := func(attributes ...types.AttributeType) (*cip.UpdateUserAttributesOutput, error) {
		return x.sdk.UpdateUserAttributes(t.Context(), &cip.UpdateUserAttributesInput{AccessToken: &token, UserAttributes: attributes})
	}
	_, err := update(attribute("email_verified", "true"))
	wantException(t, err, "NotAuthorizedException", "A client attempted to write unauthorized attribute")
	out := must[*cip.UpdateUserAttributesOutput](t)(update(attribute("email", "ada@example.org"), attribute("given_name", "Ada")))
	if len(out.CodeDeliveryDetailsList) != 1 {
		t.Errorf("got %+v", out.CodeDeliveryDetailsList)
	}
	if user := x.status(t, "ada"); !has(user.UserAttributes, "email_verified", "false") || !has(user.UserAttributes, "given_name", "Ada") {
		t.Errorf("attributes %v", user.UserAttributes)
	}
	must[*cip.AdminUpdateUserAttributesOutput](t)(x.admin.AdminUpdateUserAttributes(t.Context(), &cip.AdminUpdateUserAttributesInput{
		UserPoolId: &x.pool, Username: aws.String("ada"), UserAttributes: []types.AttributeType{attribute("email_verified", "true")},
	}))
	if user := x.status(t, "ada"); !has(user.UserAttributes, "email_verified", "true") {
		t.Errorf("attributes %v", user.UserAttributes)
	}
	must[*cip.DeleteUserOutput](t)(x.sdk.DeleteUser(t.Context(), &cip.DeleteUserInput{AccessToken: &token}))
	wantException(t, x.getUser(t, token), "UserNotFoundException", "User does not exist.")
}

func TestWhatAnAdministratorDoesToAUser(t *testing.T) {
	x := empty(t).make(t, made{mfa: types.UserPoolMfaTypeOptional})
	x.create(t, "ada", password)
	ada := aws.String("ada")
	tokens := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password)).AuthenticationResult
	must[*cip.AdminUserGlobalSignOutOutput](t)(x.admin.AdminUserGlobalSignOut(t.Context(), &cip.AdminUserGlobalSignOutInput{UserPoolId: &x.pool, Username: ada}))
	wantException(t, x.getUser(t, *tokens.AccessToken), "NotAuthorizedException", "Access Token has been revoked")
	must[*cip.AdminDisableUserOutput](t)(x.admin.AdminDisableUser(t.Context(), &cip.AdminDisableUserInput{UserPoolId: &x.pool, Username: ada}))
	_, err := x.byPassword(t, "ada", password)
	wantException(t, err, "NotAuthorizedException", "User is disabled.")
	if x.status(t, "ada").Enabled {
		t.Error("a disabled user is enabled")
	}
	must[*cip.AdminEnableUserOutput](t)(x.admin.AdminEnableUser(t.Context(), &cip.AdminEnableUserInput{UserPoolId: &x.pool, Username: ada}))
	token := *must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password)).AuthenticationResult.AccessToken

	prefer := func(on bool) error {
		_, err := x.admin.AdminSetUserMFAPreference(t.Context(), &cip.AdminSetUserMFAPreferenceInput{
			UserPoolId: &x.pool, Username: ada,
			SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{Enabled: on, PreferredMfa: on},
		})
		return err
	}
	if err := prefer(false); err != nil {
		t.Errorf("turning off an app that was never set up: %v", err)
	}
	wantException(t, prefer(true), "InvalidParameterException", "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA")
	secret := *must[*cip.AssociateSoftwareTokenOutput](t)(x.associateByToken(t, token)).SecretCode
	must[*cip.VerifySoftwareTokenOutput](t)(x.verifyByToken(t, token, x.code(t, secret, 0)))
	if err := prefer(true); err != nil {
		t.Fatal(err)
	}
	if user := x.status(t, "ada"); aws.ToString(user.PreferredMfaSetting) != "SOFTWARE_TOKEN_MFA" {
		t.Errorf("got %v", user.PreferredMfaSetting)
	}
	must[*cip.AdminDeleteUserOutput](t)(x.admin.AdminDeleteUser(t.Context(), &cip.AdminDeleteUserInput{UserPoolId: &x.pool, Username: ada}))
	_, err = x.admin.AdminGetUser(t.Context(), &cip.AdminGetUserInput{UserPoolId: &x.pool, Username: ada})
	wantException(t, err, "UserNotFoundException", "User does not exist.")
}

// AWS: "Deactivates a user profile and revokes all access tokens for the user."
func TestADisabledUserIsSignedOutForGood(t *testing.T) {
	x := empty(t).make(t, made{})
	x.create(t, "ada", password)
	ada := aws.String("ada")
	tokens := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password)).AuthenticationResult
	refresh := func() error {
		_, err := x.initiate(t, types.AuthFlowTypeRefreshTokenAuth, "ada", map[string]string{"REFRESH_TOKEN": *tokens.RefreshToken})
		return err
	}
	must[*cip.AdminDisableUserOutput](t)(x.admin.AdminDisableUser(t.Context(), &cip.AdminDisableUserInput{UserPoolId: &x.pool, Username: ada}))
	wantException(t, x.getUser(t, *tokens.AccessToken), "NotAuthorizedException", "")
	wantException(t, refresh(), "NotAuthorizedException", "")
	must[*cip.AdminEnableUserOutput](t)(x.admin.AdminEnableUser(t.Context(), &cip.AdminEnableUserInput{UserPoolId: &x.pool, Username: ada}))
	wantException(t, x.getUser(t, *tokens.AccessToken), "NotAuthorizedException", "Access Token has been revoked")
	wantException(t, x.update(t, *tokens.AccessToken, attribute("given_name", "Ada")), "NotAuthorizedException", "Access Token has been revoked")
	wantException(t, refresh(), "NotAuthorizedException", "Refresh Token has been revoked")
	if err := x.getUser(t, x.tokenOf(t, "ada")); err != nil {
		t.Error(err)
	}
}

func TestATemporaryPasswordOfAnAdministratorMustBeChanged(t *testing.T) {
	x := empty(t).make(t, made{})
	x.create(t, "ada", password)
	must[*cip.AdminSetUserPasswordOutput](t)(x.admin.AdminSetUserPassword(t.Context(), &cip.AdminSetUserPasswordInput{
		UserPoolId: &x.pool, Username: aws.String("ada"), Password: aws.String(otherPassword),
	}))
	if got := x.status(t, "ada").UserStatus; got != types.UserStatusTypeForceChangePassword {
		t.Errorf("status %s", got)
	}
	in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", otherPassword))
	if in.ChallengeName != types.ChallengeNameTypeNewPasswordRequired || in.AuthenticationResult != nil {
		t.Fatalf("got %s, want NEW_PASSWORD_REQUIRED", in.ChallengeName)
	}
	wantTokens(t, must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, *in.Session, "ada", map[string]string{"NEW_PASSWORD": password})).AuthenticationResult)
}

// AWS's guide has the message of SignUp (managing error responses), and
// localstack/localstack#4465 that of AdminCreateUser; by e-mail address SignUp
// has that of jonsaw/amazon-cognito-identity-dart#73. A username that looks like an
// alias of the pool is refused.
func TestWhoIsThereAlready(t *testing.T) {
	plain := empty(t).make(t, made{})
	byEmail := empty(t).make(t, made{pool: func(in *cip.CreateUserPoolInput) {
		in.UsernameAttributes = []types.UsernameAttributeType{types.UsernameAttributeTypeEmail}
	}})
	byPhone := empty(t).make(t, made{pool: func(in *cip.CreateUserPoolInput) {
		in.AliasAttributes = []types.AliasAttributeType{types.AliasAttributeTypePhoneNumber}
	}})
	for _, test := range []struct {
		x                             *tenant
		name, created, signsUp, other string
	}{
		{plain, "ada", "User account already exists", "User already exists", "UsernameExistsException"},
		{byEmail, "ada@example.com", "", "An account with the given email already exists.", "UsernameExistsException"},
		{byPhone, "+15550001111", aPhone, aPhone, "InvalidParameterException"},
	} {
		if test.x != byPhone {
			test.x.create(t, test.name, password)
		}
		_, err := test.x.signUp(t, test.name, password)
		wantException(t, err, test.other, test.signsUp)
		_, err = test.x.admin.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{UserPoolId: &test.x.pool, Username: &test.name})
		wantException(t, err, test.other, test.created)
	}
}

const aPhone = "Username cannot be of phone number format, since user pool is configured for phone number alias."

// jagregory/cognito-local#386: an address that was not verified is said to be not
// verified, and one that is not there is not.
func TestAnAddressOfASignUpIsNotVerified(t *testing.T) {
	x := empty(t).make(t, made{})
	must[*cip.SignUpOutput](t)(x.signUp(t, "ada", password, attribute("email", "ada@example.com")))
	got := x.status(t, "ada").UserAttributes
	if !has(got, "email_verified", "false") || !has(got, "phone_number_verified", "") {
		t.Errorf("attributes %v", got)
	}
}

// The guide's page on error responses says what a client that hides who exists is
// told of users who are disabled or have no verified address.
func TestWhoCannotResetAPasswordIsHidden(t *testing.T) {
	for _, prevent := range []types.PreventUserExistenceErrorTypes{"ENABLED", "LEGACY"} {
		x := empty(t).make(t, made{client: func(in *cip.CreateUserPoolClientInput) { in.PreventUserExistenceErrors = prevent }})
		x.create(t, "grace", password)
		x.create(t, "ada", password, attribute("email", "ada@example.com"), attribute("email_verified", "true"))
		must[*cip.ForgotPasswordOutput](t)(x.sdk.ForgotPassword(t.Context(), &cip.ForgotPasswordInput{ClientId: &x.client, Username: aws.String("ada")}))
		code := x.SentCode(x.pool, "ada")
		must[*cip.AdminDisableUserOutput](t)(x.admin.AdminDisableUser(t.Context(), &cip.AdminDisableUserInput{UserPoolId: &x.pool, Username: aws.String("ada")}))
		for name, legacy := range map[string][2]string{
			"nobody": {"UserNotFoundException", "UserNotFoundException"},
			"grace":  {"InvalidParameterException", "ExpiredCodeException"},
			"ada":    {"NotAuthorizedException", "NotAuthorizedException"},
		} {
			out, err := x.sdk.ForgotPassword(t.Context(), &cip.ForgotPasswordInput{ClientId: &x.client, Username: &name})
			if prevent == "LEGACY" {
				wantException(t, err, legacy[0], "")
			} else if err != nil || out.CodeDeliveryDetails == nil {
				t.Errorf("%s: %v", name, err)
			}
			_, err = x.sdk.ConfirmForgotPassword(t.Context(), &cip.ConfirmForgotPasswordInput{
				ClientId: &x.client, Username: &name, ConfirmationCode: &code, Password: aws.String(otherPassword),
			})
			hidden := "CodeMismatchException"
			if name == "grace" { // no code was sent
				hidden = "ExpiredCodeException"
			}
			wantException(t, err, map[types.PreventUserExistenceErrorTypes]string{"ENABLED": hidden, "LEGACY": legacy[1]}[prevent], "")
		}
	}
}
