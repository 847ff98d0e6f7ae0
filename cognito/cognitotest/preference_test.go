package cognitotest_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

const enrolledSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func (s *standIn) prefer(t *testing.T, token string, in cip.SetUserMFAPreferenceInput) error {
	t.Helper()
	in.AccessToken = aws.String(token)
	_, err := s.sdk.SetUserMFAPreference(t.Context(), &in)
	return err
}

// wantMFA checks what GetUser says of the user's factors.
func (s *standIn) wantMFA(t *testing.T, token, preferred string, list ...string) {
	t.Helper()
	user := must[*cip.GetUserOutput](t)(s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: aws.String(token)}))
	if got := aws.ToString(user.PreferredMfaSetting); got != preferred {
		t.Errorf("preferred %q, want %q", got, preferred)
	}
	if !slices.Equal(user.UserMFASettingList, list) {
		t.Errorf("factors %v, want %v", user.UserMFASettingList, list)
	}
}

func softwareToken(enabled, preferred bool) cip.SetUserMFAPreferenceInput {
	return cip.SetUserMFAPreferenceInput{
		SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{Enabled: enabled, PreferredMfa: preferred},
	}
}

func TestPreferenceTurnsTheFactorOnAndOff(t *testing.T) {
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	secret := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
	must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, secret, 0)))
	s.wantMFA(t, token, "")

	if err := s.prefer(t, token, softwareToken(true, true)); err != nil {
		t.Fatal(err)
	}
	s.wantMFA(t, token, "SOFTWARE_TOKEN_MFA", "SOFTWARE_TOKEN_MFA")
	if err := s.prefer(t, token, softwareToken(true, false)); err != nil {
		t.Fatal(err)
	}
	s.wantMFA(t, token, "", "SOFTWARE_TOKEN_MFA")
	if err := s.prefer(t, token, softwareToken(false, false)); err != nil { // travels as {}
		t.Fatal(err)
	}
	s.wantMFA(t, token, "")
	if s.TOTPSecret(optional, "ada") != secret {
		t.Error("turning the factor off forgot its secret")
	}
}

func TestPreferenceLeavesFactorsThatAreNotSent(t *testing.T) {
	s := start(t, changePool(optional, withCodes), changeUser(optional, func(u *cognitotest.User) {
		u.TOTPSecret = enrolledSecret
		u.Factors = []cognitotest.Factor{cognitotest.SMS}
		u.Preferred = cognitotest.SMS
	}))
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	if err := s.prefer(t, token, softwareToken(false, false)); err != nil {
		t.Fatal(err)
	}
	s.wantMFA(t, token, "SMS_MFA", "SMS_MFA")
	if err := s.prefer(t, token, softwareToken(true, true)); err != nil {
		t.Fatal(err)
	}
	s.wantMFA(t, token, "SOFTWARE_TOKEN_MFA", "SMS_MFA", "SOFTWARE_TOKEN_MFA")
}

func TestPreferenceRefuses(t *testing.T) {
	enrolled := func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }
	tests := map[string]struct {
		user          func(*cognitotest.User)
		in            cip.SetUserMFAPreferenceInput
		name, message string
	}{
		"an app that was not verified": {
			in:   softwareToken(true, true),
			name: "InvalidParameterException", message: "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA",
		},
		"SMS without a phone number, even to turn it off": {
			in:   cip.SetUserMFAPreferenceInput{SMSMfaSettings: &types.SMSMfaSettingsType{}},
			name: "InvalidParameterException", message: "User does not have a phone_number set to turn on SMS MFA",
		},
		"two preferred factors": {
			user: enrolled,
			in: cip.SetUserMFAPreferenceInput{
				SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{Enabled: true, PreferredMfa: true},
				EmailMfaSettings:         &types.EmailMfaSettingsType{Enabled: true, PreferredMfa: true},
			},
			name: "InvalidParameterException", message: "Only one factor can be set as preferred.",
		},
		"turning off an app that was never set up": {
			in:   softwareToken(false, false),
			name: "InvalidParameterException", message: "User has not set up software token mfa",
		},
		"a user who has not confirmed": {
			user: func(u *cognitotest.User) { u.Unconfirmed = true },
			in:   softwareToken(true, true),
			name: "UserNotConfirmedException",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			change := test.user
			if change == nil {
				change = func(*cognitotest.User) {}
			}
			s := start(t, changePool(optional, withCodes), changeUser(optional, change))
			err := s.prefer(t, s.SignIn(optional, optionalClient, "ada").AccessToken, test.in)
			wantException(t, err, test.name, test.message)
		})
	}
}

// What Amplify Flutter's mfa_totp_required_test saw: Cognito does not object, and
// asks for a new app at the next sign-in.
func TestTheLastFactorCanBeTurnedOffWhereThePoolRequiresOne(t *testing.T) {
	s := start(t, changeUser(required, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }))
	token := s.SignIn(required, requiredClient, "ada").AccessToken
	s.wantMFA(t, token, "SOFTWARE_TOKEN_MFA", "SOFTWARE_TOKEN_MFA")
	if err := s.prefer(t, token, softwareToken(false, false)); err != nil {
		t.Fatal(err)
	}
	s.wantMFA(t, token, "")
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	if in.ChallengeName != types.ChallengeNameTypeMfaSetup {
		t.Errorf("got challenge %s, want MFA_SETUP", in.ChallengeName)
	}
}
