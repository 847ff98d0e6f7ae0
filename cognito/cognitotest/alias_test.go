package cognitotest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

func TestSigningInByAlias(t *testing.T) {
	s := start(t, changePool(required, func(p *cognitotest.Pool) { p.AliasAttributes = []string{"email"} }),
		changeUser(required, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }))
	const alias = "ada@example.com"
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient, with("USERNAME", alias), with("SECRET_HASH", secretHash(alias))))
	if got := in.ChallengeParameters["USER_ID_FOR_SRP"]; got != "ada" {
		t.Errorf("USER_ID_FOR_SRP = %q, want the username", got)
	}
	answer := func(username, hash string) error {
		_, err := s.respond(t, requiredClient, in.ChallengeName, *in.Session, map[string]string{
			"USERNAME": username, "SECRET_HASH": hash, "SOFTWARE_TOKEN_MFA_CODE": s.code(t, enrolledSecret, 0),
		})
		return err
	}
	wantException(t, answer(alias, secretHash(alias)), "NotAuthorizedException", "Unable to verify secret hash for client demo-required")
	if err := answer("ada", secretHash("ada")); err != nil {
		t.Error(err)
	}
}

func TestAnAliasCountsOnceItIsVerified(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.AliasAttributes = []string{"email", "preferred_username"} }),
		changeUser(optional, func(u *cognitotest.User) {
			u.Attributes = map[string]string{"email": "ada@example.com", "preferred_username": "countess"}
		}))
	_, err := s.signIn(t, optionalClient, with("USERNAME", "ada@example.com"))
	wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
	must[*cip.InitiateAuthOutput](t)(s.signIn(t, optionalClient, with("USERNAME", "countess")))
}

func TestWhereTheAddressIsTheUsernameTheSubjectIsTheUsername(t *testing.T) {
	s := start(t, changePool(required, func(p *cognitotest.Pool) {
		p.UsernameAttributes = []string{"email"}
		p.Users = []cognitotest.User{{Username: "ada@example.com", Password: password}}
	}))
	subject := s.Subject(required, "ada@example.com")
	hash := func(name string) string {
		mac := hmac.New(sha256.New, []byte(requiredSecret))
		mac.Write([]byte(name + requiredClient))
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient, with("USERNAME", "ada@example.com"), with("SECRET_HASH", hash("ada@example.com"))))
	if got := in.ChallengeParameters["USER_ID_FOR_SRP"]; got != subject {
		t.Errorf("USER_ID_FOR_SRP = %q, want the subject %q", got, subject)
	}
	associated := must[*cip.AssociateSoftwareTokenOutput](t)(s.associateBySession(t, *in.Session))
	verified := must[*cip.VerifySoftwareTokenOutput](t)(s.verifyBySession(t, *associated.Session, s.code(t, *associated.SecretCode, 0)))
	out := must[*cip.RespondToAuthChallengeOutput](t)(s.respond(t, requiredClient, types.ChallengeNameTypeMfaSetup, *verified.Session,
		map[string]string{"USERNAME": subject, "SECRET_HASH": hash(subject)}))
	claims := part(t, aws.ToString(out.AuthenticationResult.AccessToken), 1)
	if claims["username"] != subject || claims["sub"] != subject {
		t.Errorf("username %v and sub %v, want both %s", claims["username"], claims["sub"], subject)
	}
	if got := part(t, aws.ToString(out.AuthenticationResult.IdToken), 1)["email"]; got != "ada@example.com" {
		t.Errorf("email %v", got)
	}
}
