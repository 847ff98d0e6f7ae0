package cognitotest_test

import (
	"net/http"
	"testing"

	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

// withCodes makes a pool offer codes by SMS and e-mail.
func withCodes(p *cognitotest.Pool) {
	p.Factors = []cognitotest.Factor{cognitotest.SMS, cognitotest.EmailOTP}
}

func withSMS(p *cognitotest.Pool) { p.Factors = []cognitotest.Factor{cognitotest.SMS} }

func TestWhatCanBeSetUpIsEverythingThatThePoolOffers(t *testing.T) {
	s := start(t, changePool(required, withSMS))
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	if got := in.ChallengeParameters["MFAS_CAN_SETUP"]; in.ChallengeName != types.ChallengeNameTypeMfaSetup || got != `["SMS_MFA","SOFTWARE_TOKEN_MFA"]` {
		t.Errorf("got %s with %s, want MFA_SETUP with both", in.ChallengeName, got)
	}
}

// The sequence of Amplify Flutter's mfa_sms_totp_required_test, which ran against
// real pools.
func TestAPoolThatRequiresMFATurnsSMSOnByItself(t *testing.T) {
	s := start(t, changePool(required, withSMS), changeUser(required, func(u *cognitotest.User) {
		u.Attributes["phone_number"] = "+15555550123"
	}))
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	if in.ChallengeName != types.ChallengeNameTypeSmsMfa || in.ChallengeParameters["CODE_DELIVERY_DESTINATION"] != "+*******0123" {
		t.Fatalf("got %s to %s", in.ChallengeName, in.ChallengeParameters["CODE_DELIVERY_DESTINATION"])
	}
	out := must[*cip.RespondToAuthChallengeOutput](t)(s.respond(t, requiredClient, in.ChallengeName, *in.Session,
		map[string]string{"SMS_MFA_CODE": s.SentCode(required, "ada")}))
	token := *out.AuthenticationResult.AccessToken
	s.wantMFA(t, token, "SMS_MFA", "SMS_MFA")

	secret := *must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token)).SecretCode
	must[*cip.VerifySoftwareTokenOutput](t)(s.verifyByToken(t, token, s.code(t, secret, 0)))
	s.wantMFA(t, token, "", "SMS_MFA", "SOFTWARE_TOKEN_MFA")
	in = must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	if in.ChallengeName != types.ChallengeNameTypeSelectMfaType {
		t.Errorf("got %s, want SELECT_MFA_TYPE", in.ChallengeName)
	}

	both := softwareToken(false, false)
	both.SMSMfaSettings = &types.SMSMfaSettingsType{}
	if err := s.prefer(t, token, both); err != nil {
		t.Fatal(err)
	}
	s.wantMFA(t, token, "")
}

func TestDestinationsAreMasked(t *testing.T) {
	s := start(t, changePool(optional, withCodes), changeUser(optional, func(u *cognitotest.User) { u.Factors = []cognitotest.Factor{cognitotest.EmailOTP} }))
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	if got := in.ChallengeParameters["CODE_DELIVERY_DESTINATION"]; got != "a***@e***" {
		t.Errorf("destination %q", got)
	}
}

func TestASecondaryReplicaOffersNoApps(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.SecondaryReplica = true }),
		changeUser(optional, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }))
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	_, err := s.associateByToken(t, token)
	wantException(t, err, "OperationNotEnabledException", "")
	_, err = s.verifyByToken(t, token, "123456")
	wantException(t, err, "OperationNotEnabledException", "")
	wantException(t, s.prefer(t, token, softwareToken(true, true)), "OperationNotEnabledException", "")
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	_, err = s.respondWithCode(t, optionalClient, *in.Session, "123456")
	wantException(t, err, "OperationNotEnabledException", "")
	if err := s.getUser(t, token); err != nil {
		t.Error(err)
	}
}

func TestSessionsOfEveryLength(t *testing.T) {
	for _, length := range []int{20, 1550, 2049, 8192} {
		s := start(t, func(o *cognitotest.Options) { o.Variants.SessionLength = length })
		in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
		associated := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, *in.Session))
		if len(*in.Session) != length || len(*associated.Session) != length || (*in.Session)[:5] != "AYABe" {
			t.Errorf("sessions of %d and %d characters that begin with %s, want %d and AYABe", len(*in.Session), len(*associated.Session), (*in.Session)[:5], length)
		}
		verified := must[*cip.VerifySoftwareTokenOutput](t)(s.verifyBySession(t, *associated.Session, s.code(t, *associated.SecretCode, 0)))
		must[*cip.RespondToAuthChallengeOutput](t)(s.respond(t, requiredClient, types.ChallengeNameTypeMfaSetup, *verified.Session, nil))
	}
	s := start(t, func(o *cognitotest.Options) { o.Variants.SessionLength = 8193 })
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	_, err := s.associateBySession(t, *in.Session)
	wantException(t, err, "InvalidParameterException", "1 validation error detected: "+
		"Value at 'session' failed to satisfy constraint: Member must have length less than or equal to 8192")
}

func TestAnAdministratorRemovesALostApp(t *testing.T) {
	s := start(t, changeUser(required, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }))
	const body = `{"UserPoolId":"us-east-1_Required","Username":"ada"}`
	res, _ := postSigned(t, s, "AdminDeleteSoftwareToken", body)
	if res.StatusCode != http.StatusOK || s.MFAEnabled(required, "ada") || s.TOTPSecret(required, "ada") != "" {
		t.Fatalf("status %d, and the app is there: %t", res.StatusCode, s.MFAEnabled(required, "ada"))
	}
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
	if in.ChallengeName != types.ChallengeNameTypeMfaSetup {
		t.Errorf("the next sign-in asks for %s, want MFA_SETUP", in.ChallengeName)
	}
	for name, body := range map[string]string{
		"UserNotFoundException":     `{"UserPoolId":"us-east-1_Required","Username":"nobody"}`,
		"ResourceNotFoundException": `{"UserPoolId":"us-east-1_Nowhere","Username":"ada"}`,
	} {
		if res, _ := postSigned(t, s, "AdminDeleteSoftwareToken", body); res.Header.Get("X-Amzn-ErrorType") != name+":" {
			t.Errorf("got %q, want %s", res.Header.Get("X-Amzn-ErrorType"), name)
		}
	}
}

func TestAFactorThatThePoolDoesNotOfferIsNone(t *testing.T) {
	sms := cip.SetUserMFAPreferenceInput{SMSMfaSettings: &types.SMSMfaSettingsType{Enabled: true, PreferredMfa: true}}
	email := cip.SetUserMFAPreferenceInput{EmailMfaSettings: &types.EmailMfaSettingsType{Enabled: true, PreferredMfa: true}}
	for name, test := range map[string]struct {
		pool   func(*cognitotest.Pool)
		factor cognitotest.Factor
		on     cip.SetUserMFAPreferenceInput
	}{
		"SMS in a pool with apps":   {func(*cognitotest.Pool) {}, cognitotest.SMS, sms},
		"e-mail in a pool with SMS": {withSMS, cognitotest.EmailOTP, email},
		"e-mail in a LITE pool":     {func(p *cognitotest.Pool) { withCodes(p); p.Tier = "LITE" }, cognitotest.EmailOTP, email},
		"an app in a pool without":  {func(p *cognitotest.Pool) { withCodes(p); p.SoftwareTokenDisabled = true }, cognitotest.SoftwareToken, softwareToken(true, true)},
	} {
		t.Run(name, func(t *testing.T) {
			reachable := func(u *cognitotest.User) {
				u.Attributes["phone_number"], u.TOTPSecret, u.AppOff = "+15555550123", enrolledSecret, true
			}
			has := func(u *cognitotest.User) {
				u.Preferred = test.factor
				if u.Factors, u.AppOff = []cognitotest.Factor{test.factor}, true; test.factor == cognitotest.SoftwareToken {
					u.Factors, u.AppOff = nil, false
				}
			}
			s := start(t, changePool(optional, test.pool), changeUser(optional, reachable))
			token := s.SignIn(optional, optionalClient, "ada").AccessToken
			wantException(t, s.prefer(t, token, test.on), "InvalidParameterException", string(test.factor)+" is not enabled for the user pool.")
			s.wantMFA(t, token, "")

			// Whoever has the factor on from before is not asked for it.
			s = start(t, changePool(optional, test.pool), changeUser(optional, reachable), changeUser(optional, has))
			s.wantMFA(t, s.SignIn(optional, optionalClient, "ada").AccessToken, "")
			if in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient)); in.AuthenticationResult == nil {
				t.Errorf("the sign-in asks for %s", in.ChallengeName)
			}
		})
	}
}

func TestChoosingAFactorThatThePoolNoLongerOffers(t *testing.T) {
	s := start(t, changePool(optional, withCodes), changeUser(optional, func(u *cognitotest.User) {
		u.TOTPSecret, u.Factors = enrolledSecret, []cognitotest.Factor{cognitotest.SMS, cognitotest.EmailOTP}
	}))
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	if res, body := postSigned(t, s, "UpdateUserPool", `{"UserPoolId":"us-east-1_Optional","UserPoolTier":"LITE"}`); res.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	_, err := s.respond(t, optionalClient, in.ChallengeName, *in.Session, map[string]string{"ANSWER": "EMAIL_OTP"})
	wantException(t, err, "MFAMethodNotFoundException", "")
	in = must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient))
	if got := in.ChallengeParameters["MFAS_CAN_CHOOSE"]; got != `["SMS_MFA","SOFTWARE_TOKEN_MFA"]` {
		t.Errorf("can choose %s", got)
	}
}
