package app_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"mfa-enrollment/test/world"
)

// Each wrong token gets its own problem, and no call is spent on any.
func TestWrongTokensAreNamedAndCostNothing(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	good := w.Cognito.SignIn(world.Optional, world.OptionalClient, "ada")
	resign := func(method jwt.SigningMethod, key any) string {
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(good.AccessToken, claims); err != nil {
			t.Fatal(err)
		}
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"] = w.Cognito.KeyID(world.Optional)
		signed, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	block, _ := pem.Decode(w.Cognito.PublicKeyPEM(world.Optional))
	if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		t.Fatal(err)
	}
	forged := good.AccessToken[:len(good.AccessToken)-8] + "AAAAAAAA"

	tests := map[string]struct {
		token  string
		status int
		code   string
		hint   string // part of it
	}{
		"the ID token":              {good.IDToken, 401, "wrong_token_use", "ID token"},
		"the refresh token":         {good.RefreshToken, 401, "wrong_token_use", "refresh token"},
		"no scope":                  {w.Cognito.Mint(world.Optional, map[string]any{"scope": "openid profile"}), 403, "insufficient_scope", "aws.cognito.signin.user.admin"},
		"another pool":              {w.Cognito.Mint(world.Optional, map[string]any{"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"}), 401, "invalid_token", "COGNITO_USER_POOL_IDS"},
		"the key of another pool":   {w.Cognito.Mint(world.Required, map[string]any{"iss": "https://cognito-idp.us-east-1.amazonaws.com/" + world.Optional}), 401, "invalid_token", "key"},
		"another client":            {w.Cognito.Mint(world.Optional, map[string]any{"client_id": "somebody-else"}), 401, "invalid_token", "COGNITO_CLIENT_IDS"},
		"expired":                   {w.Cognito.Mint(world.Optional, map[string]any{"exp": w.Clock.Now().Add(-2 * time.Minute).Unix()}), 401, "invalid_token", "expired"},
		"a bad signature":           {forged, 401, "invalid_token", "signature"},
		"alg none":                  {resign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), 401, "invalid_token", ""},
		"HS256 with the public key": {resign(jwt.SigningMethodHS256, w.Cognito.PublicKeyPEM(world.Optional)), 401, "invalid_token", "RS256"},
		"garbled":                   {"not-a-token", 401, "invalid_token", "not a Cognito access token"},
		"100 KB":                    {strings.Repeat("a", 100<<10), 401, "invalid_token", "24 KiB"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := w.Begin(test.token, nil)
			if r.Status != test.status {
				t.Fatalf("status %d, want %d: %s", r.Status, test.status, r.Body)
			}
			if got := r.Code(t); got != test.code {
				t.Errorf("code %s, want %s", got, test.code)
			}
			if hint := r.JSON(t)["hint"].(string); !strings.Contains(hint, test.hint) {
				t.Errorf("hint %q does not mention %q", hint, test.hint)
			}
			if challenge := r.Header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer ") {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
			if strings.Contains(string(r.Body), test.token) {
				t.Error("the reply repeats the token")
			}
		})
	}
	for name, authorization := range map[string]string{"empty": "Bearer ", "only the scheme": "Bearer", "another scheme": "Basic YTpi"} {
		t.Run(name, func(t *testing.T) {
			r := w.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp", Header: map[string][]string{"Authorization": {authorization}}})
			if r.Status != 401 || r.Code(t) != "missing_credential" {
				t.Errorf("status %d: %s", r.Status, r.Body)
			}
		})
	}
	if calls := w.Cognito.Calls(""); calls != 0 {
		t.Errorf("%d calls were spent on wrong tokens", calls)
	}
}

func TestExactlyOneCredential(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
	both := w.Begin(token, world.Object{"session": session})
	if both.Status != 400 || both.Code(t) != "two_credentials" {
		t.Errorf("both: status %d: %s", both.Status, both.Body)
	}
	neither := w.Begin("", nil)
	if neither.Status != 401 || neither.Code(t) != "missing_credential" {
		t.Errorf("neither: status %d: %s", neither.Status, neither.Body)
	}
	if w.Cognito.Calls("") != 0 {
		t.Error("calls were spent")
	}
}

func TestALeewayOfAMinute(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	token := w.Cognito.Mint(world.Optional, map[string]any{"exp": w.Clock.Now().Add(-50 * time.Second).Unix()})
	// The service lets it through; whether it is good is then Cognito's to say.
	w.Begin(token, nil)
	if w.Cognito.Calls("AssociateSoftwareToken") != 1 {
		t.Error("a token that expired 50 s ago was refused before the call")
	}
}
