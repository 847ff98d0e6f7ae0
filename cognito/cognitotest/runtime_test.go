package cognitotest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito"
	"mfa-enrollment/cognito/cognitotest"
)

// empty is a stand-in without pools.
func empty(t *testing.T) *standIn {
	t.Helper()
	return start(t, func(o *cognitotest.Options) { o.Pools = []cognitotest.Pool{} })
}

// administrator is the SDK with credentials, which the stand-in does not know.
func (s *standIn) administrator() *cip.Client {
	return cip.New(cip.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.url), Retryer: aws.NopRetryer{},
		HTTPClient: &http.Client{Transport: cognito.PlainBodies{Next: http.DefaultTransport}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "any"}, nil
		}),
	})
}

// tenant is a pool that was made at run time, and a client of it.
type tenant struct {
	*standIn
	admin                *cip.Client
	pool, client, secret string
}

// made are what a tenant is made of.
type made struct {
	mfa    types.UserPoolMfaType // with SMS and authenticator apps
	pool   func(*cip.CreateUserPoolInput)
	client func(*cip.CreateUserPoolClientInput)
}

// allFlows are those that the tests sign in by.
var allFlows = []types.ExplicitAuthFlowsType{
	types.ExplicitAuthFlowsTypeAllowAdminUserPasswordAuth, types.ExplicitAuthFlowsTypeAllowUserPasswordAuth,
	types.ExplicitAuthFlowsTypeAllowUserSrpAuth, types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth,
}

// make makes a pool and a client by Cognito's own operations.
func (s *standIn) make(t *testing.T, m made) *tenant {
	t.Helper()
	x := &tenant{standIn: s, admin: s.administrator()}
	pool := &cip.CreateUserPoolInput{PoolName: aws.String("test")}
	if m.mfa != "" {
		pool.MfaConfiguration = m.mfa
		pool.SmsConfiguration = &types.SmsConfigurationType{SnsCallerArn: aws.String("arn:aws:iam::000000000000:role/sms")}
	}
	if m.pool != nil {
		m.pool(pool)
	}
	x.pool = *must[*cip.CreateUserPoolOutput](t)(x.admin.CreateUserPool(t.Context(), pool)).UserPool.Id
	if m.mfa != "" {
		must[*cip.SetUserPoolMfaConfigOutput](t)(x.admin.SetUserPoolMfaConfig(t.Context(), &cip.SetUserPoolMfaConfigInput{
			UserPoolId: &x.pool, MfaConfiguration: m.mfa,
			SoftwareTokenMfaConfiguration: &types.SoftwareTokenMfaConfigType{Enabled: true},
		}))
	}
	client := &cip.CreateUserPoolClientInput{UserPoolId: &x.pool, ClientName: aws.String("test"), ExplicitAuthFlows: allFlows}
	if m.client != nil {
		m.client(client)
	}
	c := must[*cip.CreateUserPoolClientOutput](t)(x.admin.CreateUserPoolClient(t.Context(), client)).UserPoolClient
	x.client, x.secret = *c.ClientId, aws.ToString(c.ClientSecret)
	return x
}

// withSecret makes a client with a secret.
func withSecret(in *cip.CreateUserPoolClientInput) { in.GenerateSecret = true }

// hash is SECRET_HASH, nil for a client without a secret.
func (x *tenant) hash(username string) *string {
	if x.secret == "" {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(x.secret))
	mac.Write([]byte(username + x.client))
	return aws.String(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// create makes a user with a password that counts.
func (x *tenant) create(t *testing.T, username, password string, attributes ...types.AttributeType) {
	t.Helper()
	must[*cip.AdminCreateUserOutput](t)(x.admin.AdminCreateUser(t.Context(), &cip.AdminCreateUserInput{
		UserPoolId: &x.pool, Username: &username, UserAttributes: attributes,
	}))
	must[*cip.AdminSetUserPasswordOutput](t)(x.admin.AdminSetUserPassword(t.Context(), &cip.AdminSetUserPasswordInput{
		UserPoolId: &x.pool, Username: &username, Password: &password, Permanent: true,
	}))
}

func attribute(name, value string) types.AttributeType {
	return types.AttributeType{Name: &name, Value: &value}
}

// initiate begins a sign-in by a flow.
func (x *tenant) initiate(t *testing.T, flow types.AuthFlowType, username string, parameters map[string]string) (*cip.InitiateAuthOutput, error) {
	t.Helper()
	all := map[string]string{"USERNAME": username}
	if h := x.hash(username); h != nil {
		all["SECRET_HASH"] = *h
	}
	maps.Copy(all, parameters)
	return x.sdk.InitiateAuth(t.Context(), &cip.InitiateAuthInput{AuthFlow: flow, ClientId: &x.client, AuthParameters: all})
}

func (x *tenant) byPassword(t *testing.T, username, password string) (*cip.InitiateAuthOutput, error) {
	t.Helper()
	return x.initiate(t, types.AuthFlowTypeUserPasswordAuth, username, map[string]string{"PASSWORD": password})
}

// bySRP signs in up to what follows the password.
func (x *tenant) bySRP(t *testing.T, username, password string) *cip.RespondToAuthChallengeOutput {
	t.Helper()
	c := newSRPClient()
	in := must[*cip.InitiateAuthOutput](t)(x.initiate(t, types.AuthFlowTypeUserSrpAuth, username, map[string]string{"SRP_A": c.public.Text(16)}))
	_, name, _ := strings.Cut(x.pool, "_")
	return must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, "", username, c.claim(t, name, password, in.ChallengeParameters)))
}

func (x *tenant) answer(t *testing.T, name types.ChallengeNameType, session, username string, responses map[string]string) (*cip.RespondToAuthChallengeOutput, error) {
	t.Helper()
	all := map[string]string{"USERNAME": username}
	if h := x.hash(username); h != nil {
		all["SECRET_HASH"] = *h
	}
	maps.Copy(all, responses)
	in := &cip.RespondToAuthChallengeInput{ChallengeName: name, ClientId: &x.client, ChallengeResponses: all}
	if session != "" {
		in.Session = &session
	}
	return x.sdk.RespondToAuthChallenge(t.Context(), in)
}

// setsUp answers MFA_SETUP, all the way to tokens.
func (x *tenant) setsUp(t *testing.T, session, username string) (secret string, out *cip.RespondToAuthChallengeOutput) {
	t.Helper()
	associated := must[*cip.AssociateSoftwareTokenOutput](t)(x.associateBySession(t, session))
	verified := must[*cip.VerifySoftwareTokenOutput](t)(x.verifyBySession(t, *associated.Session, x.code(t, *associated.SecretCode, -1)))
	out = must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, types.ChallengeNameTypeMfaSetup, *verified.Session, username, nil))
	return *associated.SecretCode, out
}

func TestAPoolMadeAtRunTimeGoesFromMFASetupToTokens(t *testing.T) {
	x := empty(t).make(t, made{mfa: types.UserPoolMfaTypeOn, client: withSecret})
	x.create(t, "ada", password)
	in := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password))
	if in.ChallengeName != types.ChallengeNameTypeMfaSetup || in.ChallengeParameters["MFAS_CAN_SETUP"] != `["SMS_MFA","SOFTWARE_TOKEN_MFA"]` {
		t.Fatalf("got %s with %v", in.ChallengeName, in.ChallengeParameters)
	}
	secret, out := x.setsUp(t, *in.Session, "ada")
	if err := x.getUser(t, *out.AuthenticationResult.AccessToken); err != nil {
		t.Error(err)
	}
	in = must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password))
	must[*cip.RespondToAuthChallengeOutput](t)(x.answer(t, in.ChallengeName, *in.Session, "ada",
		map[string]string{"SOFTWARE_TOKEN_MFA_CODE": x.code(t, secret, 0)}))

	res, body := postSigned(t, x.standIn, "AdminDeleteSoftwareToken", `{"UserPoolId":"`+x.pool+`","Username":"ada"}`)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s", body)
	}
	in = must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password))
	if in.ChallengeName != types.ChallengeNameTypeMfaSetup {
		t.Errorf("after the app was deleted the sign-in asks for %s", in.ChallengeName)
	}
}

func TestSignedOperationsTakeAnySignatureAndNoneUnsignedPasses(t *testing.T) {
	s := start(t)
	signed := 0
	for _, operation := range cognitotest.Operations() {
		res, body := post(t, s, "AWSCognitoIdentityProviderService."+operation.Name, `{}`)
		refused := strings.Contains(body, "MissingAuthenticationTokenException")
		if refused != operation.Signed || refused != (res.StatusCode == http.StatusBadRequest && strings.Contains(body, `"Missing Authentication Token"`)) {
			t.Errorf("%s unsigned: %s", operation.Name, body)
		}
		if !operation.Signed {
			continue
		}
		signed++
		if _, body := postSigned(t, s, operation.Name, `{}`); strings.Contains(body, "MissingAuthenticationTokenException") {
			t.Errorf("%s signed: %s", operation.Name, body)
		}
	}
	if signed < 20 {
		t.Errorf("%d operations want a signature", signed)
	}
}

func TestDescribingSaysWhatWasMade(t *testing.T) {
	x := empty(t).make(t, made{
		pool: func(in *cip.CreateUserPoolInput) {
			in.UsernameAttributes = []types.UsernameAttributeType{types.UsernameAttributeTypeEmail}
			in.Policies = &types.UserPoolPolicyType{PasswordPolicy: &types.PasswordPolicyType{MinimumLength: aws.Int32(12)}}
			in.UserPoolTags = map[string]string{"team": "one"}
			in.UserPoolTier = types.UserPoolTierTypeLite
		},
		client: func(in *cip.CreateUserPoolClientInput) {
			in.GenerateSecret, in.AuthSessionValidity = true, aws.Int32(5)
			in.CallbackURLs = []string{"https://app.example.com"}
		},
	})
	pool := must[*cip.DescribeUserPoolOutput](t)(x.admin.DescribeUserPool(t.Context(), &cip.DescribeUserPoolInput{UserPoolId: &x.pool})).UserPool
	if *pool.Name != "test" || *pool.Policies.PasswordPolicy.MinimumLength != 12 || pool.UserPoolTags["team"] != "one" ||
		pool.UserPoolTier != types.UserPoolTierTypeLite || pool.MfaConfiguration != types.UserPoolMfaTypeOff ||
		!pool.CreationDate.Equal(x.clock.now()) || !slices.Equal(pool.UsernameAttributes, []types.UsernameAttributeType{"email"}) {
		t.Errorf("pool %+v", pool)
	}
	client := must[*cip.DescribeUserPoolClientOutput](t)(x.admin.DescribeUserPoolClient(t.Context(), &cip.DescribeUserPoolClientInput{
		UserPoolId: &x.pool, ClientId: &x.client,
	})).UserPoolClient
	if aws.ToString(client.ClientSecret) != x.secret || x.secret == "" || *client.AuthSessionValidity != 5 || !aws.ToBool(client.EnableTokenRevocation) ||
		!slices.Equal(client.CallbackURLs, []string{"https://app.example.com"}) || len(client.ExplicitAuthFlows) != 4 {
		t.Errorf("client %+v", client)
	}
	_, err := x.admin.DescribeUserPool(t.Context(), &cip.DescribeUserPoolInput{UserPoolId: aws.String("us-east-1_FooBar123")})
	wantException(t, err, "ResourceNotFoundException", "User pool us-east-1_FooBar123 does not exist.")
	must[*cip.DeleteUserPoolOutput](t)(x.admin.DeleteUserPool(t.Context(), &cip.DeleteUserPoolInput{UserPoolId: &x.pool}))
	_, err = x.byPassword(t, "ada@example.com", password)
	wantException(t, err, "ResourceNotFoundException", "")
}

func TestFactorsOfAPool(t *testing.T) {
	x := empty(t).make(t, made{})
	set := func(mfa types.UserPoolMfaType, change func(*cip.SetUserPoolMfaConfigInput)) error {
		in := &cip.SetUserPoolMfaConfigInput{UserPoolId: &x.pool, MfaConfiguration: mfa}
		change(in)
		_, err := x.admin.SetUserPoolMfaConfig(t.Context(), in)
		return err
	}
	app := func(on bool) func(*cip.SetUserPoolMfaConfigInput) {
		return func(in *cip.SetUserPoolMfaConfigInput) {
			in.SoftwareTokenMfaConfiguration = &types.SoftwareTokenMfaConfigType{Enabled: on}
		}
	}
	none := func(*cip.SetUserPoolMfaConfigInput) {}
	const together = "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."
	const all = "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration."
	wantException(t, set(types.UserPoolMfaTypeOff, app(true)), "InvalidParameterException", together)
	wantException(t, set(types.UserPoolMfaTypeOn, none), "InvalidParameterException", all)
	wantException(t, set(types.UserPoolMfaTypeOn, app(false)), "InvalidParameterException", all)
	if err := set(types.UserPoolMfaTypeOptional, app(true)); err != nil {
		t.Fatal(err)
	}
	got := must[*cip.GetUserPoolMfaConfigOutput](t)(x.admin.GetUserPoolMfaConfig(t.Context(), &cip.GetUserPoolMfaConfigInput{UserPoolId: &x.pool}))
	if got.MfaConfiguration != types.UserPoolMfaTypeOptional || !got.SoftwareTokenMfaConfiguration.Enabled || got.SmsMfaConfiguration != nil {
		t.Errorf("got %+v", got)
	}
	if err := set(types.UserPoolMfaTypeOff, none); err != nil {
		t.Fatal(err)
	}
	x.create(t, "ada", password)
	token := *must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password)).AuthenticationResult.AccessToken
	_, err := x.associateByToken(t, token)
	wantException(t, err, "SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
}

func TestFlowsThatAClientDoesNotAllow(t *testing.T) {
	x := empty(t).make(t, made{client: func(in *cip.CreateUserPoolClientInput) { in.ExplicitAuthFlows = nil }})
	x.create(t, "ada", password)
	_, err := x.byPassword(t, "ada", password)
	wantException(t, err, "InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client")
	_, err = x.admin.AdminInitiateAuth(t.Context(), &cip.AdminInitiateAuthInput{
		UserPoolId: &x.pool, ClientId: &x.client, AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": "ada", "PASSWORD": password},
	})
	wantException(t, err, "InvalidParameterException", "Auth flow not enabled for this client")
	if out := x.bySRP(t, "ada", password); out.AuthenticationResult == nil {
		t.Errorf("SRP leads to %s", out.ChallengeName)
	}
	_, err = x.admin.CreateUserPoolClient(t.Context(), &cip.CreateUserPoolClientInput{
		UserPoolId: &x.pool, ClientName: aws.String("x"), ExplicitAuthFlows: allFlows[:1],
	})
	wantException(t, err, "InvalidParameterException", "REFRESH_TOKEN_AUTH should always be allowed.")
}

func TestAPoolIsSwitchedToTheUpdatedIssuerByTheAPI(t *testing.T) {
	x := empty(t).make(t, made{})
	x.create(t, "ada", password)
	// The SDK in use does not know IssuerConfiguration yet.
	if res, body := postSigned(t, x.standIn, "UpdateUserPool", `{"UserPoolId":"`+x.pool+`","IssuerConfiguration":{"Type":"UPDATED"}}`); res.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	out := must[*cip.InitiateAuthOutput](t)(x.byPassword(t, "ada", password))
	if got := part(t, *out.AuthenticationResult.AccessToken, 1)["iss"]; got != "https://issuer-cognito-idp.us-east-1.amazonaws.com/"+x.pool {
		t.Errorf("issuer %v", got)
	}
	if res, _ := postSigned(t, x.standIn, "UpdateUserPool", `{"UserPoolId":"`+x.pool+`","IssuerConfiguration":{"Type":"OTHER"}}`); res.StatusCode != http.StatusBadRequest {
		t.Error("an issuer type of nobody is taken")
	}
}
