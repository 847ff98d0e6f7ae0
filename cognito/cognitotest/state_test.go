package cognitotest_test

import (
	"encoding/json"
	"testing"
	"time"

	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

// copied is another server with what this one dumps.
func (s *standIn) copied(t *testing.T) *standIn {
	t.Helper()
	other := empty(t)
	dump := must[[]byte](t)(json.Marshal(s.Dump()))
	if err := other.Load(must[cognitotest.State](t)(cognitotest.ReadState(dump))); err != nil {
		t.Fatal(err)
	}
	return other
}

func TestACodeThatWasUsedIsUsedInACopy(t *testing.T) {
	s := start(t, changeUser(required, func(u *cognitotest.User) { u.TOTPSecret = enrolledSecret }))
	signIn := func(s *standIn) error {
		in := must[*cip.InitiateAuthOutput](t)(s.signIn(t, requiredClient))
		_, err := s.respond(t, requiredClient, types.ChallengeNameTypeSoftwareTokenMfa, *in.Session,
			map[string]string{"SOFTWARE_TOKEN_MFA_CODE": s.code(t, enrolledSecret, 0)})
		return err
	}
	if err := signIn(s); err != nil {
		t.Fatal(err)
	}
	wantException(t, signIn(s.copied(t)), "ExpiredCodeException", "")
	if err := s.Load(s.Dump()); err != nil {
		t.Fatal(err)
	}
	wantException(t, signIn(s), "ExpiredCodeException", "")
}

func TestATokenThatWasRevokedIsRevokedInACopy(t *testing.T) {
	s := start(t)
	revoked, kept := s.SignIn(optional, optionalClient, "ada"), s.SignIn(optional, optionalClient, "ada")
	client := optionalClient
	must[*cip.RevokeTokenOutput](t)(s.sdk.RevokeToken(t.Context(), &cip.RevokeTokenInput{ClientId: &client, Token: &revoked.RefreshToken}))
	other := s.copied(t)
	wantException(t, other.getUser(t, revoked.AccessToken), "NotAuthorizedException", "Access Token has been revoked")
	if err := other.getUser(t, kept.AccessToken); err != nil {
		t.Error(err)
	}
}

// Signing out revokes all access tokens of the user (AdminUserGlobalSignOut's page),
// those of before a copy too, and those that a test minted.
func TestSigningOutEndsSignInsOfBeforeACopy(t *testing.T) {
	s := start(t)
	tokens, minted := s.SignIn(optional, optionalClient, "ada"), s.Mint(optional, map[string]any{"username": "ada"})
	other := s.copied(t)
	must[*cip.GlobalSignOutOutput](t)(other.sdk.GlobalSignOut(t.Context(), &cip.GlobalSignOutInput{AccessToken: &tokens.AccessToken}))
	for _, token := range []string{tokens.AccessToken, minted} {
		wantException(t, other.getUser(t, token), "NotAuthorizedException", "Access Token has been revoked")
		wantException(t, other.copied(t).getUser(t, token), "NotAuthorizedException", "Access Token has been revoked")
	}
	if err := other.getUser(t, other.SignIn(optional, optionalClient, "ada").AccessToken); err != nil {
		t.Error(err)
	}
}

func TestDatesStayInACopy(t *testing.T) {
	x := empty(t).make(t, made{})
	x.create(t, "ada", password)
	made := x.clock.now()
	other := empty(t)
	other.clock.advance(time.Hour)
	if err := other.Load(x.Dump()); err != nil {
		t.Fatal(err)
	}
	admin, ada := other.administrator(), "ada"
	pool := must[*cip.DescribeUserPoolOutput](t)(admin.DescribeUserPool(t.Context(), &cip.DescribeUserPoolInput{UserPoolId: &x.pool})).UserPool
	client := must[*cip.DescribeUserPoolClientOutput](t)(admin.DescribeUserPoolClient(t.Context(), &cip.DescribeUserPoolClientInput{
		UserPoolId: &x.pool, ClientId: &x.client,
	})).UserPoolClient
	user := must[*cip.AdminGetUserOutput](t)(admin.AdminGetUser(t.Context(), &cip.AdminGetUserInput{UserPoolId: &x.pool, Username: &ada}))
	for name, at := range map[string]*time.Time{
		"pool made": pool.CreationDate, "pool changed": pool.LastModifiedDate, "client made": client.CreationDate,
		"user made": user.UserCreateDate, "user changed": user.UserLastModifiedDate,
	} {
		if !at.Equal(made) {
			t.Errorf("%s: %s, want %s", name, at, made)
		}
	}
}
