package cognitotest_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

func TestACodeStandsForNoPasswordWhereMoreIsAsked(t *testing.T) {
	for name, test := range map[string]struct {
		mfa  cognitotest.MFA
		user func(*cognitotest.User)
		want []string
	}{
		"MFA is off, and there was an app once": {
			mfa: cognitotest.MFAOff, user: func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret },
			want: []string{"PASSWORD", "PASSWORD_SRP", "EMAIL_OTP"},
		},
		"MFA is optional, and not set up": {mfa: cognitotest.MFAOptional, want: []string{"PASSWORD", "PASSWORD_SRP", "EMAIL_OTP"}},
		"MFA is optional, and an app is on": {
			mfa: cognitotest.MFAOptional, user: func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret },
			want: []string{"PASSWORD", "PASSWORD_SRP"},
		},
		"MFA is required": {mfa: cognitotest.MFARequired, want: []string{"PASSWORD", "PASSWORD_SRP"}},
		"an administrator's password": {
			mfa: cognitotest.MFAOff, user: func(u *cognitotest.User) { u.ForceNewPassword = true },
			want: []string{"PASSWORD", "PASSWORD_SRP"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, changePool(optional, func(p *cognitotest.Pool) {
				p.MFA, p.FirstFactors = test.mfa, []string{"PASSWORD", "EMAIL_OTP"}
				if test.user != nil {
					test.user(&p.Users[0])
				}
			}))
			in := must[*cip.InitiateAuthOutput](t)(s.choose(t, "EMAIL_OTP"))
			passwordless := slices.Contains(test.want, "EMAIL_OTP")
			if sent := s.SentCode(optional, "ada") != ""; sent != passwordless || (in.ChallengeName == types.ChallengeNameTypeEmailOtp) != passwordless {
				t.Errorf("EMAIL_OTP leads to %s; a code was sent: %t", in.ChallengeName, sent)
			}
			in = must[*cip.InitiateAuthOutput](t)(s.choose(t, ""))
			var got []string
			for _, c := range in.AvailableChallenges {
				got = append(got, string(c))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("offered %v, want %v", got, test.want)
			}
			if !passwordless {
				_, err := s.respond(t, optionalClient, in.ChallengeName, *in.Session, map[string]string{"ANSWER": "EMAIL_OTP"})
				wantException(t, err, "InvalidParameterException", "Selected challenge is not available.")
			}
		})
	}
}

func TestNoCodeIsSentToWhomItDoesNotHelp(t *testing.T) {
	for name, change := range map[string]func(*cognitotest.User){
		"NotAuthorizedException":         func(u *cognitotest.User) { u.Disabled = true },
		"PasswordResetRequiredException": func(u *cognitotest.User) { u.ResetRequired = true },
		"UserNotConfirmedException":      func(u *cognitotest.User) { u.Unconfirmed = true },
	} {
		s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.FirstFactors = []string{"PASSWORD", "EMAIL_OTP"} }), changeUser(optional, change))
		_, err := s.choose(t, "EMAIL_OTP")
		wantException(t, err, name, "")
		if s.SentCode(optional, "ada") != "" {
			t.Errorf("%s, and a code was sent", name)
		}
	}
}

// choose begins a sign-in of ada by USER_AUTH.
func (s *standIn) choose(t *testing.T, preferred string) (*cip.InitiateAuthOutput, error) {
	t.Helper()
	return s.sdk.InitiateAuth(t.Context(), &cip.InitiateAuthInput{
		AuthFlow: types.AuthFlowTypeUserAuth, ClientId: aws.String(optionalClient),
		AuthParameters: map[string]string{"USERNAME": "ada", "PREFERRED_CHALLENGE": preferred},
	})
}

func TestTheUserChoosesTheFirstFactor(t *testing.T) {
	s := empty(t)
	x := s.make(t, made{
		pool: func(in *cip.CreateUserPoolInput) {
			in.Policies = &types.UserPoolPolicyType{SignInPolicy: &types.SignInPolicyType{
				AllowedFirstAuthFactors: []types.AuthFactorType{types.AuthFactorTypePassword, types.AuthFactorTypeEmailOtp, types.AuthFactorTypeSmsOtp},
			}}
		},
		client: func(in *cip.CreateUserPoolClientInput) {
			withSecret(in)
			in.ExplicitAuthFlows = append(in.ExplicitAuthFlows[:len(in.ExplicitAuthFlows):len(in.ExplicitAuthFlows)], types.ExplicitAuthFlowsTypeAllowUserAuth)
		},
	})
	x.create(t, "ada", password, attribute("email", "ada@example.com"))
	choose := func(parameters map[string]string) *cip.InitiateAuthOutput {
		return must[*cip.InitiateAuthOutput](t)(x.initiate(t, types.AuthFlowTypeUserAuth, "ada", parameters))
	}
	in := choose(nil)
	if in.ChallengeName != types.ChallengeNameTypeSelectChallenge || len(in.AvailableChallenges) != 3 {
		t.Fatalf("got %s with %v", in.ChallengeName, in.AvailableChallenges)
	}
	_, err := x.answer(t, in.ChallengeName, *in.Session, "ada", map[string]string{"ANSWER": "SMS_OTP"})
	wantException(t, err, "InvalidParameterException", "Selected challenge is not available.")
	_, err = x.answer(t, in.ChallengeName, *in.Session, "ada", map[string]string{"ANSWER": "PASSWORD", "PASSWORD": "wrong"})
	wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
	out := must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, *in.Session, "ada", map[string]string{"ANSWER": "PASSWORD", "PASSWORD": password}))
	if out.AuthenticationResult == nil {
		t.Errorf("a password leads to %s", out.ChallengeName)
	}
	in = choose(map[string]string{"PREFERRED_CHALLENGE": "EMAIL_OTP"})
	out = must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, *in.Session, "ada", map[string]string{"EMAIL_OTP_CODE": x.SentCode(x.pool, "ada")}))
	if out.AuthenticationResult == nil {
		t.Errorf("a code leads to %s", out.ChallengeName)
	}
	c := newSRPClient()
	in = choose(map[string]string{"PREFERRED_CHALLENGE": "PASSWORD_SRP", "SRP_A": c.public.Text(16)})
	out = must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, "", "ada", c.claim(t, x.pool[len("us-east-1_"):], password, in.ChallengeParameters)))
	if out.AuthenticationResult == nil {
		t.Errorf("SRP leads to %s", out.ChallengeName)
	}

	lite := s.make(t, made{
		pool: func(in *cip.CreateUserPoolInput) { in.UserPoolTier = types.UserPoolTierTypeLite },
		client: func(in *cip.CreateUserPoolClientInput) {
			in.ExplicitAuthFlows = append([]types.ExplicitAuthFlowsType{types.ExplicitAuthFlowsTypeAllowUserAuth}, allFlows...)
		},
	})
	lite.create(t, "ada", password)
	_, err = lite.initiate(t, types.AuthFlowTypeUserAuth, "ada", nil)
	wantException(t, err, "FeatureUnavailableInTierException", "")
}
