package cognitotest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// The cases of moto's tests that also ran against AWS (marked aws_verified in
// getmoto/moto, tests/test_cognitoidp/test_cognitoidp.py), each under its name
// there. What they assert is what AWS answered. One is not here:
// test_group_in_access_token, since the stand-in has no operations on groups.

const motoPassword, motoOther = "P2$Sword", "P2$Sword2"

// legacy makes a client of the flows' names of before 2019, as moto's tests do.
func legacy(secret bool, flows ...types.ExplicitAuthFlowsType) func(*cip.CreateUserPoolClientInput) {
	return func(in *cip.CreateUserPoolClientInput) { in.GenerateSecret, in.ExplicitAuthFlows = secret, flows }
}

func (x *tenant) signsUpConfirmed(t *testing.T, username, password string) {
	t.Helper()
	must[*cip.SignUpOutput](t)(x.signUp(t, username, password))
	must[*cip.AdminConfirmSignUpOutput](t)(x.admin.AdminConfirmSignUp(t.Context(), &cip.AdminConfirmSignUpInput{UserPoolId: &x.pool, Username: &username}))
}

// createTemporary makes a user with a temporary password.
func (x *tenant) createTemporary(t *testing.T, username, password string, attributes ...types.AttributeType) {
	t.Helper()
	must[*cip.AdminCreateUserOutput](t)(x.admin.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{
		UserPoolId: &x.pool, Username: &username, TemporaryPassword: &password, UserAttributes: attributes,
	}))
}

// adminSignsIn signs in by administrators' operations, through
// NEW_PASSWORD_REQUIRED with the password of before, as moto's tests do.
func (x *tenant) adminSignsIn(t *testing.T, username, password string) *types.AuthenticationResultType {
	t.Helper()
	parameters := map[string]string{"USERNAME": username, "PASSWORD": password}
	answers := map[string]string{"USERNAME": username, "NEW_PASSWORD": password}
	if h := x.hash(username); h != nil {
		parameters["SECRET_HASH"], answers["SECRET_HASH"] = *h, *h
	}
	in := must[*cip.AdminInitiateAuthOutput](t)(x.admin.AdminInitiateAuth(t.Context(), &cip.AdminInitiateAuthInput{
		UserPoolId: &x.pool, ClientId: &x.client, AuthFlow: types.AuthFlowTypeAdminNoSrpAuth, AuthParameters: parameters,
	}))
	if in.ChallengeName != types.ChallengeNameTypeNewPasswordRequired || in.Session == nil {
		t.Fatalf("got %s", in.ChallengeName)
	}
	return must[*cip.AdminRespondToAuthChallengeOutput](t)(x.admin.AdminRespondToAuthChallenge(t.Context(), &cip.AdminRespondToAuthChallengeInput{
		UserPoolId: &x.pool, ClientId: &x.client, ChallengeName: in.ChallengeName, Session: in.Session, ChallengeResponses: answers,
	})).AuthenticationResult
}

func wantTokens(t *testing.T, got *types.AuthenticationResultType) {
	t.Helper()
	if got == nil || got.AccessToken == nil || got.IdToken == nil || got.RefreshToken == nil || aws.ToString(got.TokenType) != "Bearer" {
		t.Errorf("got %+v, want three tokens", got)
	}
}

func TestMoto(t *testing.T) {
	s := empty(t) // one for all, which make pools of their own
	for name, test := range map[string]func(*testing.T, *standIn){
		"test_authorize_user_with_force_password_change_status": func(t *testing.T, s *standIn) {
			x := s.make(t, made{client: legacy(false)})
			x.createTemporary(t, "test@example.com", "Tempor@ryPassword123")
			out := x.bySRP(t, "test@example.com", "Tempor@ryPassword123")
			if out.ChallengeName != types.ChallengeNameTypeNewPasswordRequired {
				t.Fatalf("got %s", out.ChallengeName)
			}
			wantTokens(t, must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, out.ChallengeName, *out.Session, "test@example.com",
				map[string]string{"NEW_PASSWORD": "NewP@ssword456"})).AuthenticationResult)
		},
		"test_scope_in_access_token": func(t *testing.T, s *standIn) {
			x := s.make(t, made{client: legacy(false, types.ExplicitAuthFlowsTypeAdminNoSrpAuth)})
			x.createTemporary(t, "someone", motoPassword, attribute("given_name", "x"))
			if got := part(t, *x.adminSignsIn(t, "someone", motoPassword).AccessToken, 1)["scope"]; got != "aws.cognito.signin.user.admin" {
				t.Errorf("scope %v", got)
			}
		},
		"test_jti_in_tokens": func(t *testing.T, s *standIn) {
			x := s.make(t, made{client: legacy(true, types.ExplicitAuthFlowsTypeAdminNoSrpAuth)})
			x.createTemporary(t, "someone", motoPassword)
			first := x.adminSignsIn(t, "someone", motoPassword)
			second := must[*cip.InitiateAuthOutput](t)(x.initiate(t, types.AuthFlowTypeRefreshToken, "someone",
				map[string]string{"REFRESH_TOKEN": *first.RefreshToken})).AuthenticationResult
			jtis := map[any]bool{}
			for _, token := range []*string{first.AccessToken, first.IdToken, second.AccessToken, second.IdToken} {
				claims := part(t, *token, 1)
				if claims["origin_jti"] != part(t, *first.AccessToken, 1)["origin_jti"] || jtis[claims["jti"]] {
					t.Errorf("claims %v", claims)
				}
				jtis[claims["jti"]] = true
			}
		},
		"test_user_authentication_flow_mfa_on": func(t *testing.T, s *standIn) {
			x := s.make(t, made{mfa: types.UserPoolMfaTypeOn, client: legacy(true)})
			x.signsUpConfirmed(t, "someone", motoPassword)
			in := x.bySRP(t, "someone", motoPassword)
			if in.ChallengeName != types.ChallengeNameTypeMfaSetup {
				t.Fatalf("got %s", in.ChallengeName)
			}
			associated := must[*cip.AssociateSoftwareTokenOutput](t)(x.associateBySession(t, *in.Session))
			must[*cip.VerifySoftwareTokenOutput](t)(x.verifyBySession(t, *associated.Session, x.code(t, *associated.SecretCode, 0)))
			x.motoSignsInByCode(t, *associated.SecretCode)
		},
		"test_user_authentication_flow_mfa_optional": func(t *testing.T, s *standIn) {
			x := s.make(t, made{mfa: types.UserPoolMfaTypeOptional, client: legacy(true)})
			x.signsUpConfirmed(t, "someone", motoPassword)
			token := *x.bySRP(t, "someone", motoPassword).AuthenticationResult.AccessToken
			secret := *must[*cip.AssociateSoftwareTokenOutput](t)(x.associateByToken(t, token)).SecretCode
			must[*cip.VerifySoftwareTokenOutput](t)(x.verifyByToken(t, token, x.code(t, secret, 0)))
			if err := x.prefer(t, token, softwareToken(true, true)); err != nil {
				t.Fatal(err)
			}
			x.motoSignsInByCode(t, secret)
		},
		"test_forgot_password_with_email_delivery_details": func(t *testing.T, s *standIn) {
			x := s.make(t, made{client: legacy(false)})
			x.create(t, "someone", "secretP2ss!", attribute("email", "test@test.com"), attribute("email_verified", "True"))
			got := must[*cip.ForgotPasswordOutput](t)(x.sdk.ForgotPassword(t.Context(), &cip.ForgotPasswordInput{
				ClientId: &x.client, Username: aws.String("someone"),
			})).CodeDeliveryDetails
			wantDelivery(t, got, "t***@t***")
		},
		"test_sign_up": func(t *testing.T, s *standIn) {
			wantDelivery(t, s.make(t, made{client: legacy(false)}).motoSignsUp(t), "")
		},
		"test_sign_up_with_unverified_email": func(t *testing.T, s *standIn) {
			wantDelivery(t, s.make(t, made{client: legacy(false)}).motoSignsUp(t, attribute("email", "test@test.com")), "")
		},
		"test_sign_up_with_verified_email": func(t *testing.T, s *standIn) {
			wantDelivery(t, s.make(t, made{pool: verifiesEmail, client: legacy(false)}).motoSignsUp(t, attribute("email", "test@test.com")), "t***@t***")
		},
		"test_sign_up_with_verified_but_not_supplied_email": func(t *testing.T, s *standIn) {
			wantDelivery(t, s.make(t, made{pool: verifiesEmail, client: legacy(false)}).motoSignsUp(t), "")
		},
		"test_initiate_auth_REFRESH_TOKEN": func(t *testing.T, s *standIn) {
			x := s.make(t, made{client: legacy(true)})
			x.signsUpConfirmed(t, "someone", motoPassword)
			tokens := x.bySRP(t, "someone", motoPassword).AuthenticationResult
			got := must[*cip.InitiateAuthOutput](t)(x.initiate(t, types.AuthFlowTypeRefreshToken, "someone",
				map[string]string{"REFRESH_TOKEN": *tokens.RefreshToken})).AuthenticationResult
			x.wantClaims(t, got, "someone")
		},
		"test_initiate_auth_USER_PASSWORD_AUTH": func(t *testing.T, s *standIn) {
			x := s.make(t, made{client: legacy(true, types.ExplicitAuthFlowsTypeUserPasswordAuth)})
			x.signsUpConfirmed(t, "someone", motoPassword)
			must[*cip.AdminSetUserMFAPreferenceOutput](t)(x.admin.AdminSetUserMFAPreference(t.Context(), &cip.AdminSetUserMFAPreferenceInput{
				UserPoolId: &x.pool, Username: aws.String("someone"), SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{},
			}))
			if user := x.status(t, "someone"); len(user.UserMFASettingList) > 0 || user.PreferredMfaSetting != nil {
				t.Errorf("got %+v", user)
			}
			got := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "someone", motoPassword)).AuthenticationResult
			wantTokens(t, got)
			if claims := x.wantClaims(t, got, "someone"); claims["email"] != nil {
				t.Errorf("claims %v", claims)
			}
		},
		"test_initiate_auth_USER_PASSWORD_AUTH_with_email": func(t *testing.T, s *standIn) {
			x := s.make(t, made{client: legacy(true, types.ExplicitAuthFlowsTypeUserPasswordAuth), pool: func(in *cip.CreateUserPoolInput) {
				in.UsernameAttributes = []types.UsernameAttributeType{types.UsernameAttributeTypeEmail}
			}})
			x.signsUpConfirmed(t, "test@moto.com", "SuperS3cret!")
			got := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "test@moto.com", "SuperS3cret!")).AuthenticationResult
			if claims := x.wantClaims(t, got, x.Subject(x.pool, "test@moto.com")); claims["email"] != "test@moto.com" {
				t.Errorf("claims %v", claims)
			}
		},
		"test_initiate_mfa_auth_USER_PASSWORD_AUTH_with_FORCE_CHANGE_PASSWORD_status": func(t *testing.T, s *standIn) {
			x := s.make(t, made{mfa: types.UserPoolMfaTypeOn, client: legacy(false, types.ExplicitAuthFlowsTypeUserPasswordAuth)})
			x.createTemporary(t, "someone", motoPassword)
			in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "someone", motoPassword))
			next := must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, *in.Session, "someone", map[string]string{"NEW_PASSWORD": motoOther}))
			if in.ChallengeName != types.ChallengeNameTypeNewPasswordRequired || next.ChallengeName != types.ChallengeNameTypeMfaSetup {
				t.Fatalf("got %s, then %s", in.ChallengeName, next.ChallengeName)
			}
			secret, out := x.setsUp(t, *next.Session, "someone")
			wantTokens(t, out.AuthenticationResult)
			in = must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "someone", motoOther))
			wantTokens(t, must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, *in.Session, "someone",
				map[string]string{"SOFTWARE_TOKEN_MFA_CODE": x.code(t, secret, 0)})).AuthenticationResult)
		},
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// motoSignsInByCode signs in with the code of the next step, since the one that
// enrolled is used up at AWS.
func (x *tenant) motoSignsInByCode(t *testing.T, secret string) {
	t.Helper()
	in := x.bySRP(t, "someone", motoPassword)
	if in.ChallengeName != types.ChallengeNameTypeSoftwareTokenMfa {
		t.Fatalf("got %s", in.ChallengeName)
	}
	send := func(steps int) (*cip.RespondToAuthChallengeOutput, error) {
		return x.answer(t, in.ChallengeName, *in.Session, "someone", map[string]string{"SOFTWARE_TOKEN_MFA_CODE": x.code(t, secret, steps)})
	}
	_, err := send(0)
	wantException(t, err, "ExpiredCodeException", "Your software token has already been used once.")
	wantTokens(t, must[*cip.RespondToAuthChallengeOutput](t)(send(1)).AuthenticationResult)
}

func (x *tenant) motoSignsUp(t *testing.T, attributes ...types.AttributeType) *types.CodeDeliveryDetailsType {
	t.Helper()
	out := must[*cip.SignUpOutput](t)(x.signUp(t, "someone", motoPassword, attributes...))
	if out.UserConfirmed || out.UserSub == nil {
		t.Errorf("got %+v", out)
	}
	return out.CodeDeliveryDetails
}

// wantDelivery checks where a code was sent by e-mail, empty for nowhere.
func wantDelivery(t *testing.T, got *types.CodeDeliveryDetailsType, want string) {
	t.Helper()
	if got == nil {
		got = &types.CodeDeliveryDetailsType{}
	} else if got.DeliveryMedium != types.DeliveryMediumTypeEmail || aws.ToString(got.AttributeName) != "email" {
		t.Errorf("got %+v", got)
	}
	if aws.ToString(got.Destination) != want {
		t.Errorf("sent to %q, want %q", aws.ToString(got.Destination), want)
	}
}

// wantClaims checks whom the tokens are of, and gives the claims of the ID token.
func (x *tenant) wantClaims(t *testing.T, got *types.AuthenticationResultType, username string) map[string]any {
	t.Helper()
	access, id := part(t, *got.AccessToken, 1), part(t, *got.IdToken, 1)
	if access["username"] != username || access["client_id"] != x.client || access["email"] != nil ||
		id["sub"] != access["sub"] || id["cognito:username"] != username || id["aud"] != x.client {
		t.Errorf("access token %v, ID token %v", access, id)
	}
	return id
}
