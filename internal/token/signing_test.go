package token_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"mfa-enrollment/internal/token"
)

// Two pools that the verifier knows, the first by both of its issuers, and one
// that it doesn't.
const (
	homeIssuer   = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Home"
	homeUpdated  = "https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Home"
	sisterIssuer = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Sister"
	alienIssuer  = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Alien"
	homeURL      = homeIssuer + "/.well-known/jwks.json"
	sisterURL    = sisterIssuer + "/.well-known/jwks.json"

	homeClient   = "1h57kf5cpq17m0eml12EXAMPLE"
	sisterClient = "2h57kf5cpq17m0eml12EXAMPLE"
	subject      = "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"
)

// signingKey is an RSA key under the kid that a key set lists it by.
type signingKey struct {
	kid     string
	private *rsa.PrivateKey
}

func newSigningKey(kid string, bits int) func() signingKey {
	return sync.OnceValue(func() signingKey {
		private, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		return signingKey{kid, private}
	})
}

// The keys, made when first asked for.
var (
	homeKey   = newSigningKey("home-key", 2048)
	nextKey   = newSigningKey("next-key", 2048) // what the home pool rotates to
	sisterKey = newSigningKey("sister-key", 2048)
	strayKey  = newSigningKey("stray-key", 2048) // of no pool
)

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// compact joins a header and a payload, as they are, with a signature of both.
func compact(header, payload string, sign func(text string) []byte) string {
	text := base64url([]byte(header)) + "." + base64url([]byte(payload))
	return text + "." + base64url(sign(text))
}

// signWith signs by any method; a method that can't is a mistake of the test.
func signWith(method jwt.SigningMethod, key any) func(string) []byte {
	return func(text string) []byte {
		signature, err := method.Sign(text, key)
		if err != nil {
			panic(err)
		}
		return signature
	}
}

func (k signingKey) rs256(text string) []byte {
	return signWith(jwt.SigningMethodRS256, k.private)(text)
}

func (k signingKey) header() string { return `{"kid":"` + k.kid + `","alg":"RS256"}` }

// token signs claims, genuinely.
func (k signingKey) token(c claims) string { return compact(k.header(), c.json(), k.rs256) }

// jwk is the key as a key set lists it.
func (k signingKey) jwk() map[string]any {
	return map[string]any{
		"kid": k.kid, "kty": "RSA", "alg": "RS256", "use": "sig",
		"n": base64url(k.private.N.Bytes()),
		"e": base64url(big.NewInt(int64(k.private.E)).Bytes()),
	}
}

func (k signingKey) jwkWith(name string, value any) map[string]any {
	jwk := k.jwk()
	jwk[name] = value
	return jwk
}

func keySetOf(jwks ...map[string]any) string {
	b, err := json.Marshal(map[string]any{"keys": jwks})
	if err != nil {
		panic(err)
	}
	return string(b)
}

type claims map[string]any

// accessTokenClaims are those of an access token that Cognito issued at a time.
func accessTokenClaims(issued time.Time) claims {
	return claims{
		"iss": homeIssuer, "sub": subject, "client_id": homeClient, "username": "ada",
		"token_use": "access", "scope": "aws.cognito.signin.user.admin",
		"auth_time": issued.Unix(), "iat": issued.Unix(), "exp": issued.Add(time.Hour).Unix(),
		"origin_jti": "b2c3d4e5", "event_id": "c3d4e5f6", "jti": "d4e5f6a7",
	}
}

func (c claims) with(name string, value any) claims {
	c = maps.Clone(c)
	c[name] = value
	return c
}

func (c claims) without(names ...string) claims {
	c = maps.Clone(c)
	for _, name := range names {
		delete(c, name)
	}
	return c
}

func (c claims) json() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// keyEndpoint answers for the pools' key sets, in memory, as a client's
// transport: so time can be made up around it (testing/synctest).
type keyEndpoint struct {
	mu      sync.Mutex
	answers map[string]http.HandlerFunc // by URL
	down    map[string]bool
	fetches map[string]int
}

func newKeyEndpoint() *keyEndpoint {
	e := &keyEndpoint{answers: map[string]http.HandlerFunc{}, down: map[string]bool{}, fetches: map[string]int{}}
	e.serve(homeURL, keySetOf(homeKey().jwk()))
	e.serve(sisterURL, keySetOf(sisterKey().jwk()))
	return e
}

func (e *keyEndpoint) serve(keysURL, body string) {
	e.handle(keysURL, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
}

func (e *keyEndpoint) handle(keysURL string, answer http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answers[keysURL] = answer
}

func (e *keyEndpoint) setDown(keysURL string, down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down[keysURL] = down
}

func (e *keyEndpoint) fetched(keysURL string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fetches[keysURL]
}

// RoundTrip implements http.RoundTripper.
func (e *keyEndpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	address := r.URL.String()
	e.fetches[address]++
	answer, down := e.answers[address], e.down[address]
	e.mu.Unlock()
	if down {
		return nil, errors.New("connection refused")
	}
	recorder := httptest.NewRecorder()
	answer(recorder, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

// verifierOptions are those of a service with two pools behind an endpoint.
func verifierOptions(e *keyEndpoint) token.Options {
	return token.Options{
		Pools: []token.Pool{
			{ID: "eu-central-1_Home", Issuers: []string{homeIssuer, homeUpdated}, KeyURLs: []string{homeURL}},
			{ID: "eu-central-1_Sister", Issuers: []string{sisterIssuer}, KeyURLs: []string{sisterURL}},
		},
		ClientIDs:  []string{homeClient, sisterClient},
		HTTPClient: &http.Client{Transport: e},
	}
}

func newVerifier(tb testing.TB, o token.Options) *token.Verifier {
	tb.Helper()
	v, err := token.New(o)
	if err != nil {
		tb.Fatalf("New: %v", err)
	}
	return v
}

// readyVerifier has the keys of both pools, and a clock that stands still.
func readyVerifier(tb testing.TB, now time.Time) *token.Verifier {
	tb.Helper()
	o := verifierOptions(newKeyEndpoint())
	o.Now = func() time.Time { return now }
	v := newVerifier(tb, o)
	v.Start(tb.Context())
	awaitReady(tb, v)
	return v
}

func awaitReady(tb testing.TB, v *token.Verifier) {
	tb.Helper()
	for deadline := time.Now().Add(time.Minute); v.Ready() != nil; runtime.Gosched() {
		if time.Now().After(deadline) {
			tb.Fatalf("still not ready: %v", v.Ready())
		}
	}
}
