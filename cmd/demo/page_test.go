package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/long"
	"mfa-enrollment/test/program"
)

// TestBrowser walks through the page in a real browser. Each test has a window,
// a demo and a stand-in of its own. All of them run with LONG=1, and else those on
// which most of the others stand, without axe-core and without pictures.
func TestBrowser(t *testing.T) {
	browser := startBrowser(t)
	program.Install(t, npmFolder)
	// Each takes a second or two of both processors.
	const always = true
	whole := long.Asked()
	for _, tt := range []struct {
		name string
		env  map[string]string
		test func(*visitor)
		when bool // whether it runs now
	}{
		{"sets an app up for somebody who is signed in", nil, setsUpByToken, always},
		{"sets an app up in mid-sign-in, through to the tokens", nil, setsUpBySession, always},
		{"signs in with a code, but not with the one that enrolled", nil, signsInWithCode, whole},
		{"switches the app off and on again", nil, switchesOffAndOn, whole},
		{"does not switch off what the pool requires", nil, keepsRequiredFactor, whole},
		{"moves to a new phone", nil, movesToNewPhone, always},

		{"shows the same QR code after a reload, signed in", nil, survivesReloadByToken, whole},
		{"shows the same QR code after a reload, in mid-sign-in", nil, survivesReloadBySession, whole},
		{"shows the same QR code in a second window", nil, sharesBetweenWindows, whole},
		{"sends one request for a double click", nil, countsDoubleClickOnce, whole},
		{"starts again when another window asked for a new QR code", nil, startsAgainWhenReplaced, whole},

		{"says how far the phone's clock is off", nil, explainsSkew, whole},
		{"lets a wrong code be followed by a right one, signed in", nil, forgivesWrongCodeByToken, whole},
		{"lets a wrong code be followed by a right one, in mid-sign-in", nil, forgivesWrongCodeBySession, always},
		{"takes a code that was pasted with a space", nil, takesPastedCode, whole},
		{"asks for all six digits", nil, wantsSixDigits, whole},
		{"waits visibly while Cognito is busy, then goes on", nil, waitsWhenBusy, whole},
		{"rests after too many wrong codes, and says how long", nil, restsAfterWrongCodes, whole},
		{"offers to try again when Cognito is down", nil, triesAgainWhenDown, whole},
		{"finishes when the code was right and switching on failed", nil, finishesSwitchingOn, whole},
		{"goes back to sign-in with the reason when the session has expired", nil, returnsWhenSessionExpired, whole},
		{"goes back to sign-in when the time of a session runs out", nil, returnsWhenTimeIsUp, whole},
		{"asks for a new sign-in before a working app is replaced", map[string]string{"STEP_UP_MAX_AGE": "1ns"}, stepsUp, whole},
		{"offers a new QR code when the old one has expired", nil, renewsExpired, whole},
		{"refuses a wrong password", nil, refusesWrongPassword, whole},
		{"offers an app on the way in, and then in a banner", map[string]string{"MFA_POLICY": "offer"}, offersOnTheWayIn, whole},
		{"requires an app on the way in", map[string]string{"MFA_POLICY": "require"}, requiresOnTheWayIn, whole},

		{"completes the sign-in when only its last step failed", nil, completesSignInThatStopped, whole},
		{"follows challenges, and tells the page alone what came of them", nil, followsChallenges, whole},
		{"counts a code that is on its way when the time is over", nil, countsTheLastCode, whole},
		{"keeps what it shows when its words change", nil, staysWhenItsWordsChange, whole},
		{"names the account in mid-sign-in", nil, namesAccountInMidSignIn, whole},
		{"gives up on a reply that never comes, and sends the code again", nil, givesUpOnLostReply, whole},
		{"keeps the code when there is no network", nil, keepsCodeOffline, whole},
		{"keeps the code when Cognito is down", nil, keepsCodeWhenDown, whole},
		{"takes digits of every script, and does not cut seven short", nil, takesDigitsOfEveryScript, whole},
		{"takes the code that is typed after scanning without a click", nil, takesDigitsWithoutClick, whole},
		{"asks for the device's name after the code, and helps without an app", nil, namesDeviceAfterCode, whole},
		{"leads an invalid token to sign-in", nil, leadsInvalidTokenToSignIn, whole},
		{"keeps people where they are when the page is wrong", nil, staysWhenThePageIsWrong, whole},
		{"says that a code is of an earlier QR code", nil, explainsSupersededCode, whole},
		{"says so when the demo is gone", nil, saysWhenDemoIsGone, whole},
		{"reads right to left, and says nothing that is in no catalogue", nil, readsRightToLeft, whole},
		{"speaks German, in forced colours", nil, speaksGerman, whole},
		{"works on a slow network", nil, worksOnSlowNetwork, whole},

		{"works by keyboard alone", nil, worksByKeyboard, whole},
		{"puts the link to the app first on a phone", nil, servesPhone, whole},
		{"fits 320 pixels without scrolling sideways", nil, fitsNarrowScreen, whole},
		{"is readable in the dark and at rest when asked to be", nil, respectsPreferences, whole},
		{"shows the key in groups and copies it", nil, copiesKey, whole},
		{"keeps no secret anywhere", nil, keepsNoSecret, always},
		{"shows the API reference", nil, showsReference, whole},
	} {
		if !tt.when {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := visit(t, browser, tt.env)
			tt.test(v)
			v.leave()
		})
	}
}

func TestPageHandler(t *testing.T) {
	page, err := newPage("http://127.0.0.1:9229", cognitotest.DemoPools(), false)
	if err != nil {
		t.Fatal(err)
	}
	get := func(t *testing.T, method, path string, header http.Header) *http.Response {
		t.Helper()
		w, r := httptest.NewRecorder(), httptest.NewRequest(method, path, nil)
		r.Header = header
		page.ServeHTTP(w, r)
		return w.Result()
	}

	t.Run("every file has a strict policy, its type and the right caching", func(t *testing.T) {
		for path, want := range map[string][2]string{
			"/":                          {"text/html; charset=utf-8", "no-store"},
			"/docs":                      {"text/html; charset=utf-8", "no-store"},
			"/demo.json":                 {"application/json", "no-store"},
			"/app.js":                    {"text/javascript; charset=utf-8", "no-cache"},
			"/web/element/element.js":    {"text/javascript; charset=utf-8", "no-cache"},
			"/style.css":                 {"text/css; charset=utf-8", "no-cache"},
			"/favicon.svg":               {"image/svg+xml", "no-cache"},
			"/swagger-ui/LICENSE":        {"text/plain; charset=utf-8", "no-cache"},
			"/swagger-ui/swagger-ui.css": {"text/css; charset=utf-8", "no-cache"},
		} {
			reply := get(t, http.MethodGet, path, nil)
			if reply.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d", path, reply.StatusCode)
			}
			if got := reply.Header.Get("Content-Type"); got != want[0] {
				t.Errorf("%s: type %q, want %q", path, got, want[0])
			}
			if got := reply.Header.Get("Cache-Control"); got != want[1] {
				t.Errorf("%s: caching %q, want %q", path, got, want[1])
			}
			policy := reply.Header.Get("Content-Security-Policy")
			if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
				t.Errorf("%s: policy %q", path, policy)
			}
			if got := reply.Header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("%s: X-Content-Type-Options %q", path, got)
			}
		}
	})
	t.Run("a file that the browser has is not sent again", func(t *testing.T) {
		first := get(t, http.MethodGet, "/app.js", nil)
		second := get(t, http.MethodGet, "/app.js", http.Header{"If-None-Match": {first.Header.Get("ETag")}})
		if second.StatusCode != http.StatusNotModified {
			t.Errorf("status %d", second.StatusCode)
		}
	})
	t.Run("there is nothing at other addresses", func(t *testing.T) {
		for _, path := range []string{"/index.html", "/page", "/screens/", "/../page.go", "/npm/package.json"} {
			if reply := get(t, http.MethodGet, path, nil); reply.StatusCode != http.StatusNotFound {
				t.Errorf("%s: status %d", path, reply.StatusCode)
			}
		}
	})
	t.Run("nothing can be written", func(t *testing.T) {
		if reply := get(t, http.MethodPost, "/", nil); reply.StatusCode != http.StatusMethodNotAllowed || reply.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("status %d, Allow %q", reply.StatusCode, reply.Header.Get("Allow"))
		}
	})
}

func TestSwaggerUIIsThatOfNPM(t *testing.T) {
	program.Install(t, npmFolder)
	source := filepath.Join(npmFolder, "node_modules", "swagger-ui-dist")
	committed := filepath.Join("page", "swagger-ui")
	entries, err := os.ReadDir(committed)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		ours, err := os.ReadFile(filepath.Join(committed, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := os.ReadFile(filepath.Join(source, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours, theirs) {
			t.Errorf("%s is not the file of swagger-ui-dist in %s/package-lock.json", entry.Name(), npmFolder)
		}
	}
}
