package cognitotest_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/golang-jwt/jwt/v5"

	"mfa-enrollment/cognito/cognitotest"
)

// part decodes one of the three parts of a token.
func part(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	var m map[string]any
	if err := json.Unmarshal(must[[]byte](t)(base64.RawURLEncoding.DecodeString(parts[i])), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func wantClaims(t *testing.T, got, want map[string]any) {
	t.Helper()
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, name := range []string{"sub", "jti", "origin_jti", "event_id"} {
		if value, _ := got[name].(string); !uuid.MatchString(value) {
			t.Errorf("%s = %v, want a UUID", name, got[name])
		}
		delete(got, name)
	}
	gotJSON, _ := json.Marshal(got)
	wantJSON, _ := json.Marshal(want)
	if !bytes.Equal(gotJSON, wantJSON) {
		t.Errorf("claims\n got %s\nwant %s", gotJSON, wantJSON)
	}
}

func TestTokensHaveCognitosHeaderAndClaims(t *testing.T) {
	s := start(t)
	tokens := s.SignIn(optional, optionalClient, "ada")
	now := s.clock.now().Unix()

	header, _ := json.Marshal(part(t, tokens.AccessToken, 0))
	if want, _ := json.Marshal(map[string]any{"alg": "RS256", "kid": s.KeyID(optional)}); !bytes.Equal(header, want) {
		t.Errorf("header %s, want %s", header, want)
	}
	wantClaims(t, part(t, tokens.AccessToken, 1), map[string]any{
		"auth_time": now, "exp": now + 3600, "iat": now,
		"client_id": optionalClient,
		"iss":       "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Optional",
		"scope":     "aws.cognito.signin.user.admin",
		"token_use": "access",
		"username":  "ada",
	})
	wantClaims(t, part(t, tokens.IDToken, 1), map[string]any{
		"auth_time": now, "exp": now + 3600, "iat": now,
		"aud":              optionalClient,
		"cognito:username": "ada",
		"email":            "ada@example.com",
		"email_verified":   true,
		"iss":              "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Optional",
		"token_use":        "id",
	})
	if n := strings.Count(tokens.RefreshToken, "."); n != 4 {
		t.Errorf("the refresh token has %d dots, want the 4 of a JWE", n)
	}
	if n := s.Calls(""); n != 0 {
		t.Errorf("SignIn counted as %d calls", n)
	}
}

func TestSubjectsAreTheSameForTheSameRandomness(t *testing.T) {
	seed := func(o *cognitotest.Options) { o.Rand = zeros{} }
	if a, b := start(t, seed), start(t, seed); a.Subject(optional, "ada") != b.Subject(optional, "ada") {
		t.Error("the subjects differ")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// fetchKeys reads a pool's key set from where a verifier would.
func fetchKeys(t *testing.T, s *standIn, poolID string) map[string]*rsa.PublicKey {
	t.Helper()
	res := must[*http.Response](t)(http.Get(s.url + "/" + poolID + "/.well-known/jwks.json"))
	defer func() { _ = res.Body.Close() }()
	var set struct {
		Keys []struct{ Kid, N, E, Kty, Alg, Use string }
	}
	if err := json.NewDecoder(res.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	number := func(text string) *big.Int {
		return new(big.Int).SetBytes(must[[]byte](t)(base64.RawURLEncoding.DecodeString(text)))
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		if k.Kty != "RSA" || k.Alg != "RS256" || k.Use != "sig" {
			t.Errorf("key %+v, want an RSA key for RS256 signatures", k)
		}
		keys[k.Kid] = &rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())}
	}
	return keys
}

func TestPublishedKeysVerifyTokensAcrossRotations(t *testing.T) {
	s := start(t)
	before := s.SignIn(optional, optionalClient, "ada").AccessToken
	s.RotateKeys(optional)
	after := s.SignIn(optional, optionalClient, "ada").AccessToken

	keys := fetchKeys(t, s, optional)
	for name, token := range map[string]string{"before": before, "after": after} {
		_, err := jwt.Parse(token, func(t *jwt.Token) (any, error) { return keys[t.Header["kid"].(string)], nil },
			jwt.WithTimeFunc(s.clock.now), jwt.WithValidMethods([]string{"RS256"}))
		if err != nil {
			t.Errorf("token from %s the rotation: %v", name, err)
		}
		if _, err := s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: aws.String(token)}); err != nil {
			t.Errorf("token from %s the rotation: %v", name, err)
		}
	}
	if part(t, before, 0)["kid"] == part(t, after, 0)["kid"] {
		t.Error("the rotation kept the key")
	}
	if n := s.JWKSFetches(); n != 1 {
		t.Errorf("JWKSFetches() = %d, want 1", n)
	}
}

func TestDiscoveryNamesAWSAsIssuerAndThisServersKeys(t *testing.T) {
	s := start(t)
	res := must[*http.Response](t)(http.Get(s.url + "/" + optional + "/.well-known/openid-configuration"))
	defer func() { _ = res.Body.Close() }()
	var document map[string]any
	if err := json.Unmarshal(must[[]byte](t)(io.ReadAll(res.Body)), &document); err != nil {
		t.Fatal(err)
	}
	if got := document["issuer"]; got != "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Optional" {
		t.Errorf("issuer = %v", got)
	}
	if got := document["jwks_uri"]; got != s.url+"/us-east-1_Optional/.well-known/jwks.json" {
		t.Errorf("jwks_uri = %v", got)
	}
}

func TestDocumentsOfUnknownPoolsAreNotFound(t *testing.T) {
	s := start(t)
	for _, document := range []string{"jwks.json", "openid-configuration", "other"} {
		res := must[*http.Response](t)(http.Get(s.url + "/us-east-1_Nobody/.well-known/" + document))
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s, want 404", document, res.Status)
		}
	}
}

func TestAccessTokensAreRefused(t *testing.T) {
	forge := func(s *standIn, method jwt.SigningMethod, kid string, key any) string {
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(s.Mint(optional, nil), claims); err != nil {
			panic(err)
		}
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"] = kid
		signed, err := token.SignedString(key)
		if err != nil {
			panic(err)
		}
		return signed
	}
	tests := map[string]struct {
		token   func(*standIn) string
		message string
	}{
		"an ID token": {
			token:   func(s *standIn) string { return s.SignIn(optional, optionalClient, "ada").IDToken },
			message: "Invalid Access Token",
		},
		"a refresh token": {
			token:   func(s *standIn) string { return s.SignIn(optional, optionalClient, "ada").RefreshToken },
			message: "Invalid Access Token",
		},
		"no token at all": {
			token:   func(*standIn) string { return "nonsense" },
			message: "Invalid Access Token",
		},
		"another issuer's": {
			token:   func(s *standIn) string { return s.Mint(optional, map[string]any{"iss": "https://example.com"}) },
			message: "Invalid Access Token",
		},
		"one of a key that the pool does not have": {
			token: func(s *standIn) string {
				return forge(s, jwt.SigningMethodRS256, "unknown", s.Key(optional))
			},
			message: "Invalid Access Token",
		},
		"one signed with HMAC and the public key": {
			token: func(s *standIn) string {
				return forge(s, jwt.SigningMethodHS256, s.KeyID(optional), s.PublicKeyPEM(optional))
			},
			message: "Invalid Access Token",
		},
		"an unsigned one": {
			token: func(s *standIn) string {
				return forge(s, jwt.SigningMethodNone, s.KeyID(optional), jwt.UnsafeAllowNoneSignatureType)
			},
			message: "Invalid Access Token",
		},
		"one whose signature was changed": {
			token: func(s *standIn) string {
				token := s.Mint(optional, nil)
				return token[:len(token)-8] + "AAAAAAAA"
			},
			message: "Invalid Access Token",
		},
		"an expired one": {
			token:   func(s *standIn) string { return s.Mint(optional, map[string]any{"exp": s.clock.now().Unix()}) },
			message: "Access Token has expired",
		},
		"one without an expiry": {
			token:   func(s *standIn) string { return s.Mint(optional, map[string]any{"exp": nil}) },
			message: "Access Token has expired",
		},
		"one of the hosted sign-in without the scope": {
			token:   func(s *standIn) string { return s.Mint(optional, map[string]any{"scope": "openid email"}) },
			message: "Access Token does not have required scopes",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			_, err := s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: aws.String(test.token(s))})
			wantException(t, err, "NotAuthorizedException", test.message)
			_, err = s.sdk.AssociateSoftwareToken(t.Context(), &cip.AssociateSoftwareTokenInput{AccessToken: aws.String(test.token(s))})
			wantException(t, err, "NotAuthorizedException", test.message)
		})
	}
}

func TestAccessTokensExpire(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.Clients[0].AccessTokenValidity = 5 * time.Minute }))
	token := aws.String(s.SignIn(optional, optionalClient, "ada").AccessToken)
	s.clock.advance(5*time.Minute - time.Second)
	must[*cip.GetUserOutput](t)(s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: token}))
	s.clock.advance(time.Second)
	_, err := s.sdk.GetUser(t.Context(), &cip.GetUserInput{AccessToken: token})
	wantException(t, err, "NotAuthorizedException", "Access Token has expired")
}

func TestMintedTokensSpeakForTheUserTheyName(t *testing.T) {
	s := start(t)
	claims := part(t, s.Mint(optional, map[string]any{"username": "grace", "extra": 1}), 1)
	if claims["sub"] != s.Subject(optional, "grace") || claims["extra"] != 1.0 {
		t.Errorf("claims %v, want grace's", claims)
	}
}
