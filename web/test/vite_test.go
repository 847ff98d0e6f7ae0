package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"mfa-enrollment/test/long"
	"mfa-enrollment/test/program"
)

// contents are the files of each package, but for its messages.
var contents = map[string][]string{
	"client":  {"README.md", "api.d.ts", "catalogue.d.ts", "client.js", "index.d.ts", "index.js", "message.js", "package.json", "problem.js"},
	"element": {"README.md", "catalogue.d.ts", "code-form.js", "countdown.js", "digits.js", "dom.js", "element.js", "index.d.ts", "index.js", "package.json", "style.js", "views.js"},
	"react":   {"README.md", "index.d.ts", "index.js", "package.json"},
}

// pack makes the package's tarball and returns its path.
func pack(t *testing.T, name, folder string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program.Find(t, "npm"), "pack", "--json", "--pack-destination", folder)
	command.Dir = filepath.Join("..", name)
	output, err := command.Output()
	if err != nil {
		t.Fatalf("npm pack: %v", err)
	}
	var packed []struct {
		Filename string
		Size     int
		Files    []struct{ Path string }
	}
	if err := json.Unmarshal(output, &packed); err != nil || len(packed) != 1 {
		t.Fatalf("npm pack says %s: %v", output, err)
	}
	var files []string
	for _, f := range packed[0].Files {
		files = append(files, f.Path)
	}
	want := slices.Clone(contents[name])
	if name != "react" {
		for _, lang := range []string{"de", "en", "es", "ja"} {
			want = append(want, "messages/"+lang+".js")
		}
	}
	slices.Sort(files)
	slices.Sort(want)
	if !slices.Equal(files, want) {
		t.Errorf("%s has the files %v, want %v", name, files, want)
	}
	t.Logf("mfa-enrollment-%s: %d bytes packed, %d files", name, packed[0].Size, len(files))
	return filepath.Join(folder, packed[0].Filename)
}

func TestPackagesHoldWhatTheyShould(t *testing.T) {
	readSources(t)
	for name := range contents {
		pack(t, name, t.TempDir())
	}
}

// TestPackagesWorkInAViteApplication packs the packages, installs them in an empty
// Vite application, builds it and sets an app up with each part in Chromium, against
// the demo's service, under a strict policy.
func TestPackagesWorkInAViteApplication(t *testing.T) {
	if !long.Or(false, true) {
		t.Skip("slow: make test-long runs it")
	}
	readSources(t)
	program.Install(t, ".")
	chromium := program.Find(t, "chromium", "chromium-browser", "google-chrome")
	// It stands where it finds Vite and React, which package-lock.json pins.
	application, err := os.MkdirTemp("node_modules", ".vite-application-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(application); err != nil {
			t.Error(err)
		}
	})
	if err := os.CopyFS(application, os.DirFS("vite")); err != nil {
		t.Fatal(err)
	}
	tarballs := t.TempDir()
	install := []string{"install", "--offline", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"}
	for _, name := range []string{"client", "element", "react"} {
		install = append(install, pack(t, name, tarballs))
	}
	runIn(t, application, "npm", install...)
	runIn(t, application, "../.bin/vite", "build")

	site := serve(t, filepath.Join(application, "dist"))
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	// For each person there is one part in each pool.
	for user, part := range map[string]string{"ada": "element", "grace": "react", "linus": "hook"} {
		for client, want := range map[string]string{"demo-optional": "enabled true", "demo-required-web": "signed in"} {
			t.Run(part+" with "+client, func(t *testing.T) {
				window, closeWindow := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
				defer closeWindow()
				if err := chromedp.Do(window); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(window, time.Minute)
				defer cancel()
				enroll(ctx, t, site+"?"+url.Values{"part": {part}, "client": {client}, "user": {user}}.Encode(), want)
			})
		}
	}
}

// enroll sets an app up on the page at address.
func enroll(ctx context.Context, t *testing.T, address, want string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	secret := until(ctx, t, `(document.querySelector('mfa-enrollment')?.shadowRoot ?? document).querySelector('code')?.textContent`)
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	focus := chromedp.Evaluate[chromedp.Void](`void document.querySelector('input')?.focus()`)
	if err := chromedp.Do(ctx, focus, chromedp.KeyEvent(code+"\r")); err != nil {
		t.Fatal(err)
	}
	if got := until(ctx, t, `document.querySelector('#app').dataset.done`); got != want {
		t.Errorf("what came of it is %q, want %q", got, want)
	}
}

// until waits until an expression has a value. Chromium's own polling needs eval,
// which the policy forbids.
func until(ctx context.Context, t *testing.T, expression string) string {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[string](`new Promise((done) => {
		const look = () => { const value = `+expression+`; return value ? done(value) : setTimeout(look, 20); };
		look();
	})`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("waited for %s: %v", expression, err)
	}
	return value
}

// serve serves the application beside the service and the stand-in of a demo.
func serve(t *testing.T, folder string) string {
	t.Helper()
	api, cognito := startDemo(t)
	mux := http.NewServeMux()
	mux.Handle("/v1/", httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: api}))
	mux.Handle("/cognito", http.StripPrefix("/cognito", httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: cognito})))
	files := http.FileServer(http.Dir(folder))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; img-src data:; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'")
		files.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// startDemo runs cmd/demo, and returns where the service and the stand-in are.
func startDemo(t *testing.T) (api, cognito string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "demo")
	runIn(t, filepath.Join("..", ".."), "go", "build", "-o", binary, "./cmd/demo")
	command := exec.Command(binary) //nolint:noctx // It ends by SIGTERM, below.
	command.Env = append(os.Environ(), "ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0", "COGNITO_ADDR=127.0.0.1:0")
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	address := regexp.MustCompile(`http://(\S+)`)
	var addresses []string
	for lines := bufio.NewScanner(stdout); len(addresses) < 3 && lines.Scan(); {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			addresses = append(addresses, strings.TrimSuffix(found[1], "/metrics"))
		}
	}
	if len(addresses) < 3 {
		t.Fatalf("the demo told the addresses %v", addresses)
	}
	return addresses[0], addresses[2]
}

func runIn(t *testing.T, folder, name string, args ...string) {
	t.Helper()
	path := name
	if !strings.Contains(name, "/") {
		path = program.Find(t, name)
	}
	command := exec.CommandContext(t.Context(), path, args...)
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("%s %v: %w\n%s", name, args, err, output))
	}
}
