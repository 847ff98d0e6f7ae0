package main

import (
	"time"

	"github.com/chromedp/chromedp"

	"mfa-enrollment/cognito/cognitotest"
)

// The tests of TestBrowser in which something goes wrong.

func explainsSkew(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	key := v.scans()
	v.enters("Enter the code", v.code(key, 5*time.Minute))
	v.sees("The clock of the phone is about 5 minutes fast.", "Set Automatically")
	v.accessible("wrong code with skew")
	v.pictures("skew-desktop")
	v.do(chromedp.EmulateViewport(360, 440)) // a phone's, above its keyboard
	v.types(v.code(key, 5*time.Minute))
	v.wait(`(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(look.all('#code-error p')[0]?.getBoundingClientRect() ?? {})`)
	v.pictures("skew-phone")
	v.types(v.code(key, 0)) // the field is empty again and has the focus
	v.sees("All set.")
	v.expectRefusals(422)
}

func forgivesWrongCodeByToken(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	v.forgivesWrongCode()
}

func forgivesWrongCodeBySession(v *visitor) {
	v.signsIn(requiredPool, "ada")
	v.forgivesWrongCode()
}

func (v *visitor) forgivesWrongCode() {
	v.Helper()
	key := v.scans()
	v.enters("Enter the code", v.wrongCode(key))
	v.sees("The code is not right.")
	v.accessible("wrong code")
	v.types(v.code(key, 0))
	v.sees("All set.")
	v.expectRefusals(422)
}

func takesPastedCode(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	code := v.code(v.scans(), 0)
	v.press("Enter the code")
	v.pastes(" " + code[:3] + " " + code[3:] + " ")
	v.sees("All set.")
}

func wantsSixDigits(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	v.scans()
	v.enters("Enter the code", "12x34")
	v.press("Finish")
	v.sees("Enter all six digits.")
	if calls := v.demo.pools.Calls("VerifySoftwareToken"); calls != 0 {
		v.Errorf("Cognito was asked %d times about four digits", calls)
	}
}

func waitsWhenBusy(v *visitor) {
	// Two calls for one user at the same time: Cognito says so, and the service
	// that it is busy.
	busy := cognitotest.Fault{Exception: "ConcurrentModificationException", Message: "Too many writes"}
	v.demo.pools.Fail("AssociateSoftwareToken", busy, busy, busy)
	v.signsIn(optionalPool, "ada")
	v.sees("Set up an authenticator app")
	v.remembers()
	v.press("Set up an authenticator app")
	v.hasSeen("Too many people are setting up an app right now. Your place is kept; we try again in ")
	v.accessible("busy")
	v.pictures("busy-desktop")
	v.scans()
	v.expectRefusals(503)
}

func restsAfterWrongCodes(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	key := v.scans()
	v.press("Enter the code")
	for range 10 {
		v.types(v.wrongCode(key))
		v.sees("The code is not right.")
	}
	v.types(v.code(key, 0))
	v.sees("Too many wrong codes were entered. You can enter the next one in ")
	v.wait(`look.all('#code')[0].readOnly && look.focused() === look.all('#code')[0]`)
	v.accessible("too many wrong codes")
	v.expectRefusals(422)
	v.expectRefusals(429)
}

func triesAgainWhenDown(v *visitor) {
	v.demo.pools.Fail("AssociateSoftwareToken", cognitotest.Fault{Status: 502}, cognitotest.Fault{Status: 502}, cognitotest.Fault{Status: 502})
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	v.sees("The sign-in service does not work at the moment.")
	v.accessible("Cognito is down")
	for v.demo.pools.Calls("AssociateSoftwareToken") < 3 {
		v.press("Try again")
		v.sees("Try again in a moment.")
	}
	v.press("Try again")
	v.scans()
	v.expectRefusals(502)
}

func finishesSwitchingOn(v *visitor) {
	v.demo.pools.Fail("SetUserMFAPreference", cognitotest.Fault{Exception: "ForbiddenException"})
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	key := v.scans()
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.", "It is asked for whenever you sign in.")
	v.expectRefusals(503)
}

func returnsWhenSessionExpired(v *visitor) {
	v.demo.pools.Fail("VerifySoftwareToken", cognitotest.Fault{
		Exception: "NotAuthorizedException", Message: "Invalid session for the user, session is expired.",
	})
	v.signsIn(requiredPool, "ada")
	key := v.scans()
	v.enters("Enter the code", v.code(key, 0))
	v.sees("Sign in", "The sign-in took too long or was continued elsewhere.")
	v.accessible("sign in, with a reason")
	v.pictures("expired-desktop")
	v.press("Sign in")
	key = v.scans()
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.")
	v.expectRefusals(410)
}

func returnsWhenTimeIsUp(v *visitor) {
	v.canPassTime()
	v.signsIn(requiredPool, "ada")
	v.scans()
	v.passTime(2*time.Minute + 10*time.Second)
	v.hears("expires in one minute")
	v.passTime(time.Minute)
	v.sees("Sign in", "The set-up took longer than a sign-in may.")
}

func stepsUp(v *visitor) {
	v.enrolls(optionalPool, "ada")
	v.press("Use a new phone")
	v.sees("Sign in", "To change how you sign in, sign in once more")
	v.expectRefusals(401)
}

func renewsExpired(v *visitor) {
	v.canPassTime()
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	first := v.scans()
	v.passTime(15 * time.Minute)
	v.sees("This QR code has expired. If you have scanned it, delete that entry from your app")
	v.accessible("QR code expired")
	v.press("Get a new QR code")
	if second := v.scans(); second.Secret() == first.Secret() {
		v.Error("the QR code is the one that has expired")
	}
}

func refusesWrongPassword(v *visitor) {
	v.sees("Sign in")
	v.do(chromedp.SetValue(chromedp.ID("password"), "Wrong-Horse-1"))
	v.press("Sign in")
	v.sees("That is not the right password.")
	v.accessible("wrong password")
	v.expectRefusals(400)
}
