package main

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"mfa-enrollment/test/long"
)

// What a visitor can do, in the words of a person: nothing here knows the
// page's scripts, and little its markup.

// look sees what a person does: the page with what is in the element's shadow.
const look = `window.look = {
	roots: () => [document, ...[...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean)],
	all: (selector) => look.roots().flatMap((root) => [...root.querySelectorAll(selector)]).filter((e) => e.closest('main, #announcer') || e.getRootNode() !== document),
	text: () => look.roots().map((root) => (root === document ? document.querySelector('main') : { innerText: [...root.children].map((e) => e.innerText).join('\n') }).innerText).join('\n'),
	focused: () => document.activeElement.shadowRoot?.activeElement ?? document.activeElement,
};`

// resize sets the size of the window, in CSS pixels.
func (v *visitor) resize(width, height int64) { v.do(chromedp.EmulateViewport(width, height)) }

// usePhone makes the window a phone's: 360 by 740, sharp, touched.
func (v *visitor) usePhone() {
	v.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(3), chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait))
}

// prefer sets a media feature, such as prefers-color-scheme.
func (v *visitor) prefer(name, value string) {
	v.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: name, Value: value}},
		})
		return err
	}))
}

// wait waits until an expression is true in the page. Chromium's own polling
// helpers need eval, which the page's policy forbids.
func (v *visitor) wait(expression string) {
	v.Helper()
	script := fmt.Sprintf(`new Promise((done) => {
		const again = () => (%s) ? done(true) : setTimeout(again, 100);
		again();
	})`, expression)
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise)); err != nil {
		v.shoot("failed-" + strings.ReplaceAll(v.Name(), "/", "-"))
		v.Fatalf("waited for %s: %v; the page shows:\n%s", expression, err, v.text())
	}
}

// sees waits until the page shows all of these words.
func (v *visitor) sees(words ...string) {
	v.Helper()
	for _, w := range words {
		v.wait(fmt.Sprintf(`look.text().replace(/\s+/g, ' ').includes(%s)`, strconv.Quote(w)))
	}
}

// remembers keeps what the page shows from now on, for what is soon gone again.
func (v *visitor) remembers() {
	v.do(chromedp.Evaluate[chromedp.Void](`void look.roots().forEach((root) => new MutationObserver(() => {
		window.shown = (window.shown ?? '') + look.text();
	}).observe(root, { subtree: true, childList: true, characterData: true, attributes: true }))`))
}

// hasSeen waits until the page has shown these words, be it for a moment.
func (v *visitor) hasSeen(words string) {
	v.Helper()
	v.wait(fmt.Sprintf(`window.shown?.includes(%q)`, words))
}

// text is what the page shows.
func (v *visitor) text() string {
	return ask(v, chromedp.Evaluate[string](`look.text()`))
}

// press clicks on what a person calls by this name: a button, a link, or the
// label of a field, which may say more.
func (v *visitor) press(name string) {
	v.Helper()
	x, y := v.finds(name)
	v.do(chromedp.MouseClickXY(x, y))
}

// clicksTwice is a double click at a place that was found before.
func (v *visitor) clicksTwice(x, y float64) {
	v.Helper()
	v.do(chromedp.MouseClickXY(x, y), chromedp.MouseClickXY(x, y, chromedp.ClickCount(2)))
}

// finds waits until something with this name can be clicked on, and returns
// where: in the window, and not behind something else.
func (v *visitor) finds(name string) (x, y float64) {
	v.Helper()
	v.looks()
	v.wait(fmt.Sprintf(`(() => {
		const text = (e) => e.innerText.trim().replace(/\s+/g, ' ');
		const named = look.all(':is(button, a, summary, label)').filter((e) =>
			e.checkVisibility() && (e.localName === 'label' ? text(e).startsWith(%[1]q) : text(e) === %[1]q));
		for (const element of named) {
			element.scrollIntoView({ block: 'nearest', behavior: 'instant' });
			const { left, top, width, height } = element.getBoundingClientRect();
			const at = [left + width / 2, top + height / 2];
			if (element.contains(element.getRootNode().elementFromPoint(...at))) {
				window.found = at;
				return true;
			}
		}
	})()`, name))
	at := ask(v, chromedp.Evaluate[[2]float64](`found`))
	return at[0], at[1]
}

// types writes into the field that has the focus.
func (v *visitor) types(text string) { v.do(chromedp.KeyEvent(text)) }

// enters writes into the field with this label, over what is there.
func (v *visitor) enters(label, text string) {
	v.Helper()
	v.press(label)
	v.types(text)
}

// signsIn fills in the first screen.
func (v *visitor) signsIn(pool, user string) {
	v.Helper()
	v.sees("Sign in")
	v.press(pool)
	v.do(chromedp.SetValue(chromedp.ID("username"), user))
	v.press("Sign in")
}

// The pools, by the names that the page gives them and by their ids.
const (
	optionalPool, optionalID = "Second factor optional", "us-east-1_Optional"
	requiredPool, requiredID = "Second factor required", "us-east-1_Required"
)

// enrolls signs in and sets an app up, and returns the key and the code that did.
func (v *visitor) enrolls(pool, user string) (*otp.Key, string) {
	v.Helper()
	v.signsIn(pool, user)
	if pool == optionalPool {
		v.press("Set up an authenticator app")
	}
	key := v.scans()
	code := v.code(key, 0)
	v.enters("Enter the code", code)
	v.sees("All set.", "It is asked for whenever you sign in.")
	return key, code
}

// scans reads the QR code off a picture of the window, as a phone does.
func (v *visitor) scans() *otp.Key {
	v.Helper()
	const picture = `look.all('img[part="picture"]')[0]`
	v.wait(fmt.Sprintf(`%s?.checkVisibility() && %[1]s.naturalWidth > 0`, picture))
	v.looks()
	// One element's part of the window, quiet zone included: the decoder is told
	// that there is nothing else, since its search for a code in a larger picture
	// misses one in some hundreds. Where the window is so narrow that the picture
	// is made smaller, modules are not whole pixels, and it must search.
	screen, err := png.Decode(bytes.NewReader(ask(v, chromedp.Screenshot(chromedp.JSPath(picture), chromedp.NodeVisible))))
	v.must(err)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(screen)
	v.must(err)
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		result, err = qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	}
	if err != nil {
		v.shoot("unreadable")
		v.Fatalf("the QR code cannot be read off the screen: %v", err)
	}
	key, err := otp.NewKeyFromURL(result.GetText())
	v.must(err)
	return key
}

// looks puts the window before the person's others. Chromium does not draw what
// is behind, and a picture of that would not come.
func (v *visitor) looks() {
	v.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{})
		return err
	})
}

// code is what the app shows on a phone whose clock is off by skew.
func (v *visitor) code(key *otp.Key, skew time.Duration) string {
	v.Helper()
	code, err := totp.GenerateCode(key.Secret(), time.Now().Add(skew))
	v.must(err)
	return code
}

// step is how long an app shows a code.
const step = 30 * time.Second

// wrongCode is a code that the app shows at no time near now.
func (v *visitor) wrongCode(key *otp.Key) string {
	v.Helper()
	near := map[string]bool{}
	for skew := -15 * time.Minute; skew <= 15*time.Minute; skew += step {
		near[v.code(key, skew)] = true
	}
	for n := 0; ; n++ {
		if code := fmt.Sprintf("%06d", n); !near[code] {
			return code
		}
	}
}

// pastes puts text into the field that has the focus, all at once.
func (v *visitor) pastes(text string) {
	v.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}

// tabsTo presses Tab until something with this name has a visible focus.
func (v *visitor) tabsTo(name string) {
	v.Helper()
	var passed []string
	for range 15 {
		v.types(kb.Tab)
		passed = append(passed, v.focused())
		if strings.HasPrefix(passed[len(passed)-1], name) {
			if !ask(v, chromedp.Evaluate[bool](`getComputedStyle(look.focused()).outlineStyle !== 'none'`)) {
				v.Errorf("nobody can see that %q has the focus", name)
			}
			return
		}
	}
	v.Fatalf("Tab does not lead to %q, but to %q", name, passed)
}

// focusIsOn waits until something with this name has the focus.
func (v *visitor) focusIsOn(name string) {
	v.Helper()
	v.wait(fmt.Sprintf(`(%s).startsWith(%q)`, focusedName, name))
}

func (v *visitor) focused() string { return ask(v, chromedp.Evaluate[string](focusedName)) }

const focusedName = `(look.focused().labels?.[0] ?? look.focused()).innerText.trim().replace(/\s+/g, ' ')`

// hears waits until a screen reader is told these words.
func (v *visitor) hears(words string) {
	v.Helper()
	v.wait(fmt.Sprintf(`look.all('[role="status"], [role="alert"]').some((e) => e.textContent.includes(%q))`, words))
}

// canPassTime gives the page a clock that the test can put forward.
func (v *visitor) canPassTime() {
	v.runsFirst(`{ const now = Date.now; let passed = 0; Date.now = () => now() + passed; window.passTime = (ms) => { passed += ms; }; }`)
	v.do(chromedp.Reload())
}

// passTime puts the page's clock forward.
func (v *visitor) passTime(d time.Duration) {
	v.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`passTime(%d)`, d.Milliseconds())))
}

// mayUseClipboard allows this window to read the clipboard, to see what was
// copied.
func (v *visitor) mayUseClipboard() {
	v.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: "clipboard-read"}, Setting: browser.PermissionSettingGranted, Origin: v.home,
			BrowserContextID: chromedp.FromContext(v.ctx).BrowserContextID,
		})
		return err
	})
}

// opensSecondWindow opens the page once more, as the same person.
func (v *visitor) opensSecondWindow() *visitor {
	v.Helper()
	opened := chromedp.WaitNewTarget(v.ctx, func(*target.Info) bool { return true })
	v.do(chromedp.Evaluate[chromedp.Void](`void window.open('/')`))
	ctx, closeWindow := chromedp.NewContext(v.ctx, chromedp.WithTargetID(<-opened))
	v.Cleanup(closeWindow)
	second := &visitor{T: v.T, ctx: ctx, demo: v.demo, home: v.home}
	second.watch(ctx)
	second.resize(1280, 900)
	second.do(chromedp.Reload()) // so that all of its requests are seen
	return second
}

// replacesSecret asks Cognito for a new secret behind the service's back.
func (v *visitor) replacesSecret(user string) {
	v.Helper()
	tokens := v.demo.pools.SignIn(optionalID, "demo-optional", user)
	body := fmt.Sprintf(`{"AccessToken":%q}`, tokens.AccessToken)
	r, err := http.NewRequestWithContext(v.Context(), http.MethodPost, "http://"+v.demo.standIn.Addr().String(), strings.NewReader(body))
	v.must(err)
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.AssociateSoftwareToken")
	reply, err := http.DefaultClient.Do(r)
	v.must(err)
	v.must(reply.Body.Close())
	if reply.StatusCode != http.StatusOK {
		v.Fatalf("AssociateSoftwareToken: %s", reply.Status)
	}
}

// call runs a command of the DevTools protocol.
func (v *visitor) call(command func(context.Context) error) {
	v.Helper()
	v.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { return command(ctx) }))
}

// pictures keeps a picture of the whole page, for people to look at.
func (v *visitor) pictures(name string) {
	if long.Asked() {
		v.shoot(name)
	}
}

// shoot keeps a picture of the whole page in the folder artifacts.
func (v *visitor) shoot(name string) {
	v.looks()
	folder := filepath.Join("..", "..", "artifacts", "screenshots")
	v.must(os.MkdirAll(folder, 0o750))
	v.must(os.WriteFile(filepath.Join(folder, name+".png"), ask(v, chromedp.FullScreenshot(100)), 0o600))
}

// runsFirst runs a script in the page from its next load on, before its own.
func (v *visitor) runsFirst(script string) {
	v.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}
