package cognitotest

import (
	"crypto/subtle"
	"strings"
)

// initiateRefresh is the flow of InitiateAuth that sends a refresh token.
func (s *Server) initiateRefresh(c *client, parameters map[string]string) (any, error) {
	token := parameters["REFRESH_TOKEN"]
	if token == "" {
		return nil, missing("REFRESH_TOKEN")
	}
	g, err := s.refreshable(c, token, parameters["DEVICE_KEY"])
	if err != nil {
		return nil, err
	}
	// The request need not name the user, whose name or subject is in the hash.
	if err := c.checkSecretHash(g.account.Username, parameters); err != nil && c.checkSecretHash(g.account.sub, parameters) != nil {
		return nil, err
	}
	result := s.tokensOf(g)
	return authOutput{AuthenticationResult: &result, ChallengeParameters: map[string]string{}}, nil
}

type getTokensFromRefreshTokenInput struct {
	ClientID     string `json:"ClientId" shape:"ClientIdType,required"`
	ClientSecret string
	DeviceKey    string `shape:"DeviceKeyType"`
	RefreshToken string `shape:"TokenModelType,required"`
}

// getTokensFromRefreshToken is what Amplify refreshes with. The stand-in does
// not rotate refresh tokens, which is how a pool is by default:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetTokensFromRefreshToken.html
func (s *Server) getTokensFromRefreshToken(in *getTokensFromRefreshTokenInput) (any, error) {
	c, err := s.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	if !c.hasSecret(in.ClientSecret) {
		return nil, wrongSecretHash(c)
	}
	g, err := s.refreshable(c, in.RefreshToken, in.DeviceKey)
	if err != nil {
		return nil, err
	}
	result := s.tokensOf(g)
	return authOutput{AuthenticationResult: &result}, nil
}

// refreshable finds the grant of a refresh token that is still good, and from the
// device that signed in with it. The caller holds s.mu.
func (s *Server) refreshable(c *client, token, deviceKey string) (*grant, error) {
	g := s.grants[token]
	switch {
	case g == nil || g.client != c || !g.isFrom(deviceKey):
		return nil, notAuthorized("Invalid Refresh Token")
	case s.revoked[g.event]:
		return nil, notAuthorized("Refresh Token has been revoked")
	case !s.now().Before(g.expires):
		return nil, notAuthorized("Refresh Token has expired")
	}
	return g, g.account.usable()
}

type revokeTokenInput struct {
	ClientID     string `json:"ClientId" shape:"ClientIdType,required"`
	ClientSecret string
	Token        string `shape:"TokenModelType,required"`
}

// revokeToken ends one sign-in: its refresh token and every access token of it.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RevokeToken.html
func (s *Server) revokeToken(in *revokeTokenInput) (any, error) {
	c := s.clients[in.ClientID]
	g := s.grants[in.Token]
	switch {
	case c != nil && c.RevocationDisabled:
		return nil, &exception{name: "UnsupportedOperationException", message: "Token revocation is not enabled for this client."}
	case c == nil || !c.hasSecret(in.ClientSecret):
		return nil, &exception{name: "UnauthorizedException", message: "Invalid client."}
	case g == nil && strings.Count(in.Token, ".") == 2:
		return nil, &exception{name: "UnsupportedTokenTypeException", message: "Only refresh tokens can be revoked."}
	case g == nil || g.client != c:
		return nil, invalidParameter("Invalid Refresh Token")
	}
	s.revoked[g.event] = true
	return struct{}{}, nil
}

type globalSignOutInput struct {
	AccessToken string `shape:"TokenModelType,required"`
}

// globalSignOut ends all of a user's sign-ins.
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GlobalSignOut.html
func (s *Server) globalSignOut(in *globalSignOutInput) (any, error) {
	a, _, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	s.signOut(a)
	return struct{}{}, nil
}

// hasSecret compares the client's secret, in the operations that send it as it
// is; a client without one takes none.
func (c *client) hasSecret(given string) bool {
	return subtle.ConstantTimeCompare([]byte(c.Secret), []byte(given)) == 1
}
