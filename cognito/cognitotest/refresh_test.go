package cognitotest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

func (s *standIn) refresh(t *testing.T, clientID, token string, parameters map[string]string) (*cip.InitiateAuthOutput, error) {
	t.Helper()
	all := map[string]string{"REFRESH_TOKEN": token}
	for name, value := range parameters {
		all[name] = value
	}
	return s.sdk.InitiateAuth(t.Context(), &cip.InitiateAuthInput{
		AuthFlow: types.AuthFlowTypeRefreshTokenAuth, ClientId: aws.String(clientID), AuthParameters: all,
	})
}

func (s *standIn) getUser(t *testing.T, token string) error {
	t.Helper()
	_, err := s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: aws.String(token)})
	return err
}

func TestRefreshingGivesNewTokensOfTheSameSignIn(t *testing.T) {
	s := start(t)
	first := s.SignIn(optional, optionalClient, "ada")
	signedIn := s.clock.now().Unix()
	s.clock.advance(2 * time.Hour)
	wantException(t, s.getUser(t, first.AccessToken), "NotAuthorizedException", "Access Token has expired")

	byAuth := must[*cip.InitiateAuthOutput](t)(s.refresh(t, optionalClient, first.RefreshToken, nil)).AuthenticationResult
	byToken := must[*cip.GetTokensFromRefreshTokenOutput](t)(s.sdk.GetTokensFromRefreshToken(t.Context(), &cip.GetTokensFromRefreshTokenInput{
		ClientId: aws.String(optionalClient), RefreshToken: aws.String(first.RefreshToken),
	})).AuthenticationResult
	before := part(t, first.AccessToken, 1)
	for name, result := range map[string]*types.AuthenticationResultType{"InitiateAuth": byAuth, "GetTokensFromRefreshToken": byToken} {
		if result.RefreshToken != nil {
			t.Errorf("%s gave another refresh token", name)
		}
		after := part(t, *result.AccessToken, 1)
		if after["origin_jti"] != before["origin_jti"] || after["jti"] == before["jti"] || int64(after["auth_time"].(float64)) != signedIn {
			t.Errorf("%s: claims %v do not go on from %v", name, after, before)
		}
		if err := s.getUser(t, *result.AccessToken); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefreshingWithASecretTakesTheHashOfTheUser(t *testing.T) {
	s := start(t)
	tokens := s.SignIn(required, requiredClient, "ada")
	_, err := s.refresh(t, requiredClient, tokens.RefreshToken, nil)
	wantException(t, err, "NotAuthorizedException", "Client demo-required is configured with secret but SECRET_HASH was not received")
	for _, name := range []string{"ada", s.Subject(required, "ada")} {
		must[*cip.InitiateAuthOutput](t)(s.refresh(t, requiredClient, tokens.RefreshToken, map[string]string{"SECRET_HASH": secretHash(name)}))
	}
	for secret, right := range map[string]bool{"": false, "wrong": false, requiredSecret: true} {
		_, err := s.sdk.GetTokensFromRefreshToken(t.Context(), &cip.GetTokensFromRefreshTokenInput{
			ClientId: aws.String(requiredClient), ClientSecret: aws.String(secret), RefreshToken: aws.String(tokens.RefreshToken),
		})
		if (err == nil) != right {
			t.Errorf("with the secret %q: %v", secret, err)
		}
	}
}

func TestRefreshTokensAreRefused(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.Clients[0].RefreshTokenValidity = time.Hour }))
	tokens := s.SignIn(optional, optionalClient, "ada")
	_, err := s.refresh(t, optionalClient, "nonsense", nil)
	wantException(t, err, "NotAuthorizedException", "Invalid Refresh Token")
	_, err = s.refresh(t, optionalClient, s.SignIn(required, requiredClient, "ada").RefreshToken, nil)
	wantException(t, err, "NotAuthorizedException", "Invalid Refresh Token")
	s.clock.advance(time.Hour)
	_, err = s.refresh(t, optionalClient, tokens.RefreshToken, nil)
	wantException(t, err, "NotAuthorizedException", "Refresh Token has expired")
}

func TestRevokingEndsOneSignIn(t *testing.T) {
	s := start(t)
	one, other := s.SignIn(optional, optionalClient, "ada"), s.SignIn(optional, optionalClient, "ada")
	revoke := func(token string) error {
		_, err := s.sdk.RevokeToken(t.Context(), &cip.RevokeTokenInput{ClientId: aws.String(optionalClient), Token: aws.String(token)})
		return err
	}
	wantException(t, revoke(one.AccessToken), "UnsupportedTokenTypeException", "")
	if err := revoke(one.RefreshToken); err != nil {
		t.Fatal(err)
	}
	wantException(t, s.getUser(t, one.AccessToken), "NotAuthorizedException", "Access Token has been revoked")
	_, err := s.refresh(t, optionalClient, one.RefreshToken, nil)
	wantException(t, err, "NotAuthorizedException", "Refresh Token has been revoked")
	if err := s.getUser(t, other.AccessToken); err != nil {
		t.Errorf("the other sign-in: %v", err)
	}
}

func TestGlobalSignOutEndsEverySignInOfTheUser(t *testing.T) {
	s := start(t)
	one, other := s.SignIn(optional, optionalClient, "ada"), s.SignIn(optional, optionalClient, "ada")
	grace := s.SignIn(optional, optionalClient, "grace")
	must[*cip.GlobalSignOutOutput](t)(s.sdk.GlobalSignOut(t.Context(), &cip.GlobalSignOutInput{AccessToken: aws.String(one.AccessToken)}))
	for _, token := range []string{one.AccessToken, other.AccessToken} {
		wantException(t, s.getUser(t, token), "NotAuthorizedException", "Access Token has been revoked")
	}
	if err := s.getUser(t, grace.AccessToken); err != nil {
		t.Errorf("somebody else's sign-in: %v", err)
	}
}

func TestAClientWithoutRevocationHasNoOrigin(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.Clients[0].RevocationDisabled = true }))
	tokens := s.SignIn(optional, optionalClient, "ada")
	claims := part(t, tokens.AccessToken, 1)
	if origin, there := claims["origin_jti"]; there || claims["auth_time"] == nil {
		t.Errorf("origin_jti %v, auth_time %v; want none and one", origin, claims["auth_time"])
	}
	_, err := s.sdk.RevokeToken(t.Context(), &cip.RevokeTokenInput{ClientId: aws.String(optionalClient), Token: aws.String(tokens.RefreshToken)})
	wantException(t, err, "UnsupportedOperationException", "")
	must[*cip.GlobalSignOutOutput](t)(s.sdk.GlobalSignOut(t.Context(), &cip.GlobalSignOutInput{AccessToken: aws.String(tokens.AccessToken)}))
	wantException(t, s.getUser(t, tokens.AccessToken), "NotAuthorizedException", "Access Token has been revoked")
}

// GetTokensFromRefreshTokenResponse of the model has one member.
func TestRefreshingGivesTokensAlone(t *testing.T) {
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").RefreshToken
	_, answer := postSigned(t, s, "GetTokensFromRefreshToken", `{"ClientId":"demo-optional","RefreshToken":"`+token+`"}`)
	members := map[string]any{}
	if err := json.Unmarshal([]byte(answer), &members); err != nil || len(members) != 1 || members["AuthenticationResult"] == nil {
		t.Error(answer)
	}
}
