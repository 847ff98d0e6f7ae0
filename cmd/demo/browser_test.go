package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"mfa-enrollment/test/program"
)

// patience bounds one step of a test. It is far beyond what any step takes, so
// that a slow machine fails nothing.
const patience = time.Minute

// startBrowser starts one Chromium for all tests and returns its context. Where
// there is none, CI fails and a developer's machine skips.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path := program.Find(t, "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		// Processes cost most: one for each window, and none in reserve.
		chromedp.Flag("renderer-process-limit", "1"),
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,SpareRendererForSitePerProcess"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	// A window that closes while it loads is worth no line in the test's output.
	ctx, stop := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium did not start: %v", err)
	}
	return ctx
}

// visitor is one person with one browser window of their own, at a demo of
// their own.
type visitor struct {
	*testing.T
	ctx  context.Context
	demo *demo
	home string // the page's origin

	mu       sync.Mutex
	noise    []string // what the browser complained about
	abroad   []string // requests that left 127.0.0.1
	requests int
}

// visit opens a window at a new demo. environment changes its configuration.
func visit(t *testing.T, browser context.Context, environment map[string]string) *visitor {
	t.Helper()
	d := startDemo(t, environment)
	ctx, closeWindow := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closeWindow)
	v := &visitor{T: t, ctx: ctx, demo: d, home: "http://" + d.app.Addr()}
	v.watch(ctx)
	v.resize(1280, 900)
	v.do(chromedp.Navigate(v.home + "/"))
	v.sees("Sign in") // Its script draws the page.
	return v
}

// startDemo starts the demo on free ports.
func startDemo(t *testing.T, environment map[string]string) *demo {
	t.Helper()
	getenv := func(name string) string {
		if strings.HasSuffix(name, "ADDR") {
			return "127.0.0.1:0"
		}
		return environment[name]
	}
	d, err := start(t.Context(), getenv, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.cognito.Close(); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.app.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return d
}

// watch collects what a window must not do: complain, or call somebody else.
func (v *visitor) watch(ctx context.Context) {
	err := chromedp.Listen(ctx, func(event any) {
		v.mu.Lock()
		defer v.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			v.noise = append(v.noise, "console."+string(e.Type))
		case *runtime.EventExceptionThrown:
			v.noise = append(v.noise, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			v.noise = append(v.noise, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			v.requests++
			if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme != "data" && net.ParseIP(u.Hostname()).String() != "127.0.0.1" {
				v.abroad = append(v.abroad, e.Request.URL)
			}
		}
	})
	v.must(err)
	v.runsFirst(look)
	v.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	})
}

// expectRefusals says that there were replies with this status, and takes
// Chromium's own line about each off the list of complaints: no page can help it.
func (v *visitor) expectRefusals(status int) {
	v.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	before := len(v.noise)
	v.noise = slices.DeleteFunc(v.noise, func(line string) bool {
		return strings.HasPrefix(line, fmt.Sprintf("Failed to load resource: the server responded with a status of %d ", status))
	})
	if len(v.noise) == before {
		v.Errorf("no reply had the status %d", status)
	}
}

// leave checks what was collected: there must be nothing.
func (v *visitor) leave() {
	v.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.requests == 0 {
		v.Error("no request was seen: the watch does not work")
	}
	for _, line := range v.noise {
		v.Errorf("the browser complained: %s", line)
	}
	for _, address := range v.abroad {
		v.Errorf("a request left this machine: %s", address)
	}
}

// must ends the test on an error.
func (v *visitor) must(err error) {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
}

// do runs actions, each within patience.
func (v *visitor) do(actions ...chromedp.Action[chromedp.Void]) {
	v.Helper()
	for _, a := range actions {
		ask(v, a)
	}
}

// ask runs an action within patience and returns its value.
func ask[T any](v *visitor, a chromedp.Action[T]) T {
	v.Helper()
	if err := chromedp.Do(v.ctx); err != nil { // a window must be open before its first time limit
		v.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, a)
	v.must(err)
	return value
}
