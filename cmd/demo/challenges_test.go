package main

import (
	"time"

	"github.com/chromedp/chromedp"

	"mfa-enrollment/cognito/cognitotest"
)

func completesSignInThatStopped(v *visitor) {
	v.demo.pools.Fail("RespondToAuthChallenge", cognitotest.Fault{Status: 502})
	v.signsIn(requiredPool, "ada")
	key := v.scans()
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.", "It is asked for whenever you sign in.")
	if calls := v.demo.pools.Calls("VerifySoftwareToken"); calls != 1 {
		v.Errorf("the code was checked %d times", calls)
	}
}

// followsChallenges gives the element challenges and a client whose answers are
// made up: a choice of factors is made for the person, and what the element does not
// do is the page's, in an event that nobody farther up hears.
func followsChallenges(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.sees("Set up an authenticator app")
	v.do(chromedp.Evaluate[chromedp.Void](`void (() => {
		const element = document.querySelector('mfa-enrollment').cloneNode();
		window.heard = [];
		document.querySelector('mfa-enrollment').replaceWith(element);
		for (const type of ['challenge', 'signed-in']) {
			document.addEventListener(type, () => heard.push('the document'));
			element.addEventListener(type, (event) => heard.push(type + ' ' + (event.bubbles || event.composed) + ' ' + (event.detail.challenge?.name ?? event.detail.tokens.accessToken)));
		}
		element.client = { answerChallenge: async ({ challenge, answer, code, username }) => {
			heard.push([challenge, answer ?? code, username].join(' '));
			return challenge === 'SELECT_MFA_TYPE'
				? { outcome: 'challenge', challenge: { name: 'SOFTWARE_TOKEN_MFA', session: 'second', parameters: { USER_ID_FOR_SRP: 'her-id', FRIENDLY_DEVICE_NAME: 'her phone' } } }
				: { outcome: 'signed_in', tokens: { accessToken: 'token' } };
		} };
		element.username = 'ada@example.com';
		element.challenge = { name: 'SELECT_MFA_TYPE', session: 'first', parameters: {} };
	})()`))
	v.sees("Open the authenticator app on her phone and enter the code for ada@example.com.")
	v.types("123456")
	v.wait(`heard.join() === 'SELECT_MFA_TYPE SOFTWARE_TOKEN_MFA ada@example.com,SOFTWARE_TOKEN_MFA 123456 her-id,signed-in false token'`)
	v.do(chromedp.Evaluate[chromedp.Void](`void (document.querySelector('mfa-enrollment').challenge = { name: 'SMS_MFA', session: 'third', parameters: {} })`))
	v.sees("This sign-in asks for something that this page cannot show.")
	v.wait(`heard.at(-1) === 'challenge false SMS_MFA' && !heard.includes('the document')`)
}

// countsTheLastCode gives the element a client whose enrollment is over while a code
// is on its way, and whose status cannot be had after that.
func countsTheLastCode(v *visitor) {
	v.canPassTime()
	v.signsIn(optionalPool, "ada")
	v.sees("Set up an authenticator app")
	v.do(chromedp.Evaluate[chromedp.Void](`import('/web/client/index.js').then(({ Problem }) => {
		const element = document.querySelector('mfa-enrollment').cloneNode();
		const lost = async () => { throw new Problem({ code: 'unreachable', detail: '' }); };
		document.querySelector('mfa-enrollment').replaceWith(element);
		element.view = 'set-up';
		element.client = {
			startTotp: async () => ({ secret: 'SECRET', otpauthUri: 'otpauth://totp/a', qrCode: 'data:,', issuer: 'i', accountName: 'a', expiresIn: 590 }),
			verifyTotp: () => new Promise((_, reject) => { window.refuse = (code) => reject(new Problem({ code, detail: '' })); }),
			setTotpPreference: lost,
			getMfa: async () => { throw new Problem({ code: 'new_code', status: 503, detail: 'Words of a newer service.' }); },
		};
		window.mend = () => { element.client.getMfa = async () => ({ totp: { enabled: false }, methods: [], next: 'none' }); };
	})`, chromedp.EvalAwaitPromise))
	answers := func(code string) {
		v.press("Enter the code")
		v.types("123456")
		v.sees("Checking…")
		v.passTime(10 * time.Minute)
		v.sees("0:00 left.")
		v.do(chromedp.Evaluate[chromedp.Void](`void refuse('` + code + `')`))
	}
	answers("code_mismatch")
	v.sees("This QR code has expired.")
	v.press("Get a new QR code")
	answers("verified_not_enabled")
	v.sees("Words of a newer service.")
	v.do(chromedp.Evaluate[chromedp.Void](`void mend()`))
	v.press("Try again")
	v.sees("The service cannot be reached.", "Switch it on again")
}

// staysWhenItsWordsChange gives the element other messages while a code is checked, as
// a page does whose language changes, and the same ones in another object, as a React
// page does each time that it is drawn.
func staysWhenItsWordsChange(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.sees("Set up an authenticator app")
	v.do(chromedp.Evaluate[chromedp.Void](`Promise.all([import('/web/client/index.js'), import('/web/element/messages/de.js')]).then(([{ Problem }, { default: german }]) => {
		const element = document.querySelector('mfa-enrollment').cloneNode();
		document.querySelector('mfa-enrollment').replaceWith(element);
		window.calls = 0;
		element.view = 'set-up';
		element.client = {
			startTotp: async () => ({ secret: 'SECRET', otpauthUri: 'otpauth://totp/a', qrCode: 'data:,', issuer: 'i', accountName: 'a', expiresIn: 600 }),
			verifyTotp: () => new Promise((_, reject) => { calls++; window.refuse = (code, more) => reject(new Problem({ code, detail: code, ...more })); }),
		};
		window.speak = () => { element.messages = { ...german }; };
	})`, chromedp.EvalAwaitPromise))
	v.press("Enter the code")
	v.types("123456")
	v.sees("Checking…")
	speak := chromedp.Evaluate[chromedp.Void](`void speak()`)
	v.do(speak)
	v.sees("Wird geprüft …")
	v.types("\r")
	v.wait(`calls === 1 && look.all('#code')[0].readOnly && look.focused().id === 'code'`)
	v.do(chromedp.Evaluate[chromedp.Void](`void refuse('code_mismatch')`))
	v.sees("Der Code stimmt nicht.")
	v.press("Stattdessen einen Schlüssel eingeben")
	v.wait(`look.all('details')[0].open`)
	v.do(speak)
	v.wait(`look.all('#code-error')[0].checkVisibility() && look.all('details')[0].open`)
	v.press("Geben Sie den Code ein")
	v.types("123456")
	v.wait(`calls === 2`)
	v.do(chromedp.Evaluate[chromedp.Void](`void refuse('too_many_requests', { retryAfter: 60 })`))
	v.sees("Sekunden können Sie den nächsten Code eingeben.")
	v.do(chromedp.Evaluate[chromedp.Void](`void document.querySelector('mfa-enrollment').setAttribute('heading-level', '3')`))
	v.sees("Sekunden können Sie den nächsten Code eingeben.")
	v.wait(`look.all('#code')[0].readOnly`)
}
