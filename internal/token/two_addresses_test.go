package token_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/token"
)

const homeUpdatedURL = homeUpdated + "/.well-known/jwks.json"

// notSwitched is what the updated issuer's host answers for a pool whose issuer
// type is the original (aws-jwt-verify#279).
func notSwitched(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }

// twoAddresses are the options of a service whose home pool has its keys at the
// hosts of both issuers.
func twoAddresses(e *keyEndpoint) token.Options {
	o := verifierOptions(e)
	o.Pools[0].KeyURLs = []string{homeURL, homeUpdatedURL}
	return o
}

func TestAPoolThatWasNotSwitchedIsReadyByItsOriginalHostAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		e.handle(homeUpdatedURL, notSwitched)
		v := startVerifier(t, twoAddresses(e))
		if err := v.Ready(); err != nil {
			t.Error(err)
		}
		pass(24 * time.Hour)
		if n := e.fetched(homeUpdatedURL); n != 0 {
			t.Errorf("%d fetches in a day from a host that has nothing to tell", n)
		}
	})
}

func TestKeysComeFromTheUpdatedHostWhereTheOriginalHasNone(t *testing.T) {
	for name, original := range map[string]http.HandlerFunc{
		"refused":          notSwitched,
		"hanging":          hang,
		"without keys":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"something else":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"an inner failure": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newKeyEndpoint()
				e.handle(homeURL, original)
				e.serve(homeUpdatedURL, keySetOf(homeKey().jwk()))
				v := startVerifier(t, twoAddresses(e))
				pass(10 * time.Second)
				if err := v.Ready(); err != nil {
					t.Fatal(err)
				}
				if err := verifyNow(t, v, homeKey()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A key that Cognito withdraws must not stay good because of the other host.
func TestTheAnswerOfOneHostReplacesThatOfTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newKeyEndpoint()
		e.serve(homeUpdatedURL, keySetOf(nextKey().jwk()))
		v := startVerifier(t, twoAddresses(e))
		e.setDown(homeURL, true)
		pass(2 * time.Hour)
		if err := verifyNow(t, v, nextKey()); err != nil {
			t.Error(err)
		}
		checkRefusal(t, verifyNow(t, v, homeKey()), enroll.InvalidToken, token.ReasonUnknownKey)
	})
}

func TestAnOutageOfBothHostsKeepsTheKeysAndNamesBothFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := newKeyEndpoint()
		e.handle(homeUpdatedURL, notSwitched)
		o := twoAddresses(e)
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		v := startVerifier(t, o)
		e.setDown(homeURL, true)
		pass(2 * time.Hour)
		if err := verifyNow(t, v, homeKey()); err != nil {
			t.Error(err)
		}
		for _, want := range []string{"connection refused", "403", "keys_kept=true"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q: %s", want, &log)
			}
		}
	})
}
