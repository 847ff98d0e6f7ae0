package cognitotest_test

import (
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

// respond answers a challenge as ada.
func (s *standIn) respond(t *testing.T, clientID string, name types.ChallengeNameType, session string, responses map[string]string) (*cip.RespondToAuthChallengeOutput, error) {
	t.Helper()
	all := map[string]string{"USERNAME": "ada"}
	if clientID == requiredClient {
		all["SECRET_HASH"] = secretHash("ada")
	}
	maps.Copy(all, responses)
	return s.sdk.RespondToAuthChallenge(t.Context(), &cip.RespondToAuthChallengeInput{
		ChallengeName: name, ClientId: aws.String(clientID), Session: aws.String(session), ChallengeResponses: all,
	})
}

// respondWithCode answers SOFTWARE_TOKEN_MFA.
func (s *standIn) respondWithCode(t *testing.T, clientID, session, code string) (*cip.RespondToAuthChallengeOutput, error) {
	t.Helper()
	return s.respond(t, clientID, types.ChallengeNameTypeSoftwareTokenMfa, session, map[string]string{"SOFTWARE_TOKEN_MFA_CODE": code})
}

func TestEnrollingDuringSignInEndsWithTokens(t *testing.T) {
	s := start(t)
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	associated := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, *in.Session))
	code := s.code(t, *associated.SecretCode, 0)
	verified := must[*cip.VerifySoftwareTokenOutput](t)(s.verifyBySession(t, *associated.Session, code))
	if verified.Status != types.VerifySoftwareTokenResponseTypeSuccess {
		t.Fatalf("status %s", verified.Status)
	}
	out := must[*cip.RespondToAuthChallengeOutput](t)(s.respond(t, requiredClient, types.ChallengeNameTypeMfaSetup, *verified.Session, nil))
	if out.AuthenticationResult == nil {
		t.Fatalf("got challenge %s, want tokens", out.ChallengeName)
	}
	s.wantMFA(t, *out.AuthenticationResult.AccessToken, "SOFTWARE_TOKEN_MFA", "SOFTWARE_TOKEN_MFA")

	in = must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	if in.ChallengeName != types.ChallengeNameTypeSoftwareTokenMfa {
		t.Fatalf("the next sign-in asks for %s", in.ChallengeName)
	}
	_, err := s.respondWithCode(t, requiredClient, *in.Session, code)
	wantException(t, err, "ExpiredCodeException", "Your software token has already been used once.")
	s.clock.advance(30 * time.Second)
	out = must[*cip.RespondToAuthChallengeOutput](t)(s.respondWithCode(t, requiredClient, *in.Session, s.code(t, *associated.SecretCode, 0)))
	if out.AuthenticationResult == nil {
		t.Errorf("got challenge %s, want tokens", out.ChallengeName)
	}
	_, err = s.respondWithCode(t, requiredClient, *in.Session, s.code(t, *associated.SecretCode, 1))
	wantException(t, err, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
}

func TestSetupCannotBeClaimedWithoutVerifying(t *testing.T) {
	s := start(t)
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	_, err := s.respond(t, requiredClient, types.ChallengeNameTypeMfaSetup, *in.Session, nil)
	wantException(t, err, "InvalidParameterException", "User has not set up software token mfa")
	associated := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, *in.Session))
	_, err = s.respond(t, requiredClient, types.ChallengeNameTypeMfaSetup, *associated.Session, nil)
	wantException(t, err, "InvalidParameterException", "User has not set up software token mfa")
}

func TestAWrongCodeAtSignInCanBeTriedAgain(t *testing.T) {
	s := start(t, changeUser(optional, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }))
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	_, err := s.respondWithCode(t, optionalClient, *in.Session, s.wrongCode(t, enrolledSecret))
	wantException(t, err, "CodeMismatchException", "Invalid code received for user")
	must[*cip.RespondToAuthChallengeOutput](t)(s.respondWithCode(t, optionalClient, *in.Session, s.code(t, enrolledSecret, 0)))
}

func TestAWrongCodeAtSignInEndsItWhereTheOptionsSaySo(t *testing.T) {
	s := start(t, changeUser(optional, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }),
		func(o *cognitotest.Options) { o.Variants.WrongTOTPEndsSignIn = true })
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	_, err := s.respondWithCode(t, optionalClient, *in.Session, s.wrongCode(t, enrolledSecret))
	wantException(t, err, "CodeMismatchException", "Invalid code received for user")
	_, err = s.respondWithCode(t, optionalClient, *in.Session, s.code(t, enrolledSecret, 0))
	wantException(t, err, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
}

func TestAWrongSentCodeNeverEndsTheSignIn(t *testing.T) {
	for name, factor := range map[types.ChallengeNameType]cognitotest.Factor{
		types.ChallengeNameTypeSmsMfa: cognitotest.SMS, types.ChallengeNameTypeEmailOtp: cognitotest.EmailOTP,
	} {
		s := start(t, changePool(optional, withCodes), changeUser(optional, func(u *cognitotest.User) { u.Factors = []cognitotest.Factor{factor} }),
			func(o *cognitotest.Options) { o.Variants.WrongTOTPEndsSignIn = true })
		in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
		send := func(code string) error {
			_, err := s.respond(t, optionalClient, name, *in.Session, map[string]string{string(name) + "_CODE": code})
			return err
		}
		wantException(t, send("none"), "CodeMismatchException", "Invalid code or auth state for the user.")
		code := s.SentCode(optional, "ada")
		if err := send(code); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		in = must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
		wantException(t, send(code), "CodeMismatchException", "Invalid code or auth state for the user.")
	}
}

func TestChoosingAFactorLeadsToItsChallenge(t *testing.T) {
	tests := map[string]struct {
		want types.ChallengeNameType
		code func(*testing.T, *standIn) map[string]string
	}{
		"SOFTWARE_TOKEN_MFA": {
			want: types.ChallengeNameTypeSoftwareTokenMfa,
			code: func(t *testing.T, s *standIn) map[string]string {
				return map[string]string{"SOFTWARE_TOKEN_MFA_CODE": s.code(t, enrolledSecret, 0)}
			},
		},
		"SMS_MFA": {
			want: types.ChallengeNameTypeSmsMfa,
			code: func(_ *testing.T, s *standIn) map[string]string {
				return map[string]string{"SMS_MFA_CODE": s.SentCode(optional, "ada")}
			},
		},
		"EMAIL_OTP": {
			want: types.ChallengeNameTypeEmailOtp,
			code: func(_ *testing.T, s *standIn) map[string]string {
				return map[string]string{"EMAIL_OTP_CODE": s.SentCode(optional, "ada")}
			},
		},
	}
	for choice, test := range tests {
		t.Run(choice, func(t *testing.T) {
			s := start(t, changePool(optional, withCodes), changeUser(optional, func(u *cognitotest.User) {
				u.TOTPSecret = enrolledSecret
				u.Factors = []cognitotest.Factor{cognitotest.SMS, cognitotest.EmailOTP}
			}))
			in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
			chosen := must[*cip.RespondToAuthChallengeOutput](t)(s.respond(t, optionalClient,
				types.ChallengeNameTypeSelectMfaType, *in.Session, map[string]string{"ANSWER": choice}))
			if chosen.ChallengeName != test.want {
				t.Fatalf("got challenge %s, want %s", chosen.ChallengeName, test.want)
			}
			out := must[*cip.RespondToAuthChallengeOutput](t)(s.respond(t, optionalClient, test.want, *chosen.Session, test.code(t, s)))
			if out.AuthenticationResult == nil {
				t.Errorf("got challenge %s, want tokens", out.ChallengeName)
			}
		})
	}
}

func TestChoosingAPasswordGoesOnToTheSecondFactor(t *testing.T) {
	s := start(t, changeUser(required, func(u *cognitotest.User) { u.ForceNewPassword = true }))
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	name := types.ChallengeNameTypeNewPasswordRequired
	_, err := s.respond(t, requiredClient, name, *in.Session, map[string]string{"NEW_PASSWORD": "short"})
	wantException(t, err, "InvalidPasswordException", "Password did not conform with policy: Password not long enough")
	out := must[*cip.RespondToAuthChallengeOutput](t)(s.respond(t, requiredClient, name, *in.Session,
		map[string]string{"NEW_PASSWORD": "Other-Horse-2", "userAttributes.given_name": "Ada"}))
	if out.ChallengeName != types.ChallengeNameTypeMfaSetup {
		t.Errorf("got challenge %s, want MFA_SETUP", out.ChallengeName)
	}
	_, err = s.signIn(t, requiredClient)
	wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
	must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient, with("PASSWORD", "Other-Horse-2")))
}

func TestFederatedUsersAreNeverChallenged(t *testing.T) {
	s := start(t, changeUser(required, func(u *cognitotest.User) { u.Federated, u.Password = true, "" }))
	if s.SignIn(required, requiredClient, "ada").AccessToken == "" {
		t.Error("no access token")
	}
	_, err := s.signIn(t, requiredClient)
	wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
}

func TestRespondRefuses(t *testing.T) {
	name := types.ChallengeNameTypeSoftwareTokenMfa
	code := map[string]string{"SOFTWARE_TOKEN_MFA_CODE": "000000"}
	tests := map[string]struct {
		call          func(*testing.T, *standIn, string) error
		name, message string
	}{
		"no username": {
			call: func(t *testing.T, s *standIn, session string) error {
				_, err := s.respond(t, optionalClient, name, session, map[string]string{"USERNAME": ""})
				return err
			},
			name: "InvalidParameterException", message: "Missing required parameter USERNAME",
		},
		"somebody else's session": {
			call: func(t *testing.T, s *standIn, session string) error {
				_, err := s.respond(t, optionalClient, name, session, map[string]string{"USERNAME": "grace", "SOFTWARE_TOKEN_MFA_CODE": "000000"})
				return err
			},
			name: "NotAuthorizedException", message: "Invalid session for the user.",
		},
		"another client's session": {
			call: func(t *testing.T, s *standIn, session string) error {
				_, err := s.respond(t, requiredClient, name, session, code)
				return err
			},
			name: "NotAuthorizedException", message: "Invalid session for the user.",
		},
		"another challenge's session": {
			call: func(t *testing.T, s *standIn, session string) error {
				_, err := s.respond(t, optionalClient, types.ChallengeNameTypeMfaSetup, session, nil)
				return err
			},
			name: "NotAuthorizedException", message: "Invalid session for the user.",
		},
		"no session": {
			call: func(t *testing.T, s *standIn, _ string) error {
				_, err := s.sdk.RespondToAuthChallenge(t.Context(), &cip.RespondToAuthChallengeInput{
					ChallengeName: name, ClientId: aws.String(optionalClient), ChallengeResponses: map[string]string{"USERNAME": "ada"},
				})
				return err
			},
			name: "InvalidParameterException", message: "Missing required parameter Session",
		},
		"no code": {
			call: func(t *testing.T, s *standIn, session string) error {
				_, err := s.respond(t, optionalClient, name, session, nil)
				return err
			},
			name: "InvalidParameterException", message: "Missing required parameter SOFTWARE_TOKEN_MFA_CODE",
		},
		"a wrong secret hash": {
			call: func(t *testing.T, s *standIn, session string) error {
				_, err := s.respond(t, requiredClient, name, session, map[string]string{"SECRET_HASH": "wrong"})
				return err
			},
			name: "NotAuthorizedException", message: "Unable to verify secret hash for client demo-required",
		},
		"an expired session": {
			call: func(t *testing.T, s *standIn, session string) error {
				s.clock.advance(3 * time.Minute)
				_, err := s.respond(t, optionalClient, name, session, code)
				return err
			},
			name: "NotAuthorizedException", message: "Invalid session for the user, session is expired.",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t, changeUser(optional, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }))
			in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
			wantException(t, test.call(t, s, *in.Session), test.name, test.message)
		})
	}
}
