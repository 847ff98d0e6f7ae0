package token_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/token"
)

// startVerifier starts a verifier within a synctest bubble and waits until its
// first fetches are over, whatever came of them.
func startVerifier(t *testing.T, o token.Options) *token.Verifier {
	t.Helper()
	v := newVerifier(t, o)
	v.Start(t.Context())
	synctest.Wait()
	return v
}

// pass lets time go by within a synctest bubble, and all that was due be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func verifyNow(t *testing.T, v *token.Verifier, key signingKey) error {
	t.Helper()
	_, err := v.Verify(t.Context(), key.token(accessTokenClaims(time.Now())))
	return err
}

// hang answers a request when its sender gives up.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestNewVerifierRefusesOptionsThatCannotWork(t *testing.T) {
	valid := func() token.Options { return verifierOptions(newKeyEndpoint()) }
	newVerifier(t, valid())
	for name, spoil := range map[string]func(*token.Options){
		"no pool":                   func(o *token.Options) { o.Pools = nil },
		"a pool without id":         func(o *token.Options) { o.Pools[1].ID = "" },
		"a pool without issuer":     func(o *token.Options) { o.Pools[1].Issuers = nil },
		"an empty issuer":           func(o *token.Options) { o.Pools[1].Issuers = []string{""} },
		"two pools with one issuer": func(o *token.Options) { o.Pools[1].Issuers = o.Pools[0].Issuers[:1] },
		"no address of the keys":    func(o *token.Options) { o.Pools[1].KeyURLs = nil },
		"an empty address":          func(o *token.Options) { o.Pools[1].KeyURLs = []string{sisterURL, ""} },
		"keys from a file":          func(o *token.Options) { o.Pools[1].KeyURLs = []string{"file:///etc/jwks.json"} },
		"keys from nowhere":         func(o *token.Options) { o.Pools[1].KeyURLs = []string{"https:///jwks.json"} },
		"no client":                 func(o *token.Options) { o.ClientIDs = nil },
		"an empty client":           func(o *token.Options) { o.ClientIDs = []string{homeClient, ""} },
		"a negative refresh":        func(o *token.Options) { o.RefreshInterval = -1 },
		"a negative pause":          func(o *token.Options) { o.UnknownKeyInterval = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			o := valid()
			spoil(&o)
			if _, err := token.New(o); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestWithoutKeysNothingWaitsAndNothingIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		e.handle(homeURL, hang)
		begin := time.Now()
		v := newVerifier(t, verifierOptions(e))
		if err := v.Ready(); err == nil || !strings.Contains(err.Error(), "eu-central-1_Home, eu-central-1_Sister") {
			t.Errorf("Ready before Start: %v, want both pools named", err)
		}
		v.Start(t.Context())
		checkRefusal(t, verifyNow(t, v, homeKey()), enroll.UpstreamUnavailable, token.ReasonKeysUnavailable)
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("somebody waited %v for the network", waited)
		}

		synctest.Wait()
		if err := v.Ready(); err == nil || !strings.HasSuffix(err.Error(), ": eu-central-1_Home") {
			t.Errorf("Ready: %v, want the home pool named alone", err)
		}
		// The other pool goes on, and its key opens nothing but its own pool.
		sisters := accessTokenClaims(time.Now()).with("iss", sisterIssuer)
		if _, err := v.Verify(t.Context(), sisterKey().token(sisters)); err != nil {
			t.Errorf("the pool with keys: %v", err)
		}
		checkRefusal(t, verifyNow(t, v, sisterKey()), enroll.UpstreamUnavailable, token.ReasonKeysUnavailable)
	})
}

func TestAnEndpointThatIsDownAtStartIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		e.setDown(homeURL, true)
		v := startVerifier(t, verifierOptions(e))
		pass(10 * time.Minute)
		if v.Ready() == nil {
			t.Error("ready without keys")
		}
		// Nine in the first 64 seconds, each pause twice the last; then one a minute.
		if n := e.fetched(homeURL); n != 9+8 {
			t.Errorf("%d fetches in ten minutes, want 17", n)
		}
		if age := v.KeyAge()["eu-central-1_Home"]; age != 10*time.Minute {
			t.Errorf("the age of keys that never came is %v, want the time since the beginning", age)
		}
		e.setDown(homeURL, false)
		pass(time.Minute)
		if err := v.Ready(); err != nil {
			t.Errorf("a minute after the endpoint came up: %v", err)
		}
		if err := verifyNow(t, v, homeKey()); err != nil {
			t.Errorf("Verify: %v", err)
		}
	})
}

func TestAShortOutageIsOverWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		e.setDown(homeURL, true)
		v := startVerifier(t, verifierOptions(e))
		e.setDown(homeURL, false)
		pass(time.Second)
		if err := v.Ready(); err != nil {
			t.Errorf("a second after the first fetch failed: %v", err)
		}

		// The long pauses between the retries of a long outage end with it.
		e.setDown(homeURL, true)
		pass(3 * time.Hour)
		e.setDown(homeURL, false)
		pass(time.Minute)
		e.setDown(homeURL, true)
		for before := e.fetched(homeURL); e.fetched(homeURL) == before; {
			pass(100 * time.Millisecond)
		}
		e.setDown(homeURL, false)
		pass(time.Second)
		if age := v.KeyAge()["eu-central-1_Home"]; age > time.Second {
			t.Errorf("a second after a fetch failed once, the keys are %v old", age)
		}
	})
}

func TestKeysOutliveAnOutageAndItIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := newKeyEndpoint()
		o := verifierOptions(e)
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		v := startVerifier(t, o)
		if log.Len() != 0 {
			t.Errorf("logged while all was well: %s", &log)
		}
		e.setDown(homeURL, true)
		const outage = 3 * 24 * time.Hour
		pass(outage)
		if err := verifyNow(t, v, homeKey()); err != nil {
			t.Errorf("after three days: %v", err)
		}
		if err := v.Ready(); err != nil {
			t.Errorf("after three days: %v", err)
		}
		ages := v.KeyAge()
		if ages["eu-central-1_Home"] != outage || ages["eu-central-1_Sister"] > time.Hour {
			t.Errorf("ages %v, want %v for the pool whose endpoint is down", ages, outage)
		}
		first, _, _ := strings.Cut(log.String(), "\n")
		for _, want := range []string{"level=WARN", "pool=eu-central-1_Home", "keys_kept=true", "connection refused"} {
			if !strings.Contains(first, want) {
				t.Errorf("the log lacks %s: %s", want, first)
			}
		}
	})
}

func TestKeysAreRefreshedHourly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		v := startVerifier(t, verifierOptions(e))
		e.serve(homeURL, keySetOf(nextKey().jwk()))
		pass(3*time.Hour + time.Minute)
		if n := e.fetched(homeURL); n != 4 {
			t.Errorf("%d fetches in three hours, want 4", n)
		}
		if err := verifyNow(t, v, nextKey()); err != nil {
			t.Errorf("the new key: %v", err)
		}
		checkRefusal(t, verifyNow(t, v, homeKey()), enroll.InvalidToken, token.ReasonUnknownKey)
	})
}

func TestFetchingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		e.setDown(sisterURL, true)
		var log bytes.Buffer
		o := verifierOptions(e)
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		e.handle(homeURL, hang)
		v := newVerifier(t, o)
		ctx, stop := context.WithCancel(t.Context())
		v.Start(ctx)
		pass(time.Second)
		stop()
		synctest.Wait()
		before := e.fetched(sisterURL)
		pass(time.Hour)
		if after := e.fetched(sisterURL); after != before {
			t.Errorf("%d more fetches after the end", after-before)
		}
		if strings.Contains(log.String(), "Home") {
			t.Errorf("the fetch that was cut off is logged as a failure: %s", &log)
		}
	})
}

func TestAnswersWithoutUsableKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	short := newSigningKey("home-key", 1024)
	body := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(keySetOf(nextKey().jwk())))
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"nothing":               body(""),
		"a web page":            body("<html>"),
		"null":                  body("null"),
		"an empty object":       body("{}"),
		"no keys":               body(`{"keys":[]}`),
		"keys that are no list": body(`{"keys":{"a":1}}`),
		"cut off":               body(keySetOf(nextKey().jwk())[:200]),
		"beyond 64 KiB":         body(`{"pad":"` + strings.Repeat("x", 64<<10) + `",` + keySetOf(nextKey().jwk())[1:]),
		"a server error":        status(http.StatusInternalServerError),
		"not found":             status(http.StatusNotFound),
		"a key that encrypts":   body(keySetOf(nextKey().jwkWith("use", "enc"))),
		"a key for RS512":       body(keySetOf(nextKey().jwkWith("alg", "RS512"))),
		"a key without kid":     body(keySetOf(nextKey().jwkWith("kid", ""))),
		"a key of 1024 bits":    body(keySetOf(short().jwk())),
		"a symmetric key":       body(keySetOf(map[string]any{"kid": "home-key", "kty": "oct", "k": base64url([]byte("secret secret secret secret secre"))})),
		"an elliptic key": body(keySetOf(map[string]any{
			"kid": "home-key", "kty": "EC", "crv": "P-256", "x": base64url(point[1:33]), "y": base64url(point[33:]),
		})),
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, sisterURL, http.StatusFound) },
		"no answer":  hang,
	} {
		t.Run(name+", at the start: no keys", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newKeyEndpoint()
				e.handle(homeURL, answer)
				v := startVerifier(t, verifierOptions(e))
				pass(time.Minute)
				for _, key := range []signingKey{homeKey(), nextKey(), sisterKey(), short()} {
					checkRefusal(t, verifyNow(t, v, key), enroll.UpstreamUnavailable, token.ReasonKeysUnavailable)
				}
			})
		})
		t.Run(name+", later: the keys stay", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newKeyEndpoint()
				v := startVerifier(t, verifierOptions(e))
				e.handle(homeURL, answer)
				pass(2 * time.Hour)
				if err := verifyNow(t, v, homeKey()); err != nil {
					t.Errorf("the key that was there: %v", err)
				}
				if age := v.KeyAge()["eu-central-1_Home"]; age < 2*time.Hour {
					t.Errorf("the answer counts as keys: their age is %v", age)
				}
			})
		})
	}
}

func TestAKeyAmongUnusableOnesIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		e.serve(homeURL, keySetOf(
			nextKey().jwkWith("use", "enc"),
			map[string]any{"kid": "future", "kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA"},
			homeKey().jwkWith("n", "not base64url!"),
			map[string]any{"kid": 7, "kty": "RSA"},
			map[string]any{},
			homeKey().jwk(),
		))
		v := startVerifier(t, verifierOptions(e))
		if err := verifyNow(t, v, homeKey()); err != nil {
			t.Errorf("Verify: %v", err)
		}
		checkRefusal(t, verifyNow(t, v, nextKey()), enroll.InvalidToken, token.ReasonUnknownKey)
	})
}

func TestLogsSayNothingOfTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := newKeyEndpoint()
		o := verifierOptions(e)
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		v := startVerifier(t, o)
		e.setDown(homeURL, true)
		stranger := signingKey{"stranger-7", strayKey().private}
		signed := stranger.token(accessTokenClaims(time.Now()).with("username", "grace"))
		_, err := v.Verify(t.Context(), signed)
		checkRefusal(t, err, enroll.UpstreamUnavailable, token.ReasonKeysUnavailable)
		synctest.Wait()
		if !strings.Contains(log.String(), "eu-central-1_Home") {
			t.Fatalf("the fetch that failed is not logged: %q", &log)
		}
		told := log.String() + err.Error()
		for _, secret := range append(strings.Split(signed, "."), "stranger-7", "grace", subject, homeClient) {
			if strings.Contains(told, secret) {
				t.Errorf("%q is told: %s", secret, told)
			}
		}
	})
}
