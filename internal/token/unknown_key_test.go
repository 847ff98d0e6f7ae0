package token_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/token"
)

func TestANewKeyIsFoundByOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		v := startVerifier(t, verifierOptions(e))
		e.handle(homeURL, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(500 * time.Millisecond) // an endpoint far away
			_, _ = w.Write([]byte(keySetOf(homeKey().jwk(), nextKey().jwk())))
		})
		var people sync.WaitGroup
		for range 100 {
			people.Go(func() {
				if err := verifyNow(t, v, nextKey()); err != nil {
					t.Errorf("a token by the new key: %v", err)
				}
			})
		}
		people.Wait()
		if n := e.fetched(homeURL); n != 2 {
			t.Errorf("%d fetches, want the first and one more", n)
		}
		if n := e.fetched(sisterURL); n != 1 {
			t.Errorf("%d fetches of the other pool, want the first alone", n)
		}
	})
}

// verifyStranger verifies a token that names the nth of many made-up keys. Its
// signature is made up too: nobody gets as far as to look at it.
func verifyStranger(ctx context.Context, v *token.Verifier, n int) error {
	header := fmt.Sprintf(`{"kid":"stranger-%d","alg":"RS256"}`, n)
	token := compact(header, accessTokenClaims(time.Now()).json(), func(string) []byte { return make([]byte, 256) })
	_, err := v.Verify(ctx, token)
	return err
}

func TestRandomKidsCostOneFetchAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		v := startVerifier(t, verifierOptions(e))
		begin := time.Now()
		for minute := 1; minute <= 3; minute++ {
			for n := range 1000 {
				checkRefusal(t, verifyStranger(t.Context(), v, n), enroll.InvalidToken, token.ReasonUnknownKey)
			}
			if got := e.fetched(homeURL); got != 1+minute {
				t.Errorf("%d fetches in minute %d, want %d", got, minute, 1+minute)
			}
			pass(time.Minute)
		}
		if took := time.Since(begin); took != 3*time.Minute {
			t.Errorf("strangers were kept waiting for %v", took-3*time.Minute)
		}
	})
}

func TestRandomKidsAtAnEndpointThatHangsBlockNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		v := startVerifier(t, verifierOptions(e))
		e.handle(homeURL, hang)
		begin := time.Now()
		var strangers sync.WaitGroup
		for n := range 50 {
			strangers.Go(func() {
				checkRefusal(t, verifyStranger(t.Context(), v, n), enroll.InvalidToken, token.ReasonUnknownKey)
			})
		}
		synctest.Wait()
		if err := verifyNow(t, v, homeKey()); err != nil {
			t.Errorf("a known key meanwhile: %v", err)
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("a known key waited %v", waited)
		}
		strangers.Wait()
		if waited := time.Since(begin); waited > 2*time.Second {
			t.Errorf("strangers were kept for %v, want two seconds at most", waited)
		}
		pass(20 * time.Second) // the fetch has failed by now
		after := time.Now()
		checkRefusal(t, verifyStranger(t.Context(), v, 0), enroll.UpstreamUnavailable, token.ReasonKeysUnavailable)
		if waited := time.Since(after); waited > 2*time.Second {
			t.Errorf("a later stranger was kept for %v", waited)
		}
	})
}

func TestACallerWhoLeavesIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		v := startVerifier(t, verifierOptions(e))
		e.handle(homeURL, hang)
		ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer leave()
		begin := time.Now()
		checkRefusal(t, verifyStranger(ctx, v, 0), enroll.InvalidToken, token.ReasonUnknownKey)
		if waited := time.Since(begin); waited != 100*time.Millisecond {
			t.Errorf("kept for %v, want 100ms", waited)
		}
	})
}

// While the keys cannot be fetched nobody knows whether a key is the pool's: to sign
// in again would help nobody.
func TestAKeyThatCannotBeAskedForIsNotCalledForeign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		v := startVerifier(t, verifierOptions(e))
		e.serve(homeURL, keySetOf(homeKey().jwk(), nextKey().jwk()))
		e.setDown(homeURL, true)
		for minute := range 60 {
			if err := verifyNow(t, v, homeKey()); err != nil {
				t.Fatalf("a known key after %d minutes: %v", minute, err)
			}
			checkRefusal(t, verifyNow(t, v, nextKey()), enroll.UpstreamUnavailable, token.ReasonKeysUnavailable)
			pass(time.Minute)
		}
		e.setDown(homeURL, false)
		pass(time.Minute)
		if err := verifyNow(t, v, nextKey()); err != nil {
			t.Errorf("after the outage: %v", err)
		}
		checkRefusal(t, verifyStranger(t.Context(), v, 0), enroll.InvalidToken, token.ReasonUnknownKey)
	})
}

// The clock that tokens are held against is Cognito's, which is corrected by hours
// where the service's own is off.
func TestAClockThatIsSetBackDoesNotKeepKeysFromBeingFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		fast := 3 * time.Hour
		o := verifierOptions(e)
		o.Now = func() time.Time { return time.Now().Add(fast).Round(0) }
		v := startVerifier(t, o)
		checkRefusal(t, verifyStranger(t.Context(), v, 0), enroll.InvalidToken, token.ReasonUnknownKey)
		fast = 0
		pass(time.Minute)
		e.serve(homeURL, keySetOf(homeKey().jwk(), nextKey().jwk()))
		if err := verifyNow(t, v, nextKey()); err != nil {
			t.Errorf("a new key: %v", err)
		}
		if age := v.KeyAge()["eu-central-1_Home"]; age != 0 {
			t.Errorf("keys that were just fetched are %v old", age)
		}
		fast = 3 * time.Hour
		if age := v.KeyAge()["eu-central-1_Home"]; age != 0 {
			t.Errorf("the clock makes the keys %v old", age)
		}
	})
}
