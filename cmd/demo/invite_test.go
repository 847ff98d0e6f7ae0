package main

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// What MFA_POLICY makes of the way in: a page that can be skipped, the banner
// afterwards, and a page that cannot be skipped.

func offersOnTheWayIn(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.sees("Protect your account", "somebody who learns your password cannot sign in as you")
	v.accessible("invitation")
	v.pictures("invite-offer")
	v.press("Not now")
	v.sees("Sign-in security", "Protect your account", "Your password alone protects this account.")
	v.accessible("banner")
	v.pictures("invite-banner")
	v.press("Set up an authenticator app") // The banner's comes first.
	key := v.scans()
	v.enters("Enter the code", v.code(key, 0))
	v.sees("It is asked for whenever you sign in.")
	v.wait(`!look.text().includes('Protect your account')`)
	if got := v.demo.pools.TOTPSecret(optionalID, "ada"); got != key.Secret() {
		v.Error("the app that was scanned is not the one that counts")
	}
	v.do(chromedp.Reload())
	v.sees("It is asked for whenever you sign in.")
}

func requiresOnTheWayIn(v *visitor) {
	v.signsIn(optionalPool, "grace")
	v.sees("Protect your account", "Your account needs a second step at sign-in.")
	if strings.Contains(v.text(), "Not now") {
		v.Error("what is required can be skipped")
	}
	v.accessible("requirement")
	v.pictures("invite-require")
	v.press("Set up an authenticator app")
	v.scans()
	v.press("Cancel")
	v.sees("Your account needs a second step at sign-in.")
	v.press("Set up an authenticator app")
	v.enters("Enter the code", v.code(v.scans(), 0))
	v.sees("It is asked for whenever you sign in.")
}
