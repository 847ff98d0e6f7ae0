package cognitotest

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// apiScope is the scope that every operation on an access token asks for. Tokens
// of an API sign-in carry it and nothing else.
const apiScope = "aws.cognito.signin.user.admin"

// Tokens are what a finished sign-in gives.
type Tokens struct {
	AccessToken  string
	IDToken      string
	RefreshToken string
	DeviceKey    string // empty where the pool remembers no devices
}

// grant is a finished sign-in: what a refresh token stands for. Its event is in
// every token made from it, so that they can be revoked together.
type grant struct {
	account  *account
	client   *client
	device   string // the key of the device, empty where the pool remembers none
	scope    string
	origin   string
	event    string
	signedIn time.Time
	expires  time.Time
}

// authenticationResult is a sign-in's tokens as the API gives them.
type authenticationResult struct {
	AccessToken       string
	ExpiresIn         int
	IDToken           string             `json:"IdToken"`
	NewDeviceMetadata *newDeviceMetadata `json:",omitempty"`
	RefreshToken      string             `json:",omitempty"`
	TokenType         string
}

// grantTokens finishes a sign-in from a device that the pool remembers, or from
// a new one when device is empty. The caller holds s.mu.
func (s *Server) grantTokens(c *client, a *account, device string) authenticationResult {
	var added *newDeviceMetadata
	if device == "" && c.pool.Devices != nil {
		added = s.addDevice(c.pool, a)
		device = added.DeviceKey
	}
	g, refresh := s.grant(c, a, device, apiScope)
	result := s.tokensOf(g)
	result.RefreshToken, result.NewDeviceMetadata = refresh, added
	return result
}

// grant makes a finished sign-in and its refresh token. The caller holds s.mu.
func (s *Server) grant(c *client, a *account, device, scope string) (*grant, string) {
	g := &grant{
		account:  a,
		client:   c,
		device:   device,
		scope:    scope,
		origin:   s.uuid(),
		event:    s.uuid(),
		signedIn: s.now(),
		expires:  s.now().Add(c.RefreshTokenValidity),
	}
	refresh := s.opaqueToken()
	s.grants[refresh] = g
	a.SignIns = append(a.SignIns, g.event)
	return g, refresh
}

// tokensOf makes an access token and an ID token of a grant. The caller holds
// s.mu.
func (s *Server) tokensOf(g *grant) authenticationResult {
	return authenticationResult{
		AccessToken: g.client.pool.sign(s.accessClaims(g)),
		IDToken:     g.client.pool.sign(s.idClaims(g)),
		ExpiresIn:   int(g.client.AccessTokenValidity / time.Second),
		TokenType:   "Bearer",
	}
}

// accessClaims are the claims of an access token, which has no aud:
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
func (s *Server) accessClaims(g *grant) jwt.MapClaims {
	claims := s.commonClaims(g, "access", g.client.AccessTokenValidity)
	claims["client_id"] = g.client.ID
	claims["scope"] = g.scope
	claims["username"] = g.account.Username
	if g.device != "" {
		claims["device_key"] = g.device
	}
	return claims
}

// idClaims are the claims of an ID token, which says who the user is:
// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
func (s *Server) idClaims(g *grant) jwt.MapClaims {
	claims := jwt.MapClaims{}
	for name, value := range g.account.Attributes {
		claims[name] = value
		if strings.HasSuffix(name, "_verified") { // attributes are strings, these claims are not
			claims[name] = value == "true"
		}
	}
	maps.Copy(claims, s.commonClaims(g, "id", g.client.IDTokenValidity)) // over attributes of the same names
	claims["aud"] = g.client.ID
	claims["cognito:username"] = g.account.Username
	return claims
}

func (s *Server) commonClaims(g *grant, use string, life time.Duration) jwt.MapClaims {
	claims := jwt.MapClaims{
		"auth_time": g.signedIn.Unix(),
		"event_id":  g.event,
		"exp":       s.now().Add(life).Unix(),
		"iat":       s.now().Unix(),
		"iss":       g.client.pool.issuer(),
		"jti":       s.uuid(),
		"sub":       g.account.sub,
		"token_use": use,
	}
	if !g.client.RevocationDisabled {
		claims["origin_jti"] = g.origin
	}
	if groups := g.account.groups(g.client.pool.ID); len(groups) > 0 {
		claims["cognito:groups"] = groups
	}
	return claims
}

// sign makes a token of claims, with exactly the header that Cognito's have: alg
// and kid, no typ.
func (p *pool) sign(claims jwt.MapClaims) string {
	key := p.signer()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header = map[string]any{"alg": "RS256", "kid": key.kid}
	signed, err := token.SignedString(key.private)
	if err != nil {
		panic("cognitotest: sign a token: " + err.Error()) // claims that are not JSON
	}
	return signed
}

// opaqueToken makes a refresh token: it has the shape of Cognito's, a JWE of
// five parts that nobody else can read, and means nothing. The caller holds s.mu.
func (s *Server) opaqueToken() string {
	b64 := base64.RawURLEncoding
	parts := []string{b64.EncodeToString([]byte(`{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}`))}
	for _, n := range []int{256, 12, 512, 16} { // wrapped key, nonce, ciphertext, tag
		parts = append(parts, b64.EncodeToString(s.random(n)))
	}
	return strings.Join(parts, ".")
}

// authorize finds the account that an access token speaks for and its pool, or
// says in Cognito's words what is wrong with the token. The caller holds s.mu.
func (s *Server) authorize(token string) (*account, *pool, error) {
	claims := jwt.MapClaims{}
	var p *pool
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation()).
		ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
			issuer, _ := claims.GetIssuer()
			kid, _ := t.Header["kid"].(string)
			if p = s.issuedBy(issuer); p == nil || p.key(kid) == nil {
				return nil, jwt.ErrTokenUnverifiable
			}
			return p.key(kid), nil
		})
	if err != nil || claims["token_use"] != "access" {
		return nil, nil, notAuthorized("Invalid Access Token")
	}
	if exp, err := claims.GetExpirationTime(); err != nil || exp == nil || !s.now().Before(exp.Time) {
		return nil, nil, notAuthorized("Access Token has expired")
	}
	if event, _ := claims["event_id"].(string); s.revoked[event] {
		return nil, nil, notAuthorized("Access Token has been revoked")
	}
	if scope, _ := claims["scope"].(string); !slices.Contains(strings.Fields(scope), apiScope) {
		return nil, nil, notAuthorized("Access Token does not have required scopes")
	}
	username, _ := claims["username"].(string)
	a := p.accounts[username]
	switch {
	case a == nil || claims["sub"] != a.sub: // a namesake of a deleted user is somebody else
		return nil, nil, userNotFound()
	case a.Disabled:
		return nil, nil, notAuthorized("User is disabled.")
	}
	return a, p, nil
}

// SignIn signs a user in without a call of the API, whatever state the user is
// in. It panics when there is no such pool, client of that pool, or user.
func (s *Server) SignIn(poolID, clientID, username string) Tokens {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.mustAccount(poolID, username)
	t := s.grantTokens(s.mustClient(poolID, clientID), a, "")
	tokens := Tokens{AccessToken: t.AccessToken, IDToken: t.IDToken, RefreshToken: t.RefreshToken}
	if t.NewDeviceMetadata != nil {
		tokens.DeviceKey = t.NewDeviceMetadata.DeviceKey
	}
	return tokens
}

// Mint signs a token with exactly Cognito's header. Its claims are those of an
// access token of the pool's first client and first user (or of the user that
// claims name), with claims laid over them; a nil value removes a claim. It
// panics when there is no such pool, or it has no client or no user.
func (s *Server) Mint(poolID string, claims map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.mustPool(poolID)
	if len(p.Clients) == 0 || len(p.Users) == 0 {
		panic("cognitotest: Mint: the pool " + poolID + " has no client or no user")
	}
	username, _ := claims["username"].(string)
	a := p.accounts[username]
	if a == nil {
		a = s.mustAccount(poolID, p.Users[0].Username)
	}
	minted := s.accessClaims(&grant{
		account:  a,
		client:   s.clients[p.Clients[0].ID],
		scope:    apiScope,
		origin:   s.uuid(),
		event:    s.uuid(),
		signedIn: s.now(),
	})
	maps.Copy(minted, claims)
	maps.DeleteFunc(minted, func(_ string, value any) bool { return value == nil })
	if event, ok := minted["event_id"].(string); ok {
		a.SignIns = append(a.SignIns, event)
	}
	return p.sign(minted)
}
