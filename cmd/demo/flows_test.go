package main

import (
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"mfa-enrollment/cognito/cognitotest"
)

// The tests of TestBrowser in which all goes well.

func setsUpByToken(v *visitor) {
	v.accessible("sign in")
	v.pictures("sign-in-desktop")
	v.signsIn(optionalPool, "ada")
	v.sees("Your password alone protects this account.")
	v.accessible("account, app off")
	v.pictures("account-desktop")
	v.press("Set up an authenticator app")
	key := v.scans()
	if key.Issuer() != "Demo" || key.AccountName() != "ada@example.com" {
		v.Errorf("the QR code says %q and %q", key.Issuer(), key.AccountName())
	}
	v.accessible("set up")
	v.pictures("set-up-desktop")
	v.enters("Name the device", "Ada's phone")
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.", "It is asked for whenever you sign in.")
	v.accessible("done")
	v.pictures("done-desktop")
	if got := v.demo.pools.DeviceName(optionalID, "ada"); got != "Ada's phone" {
		v.Errorf("the device is named %q", got)
	}
	if !v.demo.pools.MFAEnabled(optionalID, "ada") {
		v.Error("the app is not asked for at sign-in")
	}
}

func setsUpBySession(v *visitor) {
	v.signsIn(requiredPool, "grace")
	v.sees("Set up your authenticator app")
	key := v.scans()
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.", "a pool where a second factor is required")
	if got := v.demo.pools.TOTPSecret(requiredID, "grace"); got != key.Secret() {
		v.Error("the app that was scanned is not the one that counts")
	}
	// The tokens are good: the status could be read with them, and still can be.
	v.do(chromedp.Reload())
	v.sees("It is asked for whenever you sign in.")
}

func signsInWithCode(v *visitor) {
	v.canPassTime()
	key, used := v.enrolls(optionalPool, "ada")
	v.passTime(-step) // so that the next code is not there yet
	v.press("Sign in again with a code")
	v.press("Sign in")
	v.sees("Enter your code", "The app shows the next one in")
	v.accessible("code at sign-in")
	v.pictures("code-desktop")
	v.enters("Code", used)
	v.sees("A code works once.")
	v.accessible("code at sign-in, refused")
	v.types(v.code(key, step))
	v.sees("Sign-in security", "It is asked for whenever you sign in.")
	v.expectRefusals(422)
}

func switchesOffAndOn(v *visitor) {
	v.enrolls(optionalPool, "linus")
	v.press("Switch off")
	v.sees("Switch off the authenticator app?")
	v.accessible("switch off?")
	v.pictures("switch-off-desktop")
	v.press("Keep it on")
	v.sees("It is asked for whenever you sign in.")
	v.press("Switch off")
	v.sees("whoever knows your password can sign in")
	v.press("Switch off")
	v.sees("Your password alone protects this account.")
	if v.demo.pools.MFAEnabled(optionalID, "linus") {
		v.Error("the app is still on")
	}
	v.press("Switch it on again")
	v.sees("It is asked for whenever you sign in.")
	if !v.demo.pools.MFAEnabled(optionalID, "linus") {
		v.Error("the app is still off")
	}
}

func keepsRequiredFactor(v *visitor) {
	v.enrolls(requiredPool, "linus")
	v.press("Switch off")
	v.sees("whoever knows your password can sign in")
	// Pools were seen that let everything be switched off, so that the stand-in
	// does too; this is one that refuses.
	v.demo.pools.Fail("SetUserMFAPreference", cognitotest.Fault{Exception: "InvalidParameterException", Message: "User pool requires MFA"})
	v.press("Switch off")
	v.sees("A second step at sign-in is required, so it cannot be switched off.", "It is asked for whenever you sign in.")
	v.accessible("account, refused")
	v.expectRefusals(409)
}

func movesToNewPhone(v *visitor) {
	old, _ := v.enrolls(optionalPool, "grace")
	v.press("Use a new phone")
	key := v.scans()
	if key.Secret() == old.Secret() {
		v.Fatal("the new phone has the secret of the old one")
	}
	if said := v.text(); strings.Contains(said, "All set.") {
		v.Fatalf("the page still says, if only to screen readers, what came of the old phone:\n%s", said)
	}
	if got := v.demo.pools.TOTPSecret(optionalID, "grace"); got != old.Secret() {
		v.Error("the old phone does not work until the new one does")
	}
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.")
	if got := v.demo.pools.TOTPSecret(optionalID, "grace"); got != key.Secret() {
		v.Error("the old phone still counts")
	}
}

func survivesReloadByToken(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	v.reloadsToSameCode("Set up your authenticator app")
}

func survivesReloadBySession(v *visitor) {
	v.signsIn(requiredPool, "ada")
	v.reloadsToSameCode("Set up your authenticator app")
}

func (v *visitor) reloadsToSameCode(heading string) {
	v.Helper()
	before := v.scans()
	v.do(chromedp.Reload())
	v.sees(heading)
	key := v.scans()
	if key.Secret() != before.Secret() {
		v.Fatal("the reload made the QR code worthless that was scanned before")
	}
	v.enters("Enter the code", v.code(before, 0))
	v.sees("All set.")
	if calls := v.demo.pools.Calls("AssociateSoftwareToken"); calls != 1 {
		v.Errorf("Cognito was asked %d times", calls)
	}
}

func sharesBetweenWindows(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	key := v.scans()
	second := v.opensSecondWindow()
	if got := second.scans(); got.Secret() != key.Secret() {
		v.Error("the second window made the first one's QR code worthless")
	}
	second.leave()
}

func countsDoubleClickOnce(v *visitor) {
	slow := cognitotest.Fault{Delay: time.Second}
	v.demo.pools.Fail("AssociateSoftwareToken", slow)
	v.demo.pools.Fail("VerifySoftwareToken", slow)
	v.signsIn(optionalPool, "ada")
	v.clicksTwice(v.finds("Set up an authenticator app"))
	key := v.scans()
	x, y := v.finds("Finish")
	v.enters("Enter the code", v.code(key, 0)) // which sends it, and then there is a double click
	v.clicksTwice(x, y)
	v.sees("All set.")
	for _, operation := range []string{"AssociateSoftwareToken", "VerifySoftwareToken", "SetUserMFAPreference"} {
		if calls := v.demo.pools.Calls(operation); calls != 1 {
			v.Errorf("%s was called %d times", operation, calls)
		}
	}
}

func startsAgainWhenReplaced(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	old := v.scans()
	second := v.opensSecondWindow()
	second.scans()
	// The stand-in hears of a new secret that this service knows nothing of.
	v.replacesSecret("ada")
	v.enters("Enter the code", v.code(old, 0))
	v.sees("Since this QR code was shown another one was asked for")
	v.accessible("replaced")
	v.press("Get a new QR code")
	key := v.scans()
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.")
	v.expectRefusals(409)
	second.leave()
}
