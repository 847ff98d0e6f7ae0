package cognitotest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/pquerna/otp/totp"

	"mfa-enrollment/cognito/cognitotest"
)

// code is what an authenticator app shows for the secret, some steps from now.
func (s *standIn) code(t *testing.T, secret string, steps int) string {
	t.Helper()
	return must[string](t)(totp.GenerateCode(secret, s.clock.now().Add(time.Duration(steps)*30*time.Second)))
}

// wrongCode is a code that the secret has at no step near now.
func (s *standIn) wrongCode(t *testing.T, secret string) string {
	t.Helper()
	near := map[string]bool{}
	for steps := -1; steps <= 1; steps++ {
		near[s.code(t, secret, steps)] = true
	}
	for _, code := range []string{"000000", "111111", "222222", "333333"} {
		if !near[code] {
			return code
		}
	}
	panic("three codes cannot be four")
}

func (s *standIn) verifyByToken(t *testing.T, token, code string) (*cip.VerifySoftwareTokenOutput, error) {
	t.Helper()
	return s.sdk.VerifySoftwareToken(t.Context(), &cip.VerifySoftwareTokenInput{
		AccessToken: aws.String(token), UserCode: aws.String(code), FriendlyDeviceName: aws.String("Ada's phone"),
	})
}

func (s *standIn) verifyBySession(t *testing.T, session, code string) (*cip.VerifySoftwareTokenOutput, error) {
	t.Helper()
	return s.sdk.VerifySoftwareToken(t.Context(), &cip.VerifySoftwareTokenInput{
		Session: aws.String(session), UserCode: aws.String(code),
	})
}

func TestVerifyByTokenTakesTheSecretButAsksForNothingYet(t *testing.T) {
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	secret := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode

	out := must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, secret, 0)))
	if out.Status != types.VerifySoftwareTokenResponseTypeSuccess || out.Session != nil {
		t.Errorf("got status %s and session %v, want SUCCESS and none", out.Status, out.Session != nil)
	}
	if s.TOTPSecret(optional, "ada") != secret || s.PendingSecret(optional, "ada") != "" {
		t.Error("the secret is not the one that counts")
	}
	if got := s.DeviceName(optional, "ada"); got != "Ada's phone" {
		t.Errorf("device name %q", got)
	}
	if s.MFAEnabled(optional, "ada") {
		t.Error("the factor is on before SetUserMFAPreference")
	}
	if in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient)); in.AuthenticationResult == nil {
		t.Errorf("sign-in asked for %s", in.ChallengeName)
	}
}

func TestVerifyTakesCodesOfOneStepEitherSide(t *testing.T) {
	for steps, right := range map[int]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		s := start(t)
		token := s.SignIn(optional, optionalClient, "ada").AccessToken
		secret := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
		_, err := s.verifyByToken(t, token, s.code(t, secret, steps))
		if (err == nil) != right {
			t.Errorf("a code of %d steps away: %v", steps, err)
		}
	}
}

func TestASecondSecretReplacesTheFirstWhenItIsVerified(t *testing.T) {
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	first := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
	second := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode

	_, err := s.verifyByToken(t, token, s.code(t, first, 0))
	wantException(t, err, "EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")
	must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, second, 0)))

	third := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
	if s.TOTPSecret(optional, "ada") != second {
		t.Error("the new secret counts before it is verified")
	}
	must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, third, 0)))
	if s.TOTPSecret(optional, "ada") != third {
		t.Error("the new secret does not count")
	}
}

func TestVerifyWithoutANewSecretChecksTheOneThatCounts(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	s := start(t, changeUser(optional, func(u *cognitotest.User) { u.TOTPSecret = secret }))
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, secret, 0)))
	_, err := s.verifyByToken(t, token, s.wrongCode(t, secret))
	wantException(t, err, "EnableSoftwareTokenMFAException", "")
}

func TestASessionAfterAWrongCode(t *testing.T) {
	for name, keep := range map[string]bool{"lives on": true, "is lost where the options say so": false} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(o *cognitotest.Options) { o.Variants.WrongCodeEndsSetUp = !keep })
			out := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, s.Session(required, requiredClient, "ada")))
			_, err := s.verifyBySession(t, *out.Session, s.wrongCode(t, *out.SecretCode))
			wantException(t, err, "EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")
			_, err = s.verifyBySession(t, *out.Session, s.code(t, *out.SecretCode, 0))
			if keep && err != nil {
				t.Error(err)
			}
			if !keep {
				wantException(t, err, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
			}
		})
	}
}

// What aws-amplify/amplify-flutter#4509 reports: the old app's code is taken, and
// says nothing about the new secret.
func TestAnOldSecretVerifiesWhereTheOptionsSaySo(t *testing.T) {
	s := start(t, func(o *cognitotest.Options) { o.Variants.OldSecretVerifies = true })
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	first := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
	second := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
	must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, first, 0)))
	if s.TOTPSecret(optional, "ada") != first || s.PendingSecret(optional, "ada") != second {
		t.Error("the code of the first secret did not leave the second one waiting")
	}
	third := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
	must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, first, 0)))
	must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, third, 0)))
	if s.TOTPSecret(optional, "ada") != third || s.PendingSecret(optional, "ada") != "" {
		t.Error("the new secret does not count after its own code")
	}
}

func TestVerifyRefuses(t *testing.T) {
	tests := map[string]struct {
		user          func(*cognitotest.User)
		call          func(*testing.T, *standIn) error
		name, message string
	}{
		"a code without a secret": {
			call: func(t *testing.T, s *standIn) error {
				_, err := s.verifyByToken(t, s.SignIn(optional, optionalClient, "ada").AccessToken, "123456")
				return err
			},
			name: "SoftwareTokenMFANotFoundException", message: "Software Token MFA does not exist for the user.",
		},
		"a code that is none": {
			call: func(t *testing.T, s *standIn) error {
				_, err := s.verifyByToken(t, s.SignIn(optional, optionalClient, "ada").AccessToken, "12a")
				return err
			},
			name: "InvalidParameterException",
			message: "2 validation errors detected: " +
				"Value at 'userCode' failed to satisfy constraint: Member must have length greater than or equal to 6; " +
				"Value at 'userCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9]+",
		},
		"a session that did not come from AssociateSoftwareToken": {
			call: func(t *testing.T, s *standIn) error {
				_, err := s.verifyBySession(t, s.Session(optional, optionalClient, "ada"), "123456")
				return err
			},
			name: "NotAuthorizedException", message: "Invalid session for the user.",
		},
		"a user who has not confirmed": {
			user: func(u *cognitotest.User) { u.Unconfirmed = true },
			call: func(t *testing.T, s *standIn) error {
				_, err := s.verifyByToken(t, s.SignIn(optional, optionalClient, "ada").AccessToken, "123456")
				return err
			},
			name: "UserNotConfirmedException",
		},
		"a user who must reset the password": {
			user: func(u *cognitotest.User) { u.ResetRequired = true },
			call: func(t *testing.T, s *standIn) error {
				_, err := s.verifyByToken(t, s.SignIn(optional, optionalClient, "ada").AccessToken, "123456")
				return err
			},
			name: "PasswordResetRequiredException",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			change := test.user
			if change == nil {
				change = func(*cognitotest.User) {}
			}
			wantException(t, test.call(t, start(t, changeUser(optional, change))), test.name, test.message)
		})
	}
}

// Where the pool requires MFA, nobody comes in by an app that is gone.
func TestAnAppThatWasDeletedAfterItsSetUpIsNone(t *testing.T) {
	s := start(t)
	web := "demo-required-web"
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, web))
	associated := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, *in.Session))
	verified := must[*cip.VerifySoftwareTokenOutput](t)(s.verifyBySession(t, *associated.Session, s.code(t, *associated.SecretCode, 0)))
	postSigned(t, s, "AdminDeleteSoftwareToken", `{"UserPoolId":"us-east-1_Required","Username":"ada"}`)
	_, err := s.respond(t, web, types.ChallengeNameTypeMfaSetup, *verified.Session, nil)
	wantException(t, err, "InvalidParameterException", "User has not set up software token mfa")
}
