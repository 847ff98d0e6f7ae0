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

func withAlias(in *cip.CreateUserPoolInput) {
	verifiesEmail(in)
	in.AliasAttributes = []types.AliasAttributeType{types.AliasAttributeTypeEmail, types.AliasAttributeTypePreferredUsername}
}

// wantAlias checks whose alias an address is.
func (x *tenant) wantAlias(t *testing.T, alias, username string) {
	t.Helper()
	if got := *x.status(t, alias).Username; got != username {
		t.Errorf("%s is %s, want %s", alias, got, username)
	}
}

func TestAnAliasIsOneUsers(t *testing.T) {
	const address = "ada@example.com"
	email, verified := attribute("email", address), attribute("email_verified", "true")
	x := empty(t).make(t, made{pool: withAlias})
	x.create(t, "ada", password, email, verified, attribute("preferred_username", "countess"))
	x.create(t, "grace", password, email) // not verified: no alias
	x.wantAlias(t, address, "ada")
	create := func(username string, force bool, attributes ...types.AttributeType) error {
		_, err := x.admin.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{
			UserPoolId: &x.pool, Username: &username, ForceAliasCreation: force, UserAttributes: attributes,
		})
		return err
	}
	const message = "An account with the email already exists."
	wantException(t, create("linus", false, email, verified), "AliasExistsException", message)
	wantException(t, create("linus", true, attribute("preferred_username", "countess")), "AliasExistsException", "")
	_, err := x.admin.AdminGetUser(t.Context(), &cip.AdminGetUserInput{UserPoolId: &x.pool, Username: aws.String("linus")})
	wantException(t, err, "UserNotFoundException", "")
	wantException(t, x.adminUpdate(t, "grace", verified), "AliasExistsException", message)
	wantException(t, x.update(t, x.tokenOf(t, "grace"), attribute("preferred_username", "countess")), "AliasExistsException", "")
	if !has(x.status(t, "grace").UserAttributes, "email_verified", "") {
		t.Error("a refused update changed something")
	}
	if err := x.adminUpdate(t, "ada", email, verified); err != nil {
		t.Errorf("one's own address: %v", err)
	}

	must[*cip.SignUpOutput](t)(x.signUp(t, "linus", password, email))
	code := x.SentCode(x.pool, "linus")
	wantException(t, x.confirmSignUp(t, "linus", code), "AliasExistsException", message)
	x.wantAlias(t, address, "ada")
	must[*cip.ConfirmSignUpOutput](t)(x.sdk.ConfirmSignUp(t.Context(), &cip.ConfirmSignUpInput{
		ClientId: &x.client, Username: aws.String("linus"), ConfirmationCode: &code, ForceAliasCreation: true,
	}))
	x.wantAlias(t, address, "linus")
	if !has(x.status(t, "ada").UserAttributes, "email_verified", "false") {
		t.Error("the alias moved, and ada's address is verified")
	}
	if err := create("barbara", true, email, verified); err != nil {
		t.Fatal(err)
	}
	x.wantAlias(t, address, "barbara")
}

func TestAUsernamesAddressIsOneUsers(t *testing.T) {
	x := empty(t).make(t, made{pool: func(in *cip.CreateUserPoolInput) {
		in.UsernameAttributes = []types.UsernameAttributeType{types.UsernameAttributeTypeEmail, types.UsernameAttributeTypePhoneNumber}
	}})
	x.create(t, "ada@example.com", password, attribute("phone_number", "+15555550123"))
	x.create(t, "grace@example.com", password)
	token := x.tokenOf(t, "grace@example.com")
	for _, a := range []types.AttributeType{attribute("email", "ada@example.com"), attribute("phone_number", "+15555550123")} {
		wantException(t, x.update(t, token, a), "AliasExistsException", "An account with the "+*a.Name+" already exists.")
		wantException(t, x.adminUpdate(t, "grace@example.com", a), "AliasExistsException", "")
	}
	_, err := x.signUp(t, "linus@example.com", password, attribute("phone_number", "+15555550123"))
	wantException(t, err, "UsernameExistsException", "An account with the given phone_number already exists.")
	if err := x.update(t, token, attribute("email", "hopper@example.com")); err != nil {
		t.Fatal(err)
	}
	must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "hopper@example.com", password))
}

func TestAFileOfPoolsGivesAnAliasOnce(t *testing.T) {
	pools := cognitotest.DemoPools()[:1]
	pools[0].AliasAttributes, pools[0].Key = []string{"email"}, sharedKey()
	pools[0].Users[1].Attributes["email"] = "ada@example.com"
	if _, err := cognitotest.New(cognitotest.Options{Pools: pools}); err == nil {
		t.Error("two users with the same alias are taken")
	}
}
