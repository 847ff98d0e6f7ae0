package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"mfa-enrollment/cognito/cognitotest"
)

// The tests of TestBrowser for what pages of this kind get wrong.

func namesAccountInMidSignIn(v *visitor) {
	v.signsIn(requiredPool, "grace")
	if key := v.scans(); key.AccountName() != "grace" {
		v.Errorf("the app shows the account as %q", key.AccountName())
	}
}

// losesReplies lets the reply of the first verification never come, and the page
// give up on that one when the test says so, in place of 20 seconds.
const losesReplies = `{
	const call = fetch, later = setTimeout;
	let lost = false, giveUp;
	window.fetch = (url, how) => {
		if (lost || !String(url).endsWith('/verify')) return call(url, how);
		lost = true;
		window.giveUp = () => giveUp();
		return new Promise((_, fail) => how.signal.addEventListener('abort', () => fail(how.signal.reason)));
	};
	window.setTimeout = (run, ms, ...rest) => {
		if (ms >= 20000) giveUp = run;
		return later(run, ms, ...rest);
	};
}`

func givesUpOnLostReply(v *visitor) {
	v.runsFirst(losesReplies)
	v.do(chromedp.Reload())
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	code := v.code(v.scans(), 0)
	v.enters("Enter the code", code)
	v.sees("Checking…")
	v.wait(`look.all('#code')[0].readOnly && look.focused().id === 'code'`)
	v.do(chromedp.Evaluate[chromedp.Void](`void giveUp()`))
	v.sees("The service does not answer.")
	v.keeps(code)
	v.press("Try again")
	v.sees("All set.")
}

func keepsCodeOffline(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	code := v.code(v.scans(), 0)
	v.offline(true)
	v.enters("Enter the code", code)
	v.sees("The service cannot be reached. Check your connection, then try again.")
	v.keeps(code)
	v.accessible("offline")
	v.pictures("offline-desktop")
	v.offline(false)
	v.press("Try again")
	v.sees("All set.")
	v.expectLine("Failed to load resource: net::ERR_INTERNET_DISCONNECTED")
}

func keepsCodeWhenDown(v *visitor) {
	down := cognitotest.Fault{Status: 502}
	v.demo.pools.Fail("VerifySoftwareToken", down, down, down)
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	code := v.code(v.scans(), 0)
	v.enters("Enter the code", code)
	v.sees("The sign-in service does not work at the moment.")
	v.keeps(code)
	for v.demo.pools.Calls("VerifySoftwareToken") < 3 {
		v.press("Try again")
		v.sees("Try again in a moment.")
	}
	v.press("Try again")
	v.sees("All set.")
	v.expectRefusals(502)
}

// keeps checks that the field has the code still, and does not call it wrong.
func (v *visitor) keeps(code string) {
	v.Helper()
	v.wait(fmt.Sprintf(`look.all('#code')[0].value === %q && !look.all('#code')[0].readOnly && !look.all('#code')[0].hasAttribute('aria-invalid')`, code))
}

func takesDigitsOfEveryScript(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	key := v.scans()
	v.press("Enter the code")
	v.pastes("1234567")
	v.wait(`look.all('#code')[0].value === '1234567'`)
	v.press("Finish")
	v.sees("A code has six digits. You entered 7.")
	if calls := v.demo.pools.Calls("VerifySoftwareToken"); calls != 0 {
		v.Errorf("Cognito was asked %d times about seven digits", calls)
	}
	for _, zero := range []rune{'０', '٠'} { // full-width, Arabic-Indic
		v.do(chromedp.Evaluate[chromedp.Void](`void look.all('#code')[0].select()`))
		v.pastes(inDigits(zero, v.wrongCode(key)))
		v.sees("The code is not right.")
	}
	v.pastes(inDigits('۰', v.code(key, 0)))
	v.sees("All set.")
	v.expectRefusals(422)
}

func inDigits(zero rune, code string) string {
	return strings.Map(func(digit rune) rune { return zero + digit - '0' }, code)
}

func takesDigitsWithoutClick(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	key := v.scans()
	v.focusIsOn("Set up your authenticator app")
	v.types(v.code(key, 0)) // scanned, and typed: nobody clicked on the field
	v.sees("All set.")
}

func namesDeviceAfterCode(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	v.scans()
	v.wait(`look.all('#code')[0].compareDocumentPosition(look.all('#device')[0]) & Node.DOCUMENT_POSITION_FOLLOWING`)
	v.sees("You have no such app yet?", "App Store", "Google Play", "Lost your phone?", "After that you need a new QR code.")
	v.press("Enter a key by hand instead")
	// Nothing here opens the link.
	v.do(chromedp.Evaluate[chromedp.Void](`void look.all('a.open')[0].addEventListener('click', (event) => event.preventDefault())`))
	v.press("Open in an app on this device")
	v.sees("Did nothing open?")
}

func leadsInvalidTokenToSignIn(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.sees("Set up an authenticator app")
	v.do(chromedp.Evaluate[chromedp.Void](`void (document.querySelector('mfa-enrollment').token = 'eyJhbGciOiJub25lIn0.e30.')`))
	v.press("Set up an authenticator app")
	v.sees("User pool", "Sign in again")
	v.expectRefusals(401)
}

// staysWhenThePageIsWrong makes two mistakes of a front end: a session in place of the
// token, which no sign-in mends, and a code that is none.
func staysWhenThePageIsWrong(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.sees("Set up an authenticator app")
	v.do(chromedp.Evaluate[chromedp.Void](`void (() => {
		const element = document.querySelector('mfa-enrollment'), { token } = element, call = fetch;
		element.addEventListener('sign-in-again', () => { window.left = true; });
		element.token = 'AYABe' + 'x'.repeat(60);
		window.mend = () => { element.token = token; };
		let cut = false;
		window.fetch = (url, how) => {
			if (cut || !String(url).endsWith('/verify')) return call(url, how);
			cut = true;
			return call(url, { ...how, body: how.body.replace(/[0-9]"/, '"') });
		};
	})()`))
	v.press("Set up an authenticator app")
	v.sees("Something in this page or app does not work as it should.")
	if left := ask(v, chromedp.Evaluate[bool](`Boolean(window.left)`)); left || strings.Contains(v.text(), "Sign in again") {
		v.Errorf("another sign-in is asked for, which does not help: %s", v.text())
	}
	v.do(chromedp.Evaluate[chromedp.Void](`void mend()`))
	v.press("Cancel")
	v.press("Set up an authenticator app")
	key := v.scans()
	v.enters("Enter the code", v.code(key, 0))
	v.sees("That is not a complete code.")
	v.wait(`look.all('#code')[0].value === '' && look.focused().id === 'code'`)
	v.types(v.code(key, 0))
	v.sees("All set.")
	v.expectRefusals(401)
	v.expectRefusals(400)
}

func explainsSupersededCode(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.press("Set up an authenticator app")
	old := v.scans()
	v.press("Get a new QR code")
	v.wait(fmt.Sprintf(`look.all('a.open')[0]?.href.includes('secret=') && !look.all('a.open')[0].href.includes(%q)`, old.Secret()))
	key := v.scans()
	v.enters("Enter the code", v.code(old, 0))
	v.sees("This code is from an earlier QR code.")
	v.accessible("superseded code")
	v.types(v.code(key, 0))
	v.sees("All set.")
	v.expectRefusals(422)
}

func saysWhenDemoIsGone(v *visitor) {
	v.wait(`look.all('fieldset')[0].getBoundingClientRect().top - look.all('h1')[0].getBoundingClientRect().bottom >= 16`)
	v.runsFirst(`{ const call = fetch; window.fetch = (url, how) => (url === '/demo.json' ? Promise.reject(new TypeError('gone')) : call(url, how)); }`)
	v.do(chromedp.Reload())
	v.sees("The demo does not answer", "Try again")
	v.accessible("no demo")
}

// readsRightToLeft shows the element in a pseudo-locale, right to left: whatever is
// not in brackets comes from no catalogue.
func readsRightToLeft(v *visitor) {
	v.signsIn(optionalPool, "ada")
	v.sees("Set up an authenticator app")
	v.do(chromedp.Evaluate[chromedp.Void](`import('/web/element/messages/en.js').then(({ default: english }) => {
		const pseudo = (text) => '⟦' + text.replace(/(\{\w+\})|[a-z]/gi, (c, kept) => kept ?? c + '\u0301').replace(/ /g, ' ~ ') + '⟧';
		const all = Object.entries(english).map(([id, m]) => [id, id === 'lang' ? 'en' : m.other ? { one: pseudo(m.one ?? m.other), other: pseudo(m.other) } : pseudo(m)]);
		document.dir = 'rtl';
		document.querySelector('mfa-enrollment').messages = Object.fromEntries(all);
	})`, chromedp.EvalAwaitPromise))
	untranslated := func(screen string) {
		v.Helper()
		texts := ask(v, chromedp.Evaluate[[]string](`(() => {
			const walker = document.createTreeWalker(look.roots()[1], NodeFilter.SHOW_TEXT), texts = [];
			while (walker.nextNode()) {
				const { data, parentElement } = walker.currentNode;
				if (data.trim() && !/^⟦.*⟧$/s.test(data.trim()) && !parentElement.closest('dd, .key')) texts.push(data);
			}
			return texts;
		})()`))
		if len(texts) > 0 {
			v.Errorf("%s: in no catalogue: %q", screen, texts)
		}
	}
	v.sees("⟦")
	untranslated("status")
	v.do(chromedp.Evaluate[chromedp.Void](`void look.all('.primary').find((e) => e.checkVisibility()).click()`))
	key := v.scans()
	untranslated("set up")
	v.accessible("set up, right to left")
	v.pictures("set-up-rtl")
	v.wait(`look.all('.steps')[0].getBoundingClientRect().right - look.all('.plate')[0].getBoundingClientRect().right < 2`)
	v.do(chromedp.Evaluate[chromedp.Void](`void look.all('details').forEach((d) => { d.open = true; })`))
	v.wait(`(([a, b]) => a.getBoundingClientRect().right <= b.getBoundingClientRect().left)(look.all('.key span'))`)
	copied := ask(v, chromedp.Evaluate[string](`(() => { getSelection().selectAllChildren(look.all('.key')[0]); return getSelection().toString(); })()`))
	if copied != key.Secret() {
		v.Errorf("the selected key copies as %d lines", strings.Count(copied, "\n")+1)
	}
	v.noSidewaysScrolling()
	v.types(v.wrongCode(key))
	v.wait(`look.all('#code-error')[0].checkVisibility()`)
	untranslated("wrong code")
	v.resize(320, 256) // 1280 by 1024 at 400 %
	v.noSidewaysScrolling()
	v.types(v.code(key, 0))
	v.wait(`look.all('.badge.on').length === 1`)
	untranslated("done")
	v.noSidewaysScrolling()
	v.expectRefusals(422)
}

func speaksGerman(v *visitor) {
	v.prefer("forced-colors", "active")
	v.signsIn(optionalPool, "ada")
	v.sees("Set up an authenticator app")
	v.do(chromedp.Evaluate[chromedp.Void](`import('/web/element/messages/de.js').then((m) => { document.querySelector('mfa-enrollment').messages = m.default; })`, chromedp.EvalAwaitPromise))
	v.press("Authenticator-App einrichten")
	key := v.scans()
	v.accessible("set up, forced colours")
	v.pictures("set-up-forced-colours")
	v.enters("Geben Sie den Code ein", v.code(key, 4*time.Minute))
	v.sees("Die Uhr des Telefons geht etwa 4 Minuten vor.")
	v.types(v.code(key, 0))
	v.sees("Alles bereit.")
	v.expectRefusals(422)
}

func worksOnSlowNetwork(v *visitor) {
	v.network(false, 1500)
	v.signsIn(requiredPool, "linus")
	v.sees("Getting a QR code…")
	v.accessible("set up, waiting")
	key := v.scans()
	v.remembers()
	v.enters("Enter the code", v.code(key, 0))
	v.sees("All set.")
	v.hasSeen("Checking…")
}

func (v *visitor) offline(offline bool) { v.network(offline, 0) }

// network changes what the page has for a network. latency is in milliseconds.
func (v *visitor) network(offline bool, latency float64) {
	v.call(func(ctx context.Context) error {
		// The protocol's newer command is not in every Chromium that is installed.
		emulate := cdp.Command[network.OverrideNetworkStateParams, cdp.Empty]{Method: "Network.emulateNetworkConditions"}
		_, err := chromedp.Call(ctx, emulate, network.OverrideNetworkStateParams{
			Offline: offline, Latency: latency, DownloadThroughput: -1, UploadThroughput: -1,
		})
		return err
	})
}

// expectLine takes what must have been said off the list of complaints.
func (v *visitor) expectLine(line string) {
	v.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	before := len(v.noise)
	v.noise = slices.DeleteFunc(v.noise, func(said string) bool { return said == line })
	if len(v.noise) == before {
		v.Errorf("the browser did not say %q, but %q", line, v.noise)
	}
}
