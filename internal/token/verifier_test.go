package token_test

import (
	"errors"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/token"
)

// noon is the verifier's clock in these tests.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func TestVerifyReadsAGenuineToken(t *testing.T) {
	token := homeKey().token(accessTokenClaims(noon))
	got, err := readyVerifier(t, noon).Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	if got.Token.Reveal() != token {
		t.Error("the identity holds another token")
	}
	got.Token = ""
	want := enroll.Identity{
		PoolID: "eu-central-1_Home", ClientID: homeClient,
		Subject: subject, Username: "ada", SignIn: got.SignIn, // TestTokensOfOneSignInShareItsName
		AuthTime: noon, Expiry: noon.Add(time.Hour),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The stand-in issues what Cognito issues; here the keys come over a socket.
func TestVerifyTellsTheTokensOfASignInApart(t *testing.T) {
	const pool, client = "us-east-1_Optional", "demo-optional"
	issuer := "https://cognito-idp.us-east-1.amazonaws.com/" + pool
	standIn, err := cognitotest.New(cognitotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(standIn)
	defer server.Close()
	v := newVerifier(t, token.Options{
		Pools:     []token.Pool{{ID: pool, Issuers: []string{issuer}, KeyURLs: []string{server.URL + "/" + pool + "/.well-known/jwks.json"}}},
		ClientIDs: []string{client},
	})
	v.Start(t.Context())
	awaitReady(t, v)

	tokens := standIn.SignIn(pool, client, "grace")
	id, err := v.Verify(t.Context(), tokens.AccessToken)
	if err != nil {
		t.Fatalf("access token: %v", err)
	}
	if id.Username != "grace" || id.Subject != standIn.Subject(pool, "grace") || id.PoolID != pool || id.AuthTime.IsZero() {
		t.Errorf("identity %+v, want grace's", id)
	}
	_, err = v.Verify(t.Context(), tokens.IDToken)
	checkRefusal(t, err, enroll.WrongTokenUse, token.ReasonIDToken)
	_, err = v.Verify(t.Context(), tokens.RefreshToken)
	checkRefusal(t, err, enroll.WrongTokenUse, token.ReasonRefreshToken)

	standIn.RotateKeys(pool)
	rotated := standIn.SignIn(pool, client, "grace").AccessToken
	for name, token := range map[string]string{"before": tokens.AccessToken, "after": rotated} {
		// A machine may be so slow that the wait for the new key ends too soon.
		_, err := v.Verify(t.Context(), token)
		for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); {
			_, err = v.Verify(t.Context(), token)
		}
		if err != nil {
			t.Errorf("a token signed %s the rotation: %v", name, err)
		}
	}
	if n := standIn.JWKSFetches(); n != 2 {
		t.Errorf("%d fetches of the keys, want one at the start and one for the new key", n)
	}
}

func TestVerifyAccepts(t *testing.T) {
	v := readyVerifier(t, noon)
	genuine := accessTokenClaims(noon)
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for name, token := range map[string]string{
		"a second pool's token, by that pool's key": sisterKey().token(
			genuine.with("iss", sisterIssuer).with("client_id", sisterClient)),
		"the updated issuer, by the same pool's key": homeKey().token(genuine.with("iss", homeUpdated)),
		"the scope among others":                     homeKey().token(genuine.with("scope", "openid aws.cognito.signin.user.admin email")),
		"claims that nobody asked for":               homeKey().token(genuine.with("version", 2)),
		"groups":                                     homeKey().token(genuine.with("cognito:groups", []string{"a", "b"})),
		"groups that are none":                       homeKey().token(genuine.with("cognito:groups", "a")),
		"an audience, for a resource bound":          homeKey().token(genuine.with("aud", "https://api.example.com")),
		"a username of 128 characters":               homeKey().token(genuine.with("username", strings.Repeat("é", 128))),
		"nearly 24 KiB":                              homeKey().token(genuine.with("pad", strings.Repeat("x", 17600))),
		"a typ in the header":                        compact(`{"typ":"JWT","kid":"home-key","alg":"RS256"}`, genuine.json(), homeKey().rs256),
		"no iat":                                     homeKey().token(genuine.without("iat")),
		"expired 59 seconds ago":                     homeKey().token(genuine.with("exp", at(-59*time.Second))),
		"not before, in a minute":                    homeKey().token(genuine.with("nbf", at(time.Minute))),
		"issued in a minute":                         homeKey().token(genuine.with("iat", at(time.Minute))),
		"signed in in a minute":                      homeKey().token(genuine.with("auth_time", at(time.Minute))),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// What counts as one sign-in decides who may finish an enrollment.
func TestTokensOfOneSignInShareItsName(t *testing.T) {
	v := readyVerifier(t, noon)
	nameOf := func(c claims) string {
		t.Helper()
		id, err := v.Verify(t.Context(), homeKey().token(c))
		if err != nil {
			t.Fatal(err)
		}
		return id.SignIn
	}
	genuine := accessTokenClaims(noon)
	old := genuine.without("origin_jti") // of an app client without token revocation
	refreshed := func(c claims) claims { return c.with("jti", "another").with("iat", noon.Unix()+30) }
	first, second := nameOf(genuine), nameOf(old)
	for name, same := range map[string]bool{
		"refreshed":                       nameOf(refreshed(genuine)) == first,
		"refreshed after a switch":        nameOf(refreshed(genuine).with("iss", homeUpdated)) == first,
		"refreshed, by auth_time":         nameOf(refreshed(old)) == second,
		"refreshed at a later auth_time":  nameOf(refreshed(genuine).with("auth_time", noon.Unix()+30)) == first,
		"another sign-in":                 nameOf(genuine.with("origin_jti", "other")) != first,
		"another sign-in, by auth_time":   nameOf(old.with("auth_time", noon.Unix()+1)) != second,
		"another person in that second":   nameOf(old.with("sub", "somebody-else")) != second,
		"an origin_jti like an auth_time": nameOf(genuine.with("origin_jti", strconv.FormatInt(noon.Unix(), 10))) != second,
		"two tokens that name none":       nameOf(old.without("auth_time")) != nameOf(refreshed(old).without("auth_time")),
	} {
		if !same {
			t.Errorf("%s: the name of the sign-in is wrong", name)
		}
	}
	if strings.Contains(first, "b2c3d4e5") {
		t.Errorf("the name %q holds origin_jti", first)
	}
}

func TestVerifyWithoutAuthTimeKnowsNoTimeOfSigningIn(t *testing.T) {
	token := homeKey().token(accessTokenClaims(noon).without("auth_time"))
	got, err := readyVerifier(t, noon).Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	if !got.AuthTime.IsZero() {
		t.Errorf("AuthTime is %v, want none", got.AuthTime)
	}
}

func TestVerifyRefuses(t *testing.T) {
	v := readyVerifier(t, noon)
	for _, attacks := range [][]attack{
		attacksOnTheForm(), attacksOnTheAlgorithm(), attacksOnTheKey(), attacksOnTheHeader(),
		attacksOnTheClaims(), attacksOnTheTimes(), wrongKindsOfToken(),
	} {
		for _, a := range attacks {
			t.Run(a.reason+"/"+a.name, func(t *testing.T) {
				id, err := v.Verify(t.Context(), a.token)
				checkRefusal(t, err, a.kind, a.reason)
				if !reflect.DeepEqual(id, enroll.Identity{}) {
					t.Errorf("a refused token gave an identity: %+v", id)
				}
			})
		}
	}
}

func checkRefusal(t *testing.T, err error, kind enroll.Kind, reason string) {
	t.Helper()
	e, ok := errors.AsType[*enroll.Error](err)
	if !ok {
		t.Fatalf("error %v (%T), want an *enroll.Error", err, err)
	}
	if e.Kind != kind || e.Reason != reason {
		t.Errorf("got %s: %s, want %s: %s", e.Kind, e.Reason, kind, reason)
	}
	if e.Cause != nil {
		t.Errorf("the error carries a library's, which may quote the token: %v", e.Cause)
	}
}

func TestVerifyIsSafeForConcurrentUse(t *testing.T) {
	v := readyVerifier(t, noon)
	genuine := homeKey().token(accessTokenClaims(noon))
	forged := compact(homeKey().header(), accessTokenClaims(noon).json(), strayKey().rs256)
	unknown := strayKey().token(accessTokenClaims(noon))
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 20 {
				if _, err := v.Verify(t.Context(), genuine); err != nil {
					t.Errorf("genuine token refused: %v", err)
				}
				for _, token := range []string{forged, unknown} {
					if _, err := v.Verify(t.Context(), token); enroll.KindOf(err) != enroll.InvalidToken {
						t.Errorf("forged token: %v", err)
					}
				}
				v.KeyAge()
			}
		})
	}
	callers.Wait()
}

func BenchmarkVerify(b *testing.B) {
	v := readyVerifier(b, noon)
	token := homeKey().token(accessTokenClaims(noon))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyRefusesCheaply shows what a stranger's nonsense costs.
func BenchmarkVerifyRefusesCheaply(b *testing.B) {
	v := readyVerifier(b, noon)
	for name, token := range map[string]string{
		"alg none":    compact(`{"alg":"none"}`, accessTokenClaims(noon).json(), func(string) []byte { return nil }),
		"unknown kid": strayKey().token(accessTokenClaims(noon)),
		"too large":   strings.Repeat("A", 1<<20),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), token); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
