package cognitotest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

// signIn sends ada's password.
func (s *standIn) signIn(t *testing.T, clientID string, change ...func(map[string]string)) (*cip.InitiateAuthOutput, error) {
	t.Helper()
	parameters := map[string]string{"USERNAME": "ada", "PASSWORD": password}
	if clientID == requiredClient {
		parameters["SECRET_HASH"] = secretHash("ada")
	}
	for _, f := range change {
		f(parameters)
	}
	return s.sdk.InitiateAuth(t.Context(), &cip.InitiateAuthInput{
		AuthFlow:       types.AuthFlowTypeUserPasswordAuth,
		ClientId:       aws.String(clientID),
		AuthParameters: parameters,
	})
}

func with(name, value string) func(map[string]string) {
	return func(m map[string]string) { m[name] = value }
}

func TestSignInWithPasswordGivesTokensWhereMFAIsOptional(t *testing.T) {
	s := start(t)
	out := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	if out.AuthenticationResult == nil || out.ChallengeName != "" {
		t.Fatalf("got challenge %q, want tokens", out.ChallengeName)
	}
	if got := out.AuthenticationResult.ExpiresIn; got != 3600 {
		t.Errorf("ExpiresIn = %d, want 3600", got)
	}
	user := must[*cip.GetUserOutput](t)(s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: out.AuthenticationResult.AccessToken}))
	if aws.ToString(user.Username) != "ada" {
		t.Errorf("Username = %q, want ada", aws.ToString(user.Username))
	}
}

func TestSignInAsksToSetUpMFAWhereItIsRequired(t *testing.T) {
	s := start(t)
	out := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	if out.ChallengeName != types.ChallengeNameTypeMfaSetup || out.AuthenticationResult != nil {
		t.Fatalf("got challenge %q, want MFA_SETUP", out.ChallengeName)
	}
	if got := out.ChallengeParameters["MFAS_CAN_SETUP"]; got != `["SOFTWARE_TOKEN_MFA"]` {
		t.Errorf("MFAS_CAN_SETUP = %s", got)
	}
	if got := out.ChallengeParameters["USER_ID_FOR_SRP"]; got != "ada" {
		t.Errorf("USER_ID_FOR_SRP = %s", got)
	}
	if n := len(aws.ToString(out.Session)); n < 20 || n > 2048 {
		t.Errorf("the session has %d characters, want 20 to 2048", n)
	}
}

func TestSignInChallengesByTheFactorsThatAreOn(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	tests := map[string]struct {
		pool       string
		mfa        cognitotest.MFA
		user       func(*cognitotest.User)
		want       types.ChallengeNameType
		parameters map[string]string
	}{
		"an authenticator app": {
			mfa:  cognitotest.MFAOptional,
			user: func(u *cognitotest.User) { u.TOTPSecret = secret },
			want: types.ChallengeNameTypeSoftwareTokenMfa,
		},
		"an authenticator app in a pool without MFA": {
			mfa:  cognitotest.MFAOff,
			user: func(u *cognitotest.User) { u.TOTPSecret = secret },
		},
		"several factors": {
			mfa: cognitotest.MFAOptional,
			user: func(u *cognitotest.User) {
				u.TOTPSecret = secret
				u.Factors = []cognitotest.Factor{cognitotest.SMS, cognitotest.EmailOTP}
			},
			want:       types.ChallengeNameTypeSelectMfaType,
			parameters: map[string]string{"MFAS_CAN_CHOOSE": `["EMAIL_OTP","SMS_MFA","SOFTWARE_TOKEN_MFA"]`},
		},
		"several factors, one preferred": {
			mfa: cognitotest.MFAOptional,
			user: func(u *cognitotest.User) {
				u.TOTPSecret = secret
				u.Factors = []cognitotest.Factor{cognitotest.SMS}
				u.Preferred = cognitotest.SMS
			},
			want:       types.ChallengeNameTypeSmsMfa,
			parameters: map[string]string{"CODE_DELIVERY_DELIVERY_MEDIUM": "SMS"},
		},
		"a password from an administrator": {
			mfa:        cognitotest.MFARequired,
			user:       func(u *cognitotest.User) { u.ForceNewPassword = true },
			want:       types.ChallengeNameTypeNewPasswordRequired,
			parameters: map[string]string{"userAttributes": `{"email":"ada@example.com","email_verified":"true"}`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.MFA = test.mfa }), changePool(optional, withCodes), changeUser(optional, test.user))
			out := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
			if out.ChallengeName != test.want {
				t.Fatalf("got challenge %q, want %q", out.ChallengeName, test.want)
			}
			for name, want := range test.parameters {
				if got := out.ChallengeParameters[name]; got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestSignInRefuses(t *testing.T) {
	tests := map[string]struct {
		client        string
		parameters    func(map[string]string)
		user          func(*cognitotest.User)
		name, message string
	}{
		"a wrong password": {
			parameters: with("PASSWORD", "wrong"),
			name:       "NotAuthorizedException", message: "Incorrect username or password.",
		},
		"an unknown user, without saying so": {
			parameters: with("USERNAME", "nobody"),
			name:       "NotAuthorizedException", message: "Incorrect username or password.",
		},
		"no username": {
			parameters: with("USERNAME", ""),
			name:       "InvalidParameterException", message: "Missing required parameter USERNAME",
		},
		"no password": {
			parameters: with("PASSWORD", ""),
			name:       "InvalidParameterException", message: "Missing required parameter PASSWORD",
		},
		"an unknown client": {
			client: "nobody",
			name:   "ResourceNotFoundException", message: "User pool client nobody does not exist.",
		},
		"no secret hash from a client with a secret": {
			client:     requiredClient,
			parameters: with("SECRET_HASH", ""),
			name:       "NotAuthorizedException", message: "Client demo-required is configured with secret but SECRET_HASH was not received",
		},
		"a secret hash of somebody else": {
			client:     requiredClient,
			parameters: with("SECRET_HASH", secretHash("grace")),
			name:       "NotAuthorizedException", message: "Unable to verify secret hash for client demo-required",
		},
		"a secret hash from a client without a secret": {
			parameters: with("SECRET_HASH", secretHash("ada")),
			name:       "NotAuthorizedException", message: "Client demo-optional is not configured for secret but secret hash was received",
		},
		"a user who has not confirmed": {
			user: func(u *cognitotest.User) { u.Unconfirmed = true },
			name: "UserNotConfirmedException", message: "User is not confirmed.",
		},
		"a user who has not confirmed, before the password is looked at": {
			user: func(u *cognitotest.User) { u.Unconfirmed = true }, parameters: with("PASSWORD", "wrong"),
			name: "UserNotConfirmedException", message: "User is not confirmed.",
		},
		"a user who must reset the password, without saying so to somebody who does not know it": {
			user: func(u *cognitotest.User) { u.ResetRequired = true }, parameters: with("PASSWORD", "wrong"),
			name: "NotAuthorizedException", message: "Incorrect username or password.",
		},
		"a user who must reset the password": {
			user: func(u *cognitotest.User) { u.ResetRequired = true },
			name: "PasswordResetRequiredException", message: "Password reset required for the user",
		},
		"a disabled user": {
			user: func(u *cognitotest.User) { u.Disabled = true },
			name: "NotAuthorizedException", message: "User is disabled.",
		},
		"a federated user, who has no password here": {
			user: func(u *cognitotest.User) { u.Federated = true },
			name: "NotAuthorizedException", message: "Incorrect username or password.",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			change := test.user
			if change == nil {
				change = func(*cognitotest.User) {}
			}
			s := start(t, changeUser(optional, change))
			clientID := test.client
			if clientID == "" {
				clientID = optionalClient
			}
			parameters := test.parameters
			if parameters == nil {
				parameters = func(map[string]string) {}
			}
			_, err := s.signIn(t, clientID, parameters)
			wantException(t, err, test.name, test.message)
		})
	}
}

func TestSignInRevealsUnknownUsersWhereTheClientSaysSo(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.Clients[0].RevealUnknownUsers = true }))
	_, err := s.signIn(t, optionalClient, with("USERNAME", "nobody"))
	wantException(t, err, "UserNotFoundException", "User does not exist.")
}

func TestInitiateAuthSaysEverythingThatIsWrongWithItsShape(t *testing.T) {
	s := start(t)
	_, err := s.sdk.InitiateAuth(t.Context(), &cip.InitiateAuthInput{AuthFlow: "NO_SUCH_AUTH", ClientId: aws.String("not an ID")})
	wantException(t, err, "InvalidParameterException", "2 validation errors detected: "+
		"Value 'NO_SUCH_AUTH' at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set: "+
		"[USER_SRP_AUTH, REFRESH_TOKEN_AUTH, REFRESH_TOKEN, CUSTOM_AUTH, ADMIN_NO_SRP_AUTH, USER_PASSWORD_AUTH, ADMIN_USER_PASSWORD_AUTH, USER_AUTH]; "+
		`Value 'not an ID' at 'clientId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+-]+`)
}
