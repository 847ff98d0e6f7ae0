package cognitotest_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"mfa-enrollment/cognito/cognitotest"
)

var secretPattern = regexp.MustCompile(`^[A-Z2-7]{52}$`)

func (s *standIn) associateByToken(t *testing.T, token string) (*cip.AssociateSoftwareTokenOutput, error) {
	t.Helper()
	return s.sdk.AssociateSoftwareToken(t.Context(), &cip.AssociateSoftwareTokenInput{AccessToken: aws.String(token)})
}

func (s *standIn) associateBySession(t *testing.T, session string) (*cip.AssociateSoftwareTokenOutput, error) {
	t.Helper()
	return s.sdk.AssociateSoftwareToken(t.Context(), &cip.AssociateSoftwareTokenInput{Session: aws.String(session)})
}

func TestAssociateByTokenGivesASecretAndNoSession(t *testing.T) {
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	first := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token))
	if !secretPattern.MatchString(aws.ToString(first.SecretCode)) {
		t.Error("the secret is not 32 bytes in base32")
	}
	if first.Session != nil {
		t.Error("got a session, want none by access token")
	}
	second := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateByToken(t, token))
	if *first.SecretCode == *second.SecretCode {
		t.Error("the second call gave the first secret again")
	}
	if got := s.PendingSecret(optional, "ada"); got != *second.SecretCode {
		t.Error("the second secret is not the one that counts")
	}
	if s.TOTPSecret(optional, "ada") != "" || s.MFAEnabled(optional, "ada") {
		t.Error("the secret counts before it is verified")
	}
	if s.Calls("AssociateSoftwareToken") != 2 || s.Calls("GetUser") != 0 || s.Calls("") != 2 {
		t.Errorf("counted %d and %d of %d calls", s.Calls("AssociateSoftwareToken"), s.Calls("GetUser"), s.Calls(""))
	}
}

func TestAssociateBySessionGivesTheNextSession(t *testing.T) {
	s := start(t)
	first := s.Session(required, requiredClient, "ada")
	out := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, first))
	if !secretPattern.MatchString(aws.ToString(out.SecretCode)) || aws.ToString(out.Session) == first {
		t.Error("want a secret and another session")
	}
	_, err := s.associateBySession(t, first)
	wantException(t, err, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
	must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, *out.Session))
}

func TestSessionsExpire(t *testing.T) {
	s := start(t, changePool(required, func(p *cognitotest.Pool) { p.Clients[0].AuthSessionValidity = 5 * time.Minute }))
	session := s.Session(required, requiredClient, "ada")
	s.clock.advance(5*time.Minute - time.Second)
	out := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, session))
	s.clock.advance(5 * time.Minute)
	_, err := s.associateBySession(t, *out.Session)
	wantException(t, err, "NotAuthorizedException", "Invalid session for the user, session is expired.")
}

func TestAssociateRefuses(t *testing.T) {
	s := start(t)
	token, session := s.SignIn(optional, optionalClient, "ada").AccessToken, s.Session(required, requiredClient, "ada")
	tests := map[string]struct {
		in            cip.AssociateSoftwareTokenInput
		name, message string
	}{
		"neither a token nor a session": {name: "InvalidParameterException"},
		"a token and a session": {
			in:   cip.AssociateSoftwareTokenInput{AccessToken: &token, Session: &session},
			name: "InvalidParameterException",
		},
		"a session that nobody gave": {
			in:   cip.AssociateSoftwareTokenInput{Session: aws.String("a session that nobody gave")},
			name: "NotAuthorizedException", message: "Invalid session for the user.",
		},
		"a session that is too short": {
			in:   cip.AssociateSoftwareTokenInput{Session: aws.String("short")},
			name: "InvalidParameterException",
			message: "1 validation error detected: Value at 'session' failed to satisfy constraint: " +
				"Member must have length greater than or equal to 20",
		},
		"a token with characters that no token has": {
			in:   cip.AssociateSoftwareTokenInput{AccessToken: aws.String("Bearer x")},
			name: "InvalidParameterException",
			message: "1 validation error detected: Value at 'accessToken' failed to satisfy constraint: " +
				"Member must satisfy regular expression pattern: [A-Za-z0-9-_=.]+",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := s.sdk.AssociateSoftwareToken(t.Context(), &test.in)
			wantException(t, err, test.name, test.message)
		})
	}
}

func TestSoftwareTokensSwitchedOffInThePool(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.SoftwareTokenDisabled = true }))
	_, err := s.associateByToken(t, s.SignIn(optional, optionalClient, "ada").AccessToken)
	wantException(t, err, "SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
}

// AWS: MFA that is off and configured is an "Invalid MFA configuration", so that a
// pool without MFA has no authenticator apps.
func TestAPoolWithoutMFATakesNoApps(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.MFA = cognitotest.MFAOff }))
	_, err := s.sdk.AssociateSoftwareToken(t.Context(), &cip.AssociateSoftwareTokenInput{
		AccessToken: aws.String(s.SignIn(optional, optionalClient, "ada").AccessToken),
	})
	wantException(t, err, "SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
	out := must[*cip.GetUserPoolMfaConfigOutput](t)(s.administrator().GetUserPoolMfaConfig(t.Context(), &cip.GetUserPoolMfaConfigInput{UserPoolId: aws.String(optional)}))
	if out.SoftwareTokenMfaConfiguration.Enabled {
		t.Error("apps are on, MFA is off")
	}
}
