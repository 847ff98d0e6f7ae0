package app_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Each wrong token gets its own problem, and no call is spent on any.
func TestWrongTokensAreNamedAndCostNothing(t *testing.T) {
	w := newWorld(t, nil)
	good := w.cognito.SignIn(optional, optionalClient, "ada")
	resign := func(method jwt.SigningMethod, key any) string {
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(good.AccessToken, claims); err != nil {
			t.Fatal(err)
		}
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"] = w.cognito.KeyID(optional)
		signed, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	block, _ := pem.Decode(w.cognito.PublicKeyPEM(optional))
	if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		t.Fatal(err)
	}
	forged := good.AccessToken[:len(good.AccessToken)-8] + "AAAAAAAA"

	tests := map[string]struct {
		token  string
		status int
		code   string
		detail string // part of it
	}{
		"the ID token":              {good.IDToken, 401, "wrong_token_use", "ID token"},
		"the refresh token":         {good.RefreshToken, 401, "wrong_token_use", "refresh token"},
		"no scope":                  {w.cognito.Mint(optional, map[string]any{"scope": "openid profile"}), 403, "insufficient_scope", "aws.cognito.signin.user.admin"},
		"another pool":              {w.cognito.Mint(optional, map[string]any{"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"}), 401, "invalid_token", "another user pool"},
		"the key of another pool":   {w.cognito.Mint(required, map[string]any{"iss": "https://cognito-idp.us-east-1.amazonaws.com/" + optional}), 401, "invalid_token", "key"},
		"another client":            {w.cognito.Mint(optional, map[string]any{"client_id": "somebody-else"}), 401, "invalid_token", "another app client"},
		"expired":                   {w.cognito.Mint(optional, map[string]any{"exp": w.clock.Now().Add(-2 * time.Minute).Unix()}), 401, "invalid_token", "expired"},
		"a bad signature":           {forged, 401, "invalid_token", "signature"},
		"alg none":                  {resign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), 401, "invalid_token", ""},
		"HS256 with the public key": {resign(jwt.SigningMethodHS256, w.cognito.PublicKeyPEM(optional)), 401, "invalid_token", "RS256"},
		"garbled":                   {"not-a-token", 401, "invalid_token", "not a Cognito access token"},
		"100 KB":                    {strings.Repeat("a", 100<<10), 401, "invalid_token", "too long"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := w.begin(test.token, nil)
			if r.status != test.status {
				t.Fatalf("status %d, want %d: %s", r.status, test.status, r.body)
			}
			if got := r.code(t); got != test.code {
				t.Errorf("code %s, want %s", got, test.code)
			}
			if detail := r.json(t)["detail"].(string); !strings.Contains(detail, test.detail) {
				t.Errorf("detail %q does not mention %q", detail, test.detail)
			}
			if challenge := r.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Bearer ") {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
			if strings.Contains(string(r.body), test.token) {
				t.Error("the reply repeats the token")
			}
		})
	}
	for name, authorization := range map[string]string{"empty": "Bearer ", "only the scheme": "Bearer", "another scheme": "Basic YTpi"} {
		t.Run(name, func(t *testing.T) {
			r := w.do(request{method: "POST", path: "/v1/mfa/totp", header: map[string][]string{"Authorization": {authorization}}})
			if r.status != 401 || r.code(t) != "missing_credential" {
				t.Errorf("status %d: %s", r.status, r.body)
			}
		})
	}
	if calls := w.cognito.Calls(""); calls != 0 {
		t.Errorf("%d calls were spent on wrong tokens", calls)
	}
}

func TestExactlyOneCredential(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(optional, optionalClient, "ada")
	session := w.cognito.Session(required, requiredClient, "grace")
	both := w.begin(token, object{"session": session})
	if both.status != 400 || both.code(t) != "two_credentials" {
		t.Errorf("both: status %d: %s", both.status, both.body)
	}
	neither := w.begin("", nil)
	if neither.status != 401 || neither.code(t) != "missing_credential" {
		t.Errorf("neither: status %d: %s", neither.status, neither.body)
	}
	if w.cognito.Calls("") != 0 {
		t.Error("calls were spent")
	}
}

func TestALeewayOfAMinute(t *testing.T) {
	w := newWorld(t, nil)
	token := w.cognito.Mint(optional, map[string]any{"exp": w.clock.Now().Add(-50 * time.Second).Unix()})
	// The service lets it through; whether it is good is then Cognito's to say.
	w.begin(token, nil)
	if w.cognito.Calls("AssociateSoftwareToken") != 1 {
		t.Error("a token that expired 50 s ago was refused before the call")
	}
}
