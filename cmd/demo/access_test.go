package main

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The tests of TestBrowser for people and devices of all kinds.

func worksByKeyboard(v *visitor) {
	v.tabsTo("User")
	v.tabsTo("Password")
	v.types(kb.Enter)
	v.sees("Your password alone protects this account.")
	v.focusIsOn("Sign-in security")
	v.tabsTo("Set up an authenticator app")
	v.types(kb.Enter)
	key := v.scans()
	v.focusIsOn("Set up your authenticator app")
	v.tabsTo("Enter a key by hand instead")
	v.types(kb.Enter)
	v.tabsTo("Copy the key")
	v.tabsTo("Open in an app on this device")
	v.tabsTo("Enter the code that the app shows")
	v.types(v.wrongCode(key))
	v.sees("The code is not right.")
	v.focusIsOn("Enter the code that the app shows")
	v.types(v.code(key, 0))
	v.sees("All set.")
	v.focusIsOn("Sign-in security")
	v.hears("All set.")
	v.tabsTo("Sign in again with a code")
	v.tabsTo("Switch off")
	v.types(kb.Enter)
	v.sees("Switch off the authenticator app?")
	v.focusIsOn("Keep it on")
	v.types(kb.Escape)
	v.focusIsOn("Switch off")
	v.expectRefusals(422)
}

func servesPhone(v *visitor) {
	v.usePhone()
	v.accessible("sign in, phone")
	v.pictures("sign-in-phone")
	v.signsIn(optionalPool, "ada")
	v.sees("Your password alone protects this account.")
	v.accessible("account, phone")
	v.press("Set up an authenticator app")
	v.sees("Open in your authenticator app", "Copy the key")
	// Link, copy and field are in view, and the picture, which this phone cannot
	// scan, comes after them.
	v.wait(`look.all('a.open')[0].getBoundingClientRect().bottom <= look.all('#code')[0].getBoundingClientRect().top`)
	v.wait(`look.all('#code')[0].getBoundingClientRect().bottom < 740`)
	v.wait(`!look.all('img[part="picture"]')[0].checkVisibility()`)
	v.accessible("set up, phone")
	v.pictures("set-up-phone")
	v.noSidewaysScrolling()
	v.press("Use another device")
	key := v.scans()
	v.pictures("set-up-phone-picture")
	link := ask(v, chromedp.Evaluate[string](`look.all('a.open')[0].href`))
	if link != key.URL() {
		v.Error("the link is not what the QR code says")
	}
	v.wait(`look.all('button:not(.link), a.open, input').every((e) => !e.checkVisibility() || e.getBoundingClientRect().height >= 44)`)
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.")
	v.accessible("done, phone")
	v.pictures("done-phone")
}

func fitsNarrowScreen(v *visitor) {
	// 1280 pixels at 400 % are as sharp as before.
	v.do(chromedp.EmulateViewport(320, 640, chromedp.EmulateScale(4)))
	v.sees("Sign in")
	v.noSidewaysScrolling()
	v.signsIn(optionalPool, "ada")
	v.sees("Your password alone protects this account.")
	v.noSidewaysScrolling()
	v.press("Set up an authenticator app")
	key := v.scans()
	v.press("Enter a key by hand instead")
	v.accessible("set up, 320 pixels")
	v.noSidewaysScrolling()
	v.pictures("set-up-320")
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.")
	v.noSidewaysScrolling()
}

// noSidewaysScrolling holds WCAG 2.2's reflow (1.4.10).
func (v *visitor) noSidewaysScrolling() {
	v.Helper()
	wide := ask(v, chromedp.Evaluate[[]string](`look.all('*')
		.filter((e) => e.checkVisibility() && !e.closest('.unseen') && e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
		.map((e) => e.outerHTML.slice(0, 80))`))
	if len(wide) > 0 {
		v.Errorf("too wide: %s", strings.Join(wide, ", "))
	}
}

func respectsPreferences(v *visitor) {
	v.prefer("prefers-color-scheme", "dark")
	v.accessible("sign in, dark")
	v.pictures("sign-in-dark")
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	key := v.scans()
	v.accessible("set up, dark")
	v.pictures("set-up-dark")
	v.enters("Enter the code", v.wrongCode(key))
	v.sees("The code is not right.")
	v.accessible("wrong code, dark")
	v.pictures("wrong-code-dark")
	v.types(v.code(key, 0))
	v.sees("All set.")
	v.accessible("done, dark")
	v.pictures("done-dark")
	v.expectRefusals(422)

	v.do(chromedp.Evaluate[chromedp.Void](`void look.roots()[1].append(Object.assign(document.createElement('span'), { className: 'spinner' }))`))
	spinner := chromedp.Evaluate[string](`getComputedStyle(look.all('.spinner')[0]).animationName`)
	if got := ask(v, spinner); got != "turn" {
		v.Errorf("the spinner's animation is %q", got)
	}
	v.prefer("prefers-reduced-motion", "reduce")
	if got := ask(v, spinner); got != "none" {
		v.Errorf("the spinner's animation is %q although no motion is wanted", got)
	}
}

func copiesKey(v *visitor) {
	v.mayUseClipboard()
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	key := v.scans()
	v.press("Enter a key by hand instead")
	groups := ask(v, chromedp.Evaluate[string](`look.all('.key span').map((e) => e.textContent).join(' ')`))
	if want := inFours(key.Secret()); groups != want {
		v.Error("the key is not shown in groups of four")
	}
	v.pictures("key-desktop")
	v.remembers()
	v.press("Copy the key")
	v.hasSeen("Copied")
	v.hears("The key is copied.")
	v.wait(fmt.Sprintf(`navigator.clipboard.readText().then((text) => text === %q)`, key.Secret()))
}

func inFours(secret string) string {
	var groups []string
	for len(secret) > 4 {
		groups, secret = append(groups, secret[:4]), secret[4:]
	}
	return strings.Join(append(groups, secret), " ")
}

func keepsNoSecret(v *visitor) {
	v.signsIn(requiredPool, "ada")
	key := v.scans()
	v.sees("After that you must sign in again.")
	kept := ask(v, chromedp.Evaluate[string](`JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, location.href, history.state])`))
	for _, secret := range []string{key.Secret(), "otpauth", "data:image", "Correct-Horse"} {
		if strings.Contains(kept, secret) {
			v.Errorf("%q is kept", secret[:8])
		}
	}
	databases := ask(v, chromedp.Evaluate[int](`Promise.all([indexedDB.databases(), caches.keys()]).then((all) => all.flat().length)`, chromedp.EvalAwaitPromise))
	if databases != 0 {
		v.Error("the page keeps a database")
	}
	v.press("Cancel")
	v.sees("Sign in")
	left := ask(v, chromedp.Evaluate[string](`JSON.stringify([{ ...sessionStorage }, { ...localStorage }]) + look.roots().map((root) => (root.body ?? root).innerHTML)`))
	if strings.Contains(left, key.Secret()) || !strings.HasPrefix(left, "[{},{}]") {
		v.Error("something is left after the sign-in was given up")
	}
}

func showsReference(v *visitor) {
	v.do(chromedp.Navigate(v.home + "/docs"))
	v.sees("mfa-enrollment", "/v1/mfa/totp", "/v1/mfa/totp/verify", "/v1/mfa", "/v1/mfa/totp/preference", "/v1/auth/challenge", "Start an enrollment and get the QR code")
	v.pictures("docs-desktop")
	v.prefer("prefers-color-scheme", "dark")
	v.do(chromedp.Reload())
	v.sees("Start an enrollment and get the QR code")
	v.pictures("docs-dark")
}
