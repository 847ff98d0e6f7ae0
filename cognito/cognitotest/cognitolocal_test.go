package cognitotest_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// The cases of cognito-local's integration tests (jagregory/cognito-local,
// integration-tests/aws-sdk) on operations that the stand-in has, under the names
// of their files there. Its pools take authenticator apps, flows and passwords that
// AWS refuses unless they are allowed, so that these make pools that allow them.
// README.md has the table of what cognito-local expects otherwise, and whose word
// counts; such a case asserts what counts, and its name ends with an asterisk.

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (x *tenant) tokenOf(t *testing.T, username string) string {
	t.Helper()
	return *must[*cip.InitiateAuthOutput](t)(x.byPassword(t, username, password)).AuthenticationResult.AccessToken
}

func TestCognitoLocal(t *testing.T) {
	s := empty(t)
	plain := func(t *testing.T) *tenant { return s.make(t, made{}) }
	withApps := func(t *testing.T) *tenant {
		x := s.make(t, made{mfa: types.UserPoolMfaTypeOptional})
		x.create(t, "abc", password, attribute("email", "example@example.com"))
		return x
	}
	byEmail := func(t *testing.T) *tenant {
		return s.make(t, made{pool: func(in *cip.CreateUserPoolInput) { in.UsernameAttributes = []types.UsernameAttributeType{"email"} }})
	}
	enrolled := func(t *testing.T) (*tenant, string) {
		x := withApps(t)
		token := x.tokenOf(t, "abc")
		secret := *must[*cip.AssociateSoftwareTokenOutput](t)(x.associateByToken(t, token)).SecretCode
		must[*cip.VerifySoftwareTokenOutput](t)(x.verifyByToken(t, token, x.code(t, secret, -1)))
		if err := x.prefer(t, token, softwareToken(true, true)); err != nil {
			t.Fatal(err)
		}
		return x, secret
	}
	for name, test := range map[string]func(*testing.T){
		"createUserPool: creates a user pool with only the required parameters": func(t *testing.T) {
			pool := must[*cip.DescribeUserPoolOutput](t)(s.administrator().DescribeUserPool(t.Context(), &cip.DescribeUserPoolInput{UserPoolId: &plain(t).pool})).UserPool
			if !strings.HasPrefix(*pool.Id, "us-east-1_") || !strings.HasSuffix(*pool.Arn, *pool.Id) || pool.MfaConfiguration != types.UserPoolMfaTypeOff {
				t.Errorf("got %+v", pool)
			}
		},
		"createUserPoolClient: can create a new app client": func(t *testing.T) {
			x := plain(t)
			if !regexp.MustCompile(`^[a-z0-9]{26}$`).MatchString(x.client) { // it has 25 there
				t.Errorf("client %s", x.client)
			}
		},
		"adminCreateUser: creates a user with only the required parameters*": func(t *testing.T) {
			x := plain(t)
			user := must[*cip.AdminCreateUserOutput](t)(x.admin.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{
				UserPoolId: &x.pool, Username: aws.String("abc"), UserAttributes: []types.AttributeType{attribute("phone_number", "+61400000000")},
			})).User
			if *user.Username != "abc" || user.UserStatus != types.UserStatusTypeForceChangePassword || !user.Enabled || !has(user.Attributes, "phone_number", "+61400000000") {
				t.Errorf("got %+v", user)
			}
		},
		"adminCreateUser: with email as a username attribute": func(t *testing.T) {
			x := byEmail(t)
			user := must[*cip.AdminCreateUserOutput](t)(x.admin.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{UserPoolId: &x.pool, Username: aws.String("example@example.com")})).User
			if !uuid.MatchString(*user.Username) || !has(user.Attributes, "sub", *user.Username) || !has(user.Attributes, "email", "example@example.com") {
				t.Errorf("got %+v", user)
			}
		},
		"adminGetUser: by e-mail and by sub": func(t *testing.T) {
			x := byEmail(t)
			x.create(t, "example@example.com", password)
			subject := *x.status(t, "example@example.com").Username
			if again := *x.status(t, subject).Username; again != subject {
				t.Errorf("got %s and %s", subject, again)
			}
		},
		"adminSetUserPassword: sets a permanent password": func(t *testing.T) {
			x := plain(t)
			x.create(t, "abc", password)
			if got := x.status(t, "abc").UserStatus; got != types.UserStatusTypeConfirmed {
				t.Errorf("status %s", got)
			}
		},
		"adminUpdateUserAttributes: updates a user's attributes*": func(t *testing.T) {
			x := plain(t)
			x.create(t, "abc", password, attribute("email", "example@example.com"), attribute("phone_number", "+61400000000"))
			must[*cip.AdminUpdateUserAttributesOutput](t)(x.admin.AdminUpdateUserAttributes(t.Context(), &cip.AdminUpdateUserAttributesInput{
				UserPoolId: &x.pool, Username: aws.String("abc"), UserAttributes: []types.AttributeType{attribute("email", "example2@example.com")},
			}))
			got := x.status(t, "abc").UserAttributes
			if !has(got, "email", "example2@example.com") || !has(got, "email_verified", "false") || !has(got, "phone_number", "+61400000000") {
				t.Errorf("got %v", got)
			}
		},
		"adminDisableUser, adminEnableUser": func(t *testing.T) {
			x := plain(t)
			x.create(t, "abc", password)
			must[*cip.AdminDisableUserOutput](t)(x.admin.AdminDisableUser(t.Context(), &cip.AdminDisableUserInput{UserPoolId: &x.pool, Username: aws.String("abc")}))
			off := x.status(t, "abc").Enabled
			must[*cip.AdminEnableUserOutput](t)(x.admin.AdminEnableUser(t.Context(), &cip.AdminEnableUserInput{UserPoolId: &x.pool, Username: aws.String("abc")}))
			if on := x.status(t, "abc").Enabled; off || !on {
				t.Errorf("enabled: %t, then %t", off, on)
			}
		},
		"adminDeleteUser: by username, and by an e-mail address as the username": func(t *testing.T) {
			for name, x := range map[string]*tenant{"abc": plain(t), "example@example.com": byEmail(t)} {
				x.create(t, name, password)
				must[*cip.AdminDeleteUserOutput](t)(x.admin.AdminDeleteUser(t.Context(), &cip.AdminDeleteUserInput{UserPoolId: &x.pool, Username: &name}))
				_, err := x.admin.AdminGetUser(t.Context(), &cip.AdminGetUserInput{UserPoolId: &x.pool, Username: &name})
				wantException(t, err, "UserNotFoundException", "User does not exist.")
			}
		},
		"initiateAuth: throws for missing user*": func(t *testing.T) {
			x := plain(t)
			_, err := x.byPassword(t, "example@example.com", password)
			wantException(t, err, "UserNotFoundException", "User does not exist.")
		},
		"initiateAuth: FORCE_CHANGE_PASSWORD": func(t *testing.T) {
			x := plain(t)
			x.createTemporary(t, "abc", password, attribute("email", "example@example.com"))
			in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "abc", password))
			if in.ChallengeName != types.ChallengeNameTypeNewPasswordRequired || in.ChallengeParameters["USER_ID_FOR_SRP"] != "abc" ||
				in.ChallengeParameters["requiredAttributes"] != "[]" || !strings.Contains(in.ChallengeParameters["userAttributes"], `"email":"example@example.com"`) {
				t.Errorf("got %s with %v", in.ChallengeName, in.ChallengeParameters)
			}
		},
		"initiateAuth, adminInitiateAuth: UNCONFIRMED": func(t *testing.T) {
			x := plain(t)
			must[*cip.SignUpOutput](t)(x.signUp(t, "abc", password))
			_, err := x.byPassword(t, "abc", password)
			wantException(t, err, "UserNotConfirmedException", "User is not confirmed.")
			_, err = x.admin.AdminInitiateAuth(t.Context(), &cip.AdminInitiateAuthInput{
				UserPoolId: &x.pool, ClientId: &x.client, AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth,
				AuthParameters: map[string]string{"USERNAME": "abc", "PASSWORD": password},
			})
			wantException(t, err, "UserNotConfirmedException", "User is not confirmed.")
		},
		"initiateAuth: USER_PASSWORD_AUTH, then REFRESH_TOKEN_AUTH": func(t *testing.T) {
			x := plain(t)
			x.create(t, "abc", password, attribute("email", "example@example.com"))
			tokens := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "abc", password)).AuthenticationResult
			again := must[*cip.InitiateAuthOutput](t)(x.initiate(t, types.AuthFlowTypeRefreshTokenAuth, "abc",
				map[string]string{"REFRESH_TOKEN": *tokens.RefreshToken})).AuthenticationResult
			x.wantClaims(t, tokens, "abc")
			x.wantClaims(t, again, "abc")
			if again.RefreshToken != nil {
				t.Error("another refresh token")
			}
		},
		"respondToAuthChallenge: NEW_PASSWORD_REQUIRED": func(t *testing.T) {
			x := plain(t)
			x.createTemporary(t, "abc", password)
			in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "abc", password))
			wantTokens(t, must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, *in.Session, "abc",
				map[string]string{"NEW_PASSWORD": otherPassword})).AuthenticationResult)
		},
		"respondToAuthChallenge: SOFTWARE_TOKEN_MFA, and a wrong code*": func(t *testing.T) {
			x, secret := enrolled(t)
			in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "abc", password))
			send := func(code string) error {
				_, err := x.answer(t, in.ChallengeName, *in.Session, "abc", map[string]string{"SOFTWARE_TOKEN_MFA_CODE": code})
				return err
			}
			wantException(t, send(x.wrongCode(t, secret)), "CodeMismatchException", "Invalid code received for user")
			if err := send(x.code(t, secret, 0)); err != nil {
				t.Error(err)
			}
		},
		"respondToAuthChallenge: rejects SELECT_MFA_TYPE of a session that nobody gave*": func(t *testing.T) {
			x := withApps(t)
			_, err := x.answer(t, types.ChallengeNameTypeSelectMfaType, strings.Repeat("x", 20), "abc", map[string]string{"ANSWER": "BOGUS"})
			wantException(t, err, "NotAuthorizedException", "Invalid session for the user.")
		},
		"associateSoftwareToken: a base32 secret, and neither token nor session": func(t *testing.T) {
			x := withApps(t)
			secret := *must[*cip.AssociateSoftwareTokenOutput](t)(x.associateByToken(t, x.tokenOf(t, "abc"))).SecretCode
			if !regexp.MustCompile(`^[A-Z2-7]+=*$`).MatchString(secret) {
				t.Errorf("secret %s", secret)
			}
			_, err := x.sdk.AssociateSoftwareToken(t.Context(), &cip.AssociateSoftwareTokenInput{})
			wantException(t, err, "InvalidParameterException", "")
		},
		"verifySoftwareToken: a right code, and a wrong one*": func(t *testing.T) {
			x := withApps(t)
			token := x.tokenOf(t, "abc")
			secret := *must[*cip.AssociateSoftwareTokenOutput](t)(x.associateByToken(t, token)).SecretCode
			must[*cip.VerifySoftwareTokenOutput](t)(x.verifyByToken(t, token, x.code(t, secret, 0)))
			_, err := x.verifyByToken(t, token, x.wrongCode(t, secret))
			wantException(t, err, "EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")
		},
		"verifySoftwareToken: without a secret*, and malformed codes*": func(t *testing.T) {
			x := withApps(t)
			token := x.tokenOf(t, "abc")
			_, err := x.verifyByToken(t, token, "123456")
			wantException(t, err, "SoftwareTokenMFANotFoundException", "")
			for _, code := range []string{"1234", "abcdef"} {
				_, err := x.verifyByToken(t, token, code)
				wantException(t, err, "InvalidParameterException", "")
			}
		},
		"setUserMFAPreference: enables and prefers, and refuses before a code*": func(t *testing.T) {
			x := withApps(t)
			wantException(t, x.prefer(t, x.tokenOf(t, "abc"), softwareToken(true, false)), "InvalidParameterException",
				"User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA")
			x, _ = enrolled(t)
			user := x.status(t, "abc")
			if !slices.Equal(user.UserMFASettingList, []string{"SOFTWARE_TOKEN_MFA"}) || aws.ToString(user.PreferredMfaSetting) != "SOFTWARE_TOKEN_MFA" {
				t.Errorf("got %+v", user)
			}
		},
		"changePassword, deleteUser: the current user": func(t *testing.T) {
			x := plain(t)
			x.create(t, "abc", password)
			token := x.tokenOf(t, "abc")
			must[*cip.ChangePasswordOutput](t)(x.sdk.ChangePassword(t.Context(), &cip.ChangePasswordInput{
				AccessToken: &token, PreviousPassword: aws.String(password), ProposedPassword: aws.String(otherPassword),
			}))
			_, err := x.byPassword(t, "abc", password)
			wantException(t, err, "NotAuthorizedException", "")
			must[*cip.DeleteUserOutput](t)(x.sdk.DeleteUser(t.Context(), &cip.DeleteUserInput{AccessToken: &token}))
			_, err = x.admin.AdminGetUser(t.Context(), &cip.AdminGetUserInput{UserPoolId: &x.pool, Username: aws.String("abc")})
			wantException(t, err, "UserNotFoundException", "User does not exist.")
		},
		"getUserPoolMfaConfig: gets the configuration": func(t *testing.T) {
			x := withApps(t)
			got := must[*cip.GetUserPoolMfaConfigOutput](t)(x.admin.GetUserPoolMfaConfig(t.Context(), &cip.GetUserPoolMfaConfigInput{UserPoolId: &x.pool}))
			if got.MfaConfiguration != types.UserPoolMfaTypeOptional || got.SmsMfaConfiguration == nil || !got.SoftwareTokenMfaConfiguration.Enabled {
				t.Errorf("got %+v", got)
			}
		},
	} {
		t.Run(name, test)
	}
}
