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
	"client":  {"README.md", "api.d.ts", "catalogue.d.ts", "client.js", "digits.js", "index.d.ts", "index.js", "message.js", "package.json", "problem.js"},
	"element": {"README.md", "catalogue.d.ts", "code-form.js", "countdown.js", "dom.js", "element.js", "index.d.ts", "index.js", "package.json", "style.js", "views.js"},
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

// TestPackagesWorkInAViteApplication packs the packages, installs them in an empty
// Vite application, builds it and sets an app up with each part in Chromium, against
// the demo's service, under a strict policy.
func TestPackagesWorkInAViteApplication(t *testing.T) {
	long.Only(t, "builds an application with Vite")
	readSources(t)
	program.Install(t, ".")
	application := emptyApplication(t)
	if err := os.CopyFS(application, os.DirFS("vite")); err != nil {
		t.Fatal(err)
	}
	runIn(t, application, "../.bin/vite", "build")

	site := serve(t, filepath.Join(application, "dist"))
	browser := startBrowser(t)
	for _, part := range []string{"element", "react", "hook"} {
		t.Run(part+" leads an invalid token to sign-in", func(t *testing.T) {
			ctx := openWindow(t, browser)
			if err := chromedp.Do(ctx, chromedp.Navigate(site+"?"+url.Values{"part": {part}, "token": {"eyJhbGciOiJub25lIn0.e30."}}.Encode())); err != nil {
				t.Fatal(err)
			}
			if got := until(ctx, t, done); got != "sign in again: invalid_token" {
				t.Errorf("what came of it is %q", got)
			}
		})
	}
	// For each person there is one part in each pool.
	for user, part := range map[string]string{"ada": "element", "grace": "react", "linus": "hook"} {
		for client, want := range map[string]string{"demo-optional": "enabled true", "demo-required-web": "signed in"} {
			t.Run(part+" with "+client, func(t *testing.T) {
				ctx := openWindow(t, browser)
				enroll(ctx, t, site+"?"+url.Values{"part": {part}, "client": {client}, "user": {user}}.Encode(), done, want)
			})
		}
	}
}

// emptyApplication makes a folder with the packages installed from their tarballs. It
// stands where Vite and React are found, which package-lock.json pins.
func emptyApplication(t *testing.T) string {
	t.Helper()
	application, err := os.MkdirTemp("node_modules", ".application-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(application); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(application, "package.json"), []byte(`{"private":true,"type":"module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tarballs := t.TempDir()
	install := []string{"install", "--offline", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"}
	for _, name := range []string{"client", "element", "react"} {
		install = append(install, pack(t, name, tarballs))
	}
	runIn(t, application, "npm", install...)
	return application
}

func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program.Find(t, "chromium", "chromium-browser", "google-chrome")),
		chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	return browser
}

// done is what the application says came of it.
const done = `document.querySelector('#app').dataset.done`

func openWindow(t *testing.T, browser context.Context) context.Context {
	t.Helper()
	window, closeWindow := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closeWindow)
	if err := chromedp.Do(window); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(window, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// enroll sets an app up on the page at address, where the expression said then tells
// what came of it.
func enroll(ctx context.Context, t *testing.T, address, said, want string) {
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
	if got := until(ctx, t, said); got != want {
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

// TestTheGuidesFirstPath does what docs/frontends.md tells its readers to do first:
// the files that it shows, in an empty application, with Vite's own server.
func TestTheGuidesFirstPath(t *testing.T) {
	long.Only(t, "builds an application with Vite")
	readSources(t)
	program.Install(t, ".")
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "frontends.md"))
	if err != nil {
		t.Fatal(err)
	}
	api, cognito := startDemo(t)
	application := emptyApplication(t)
	addresses := strings.NewReplacer("127.0.0.1:8080", api, "127.0.0.1:9229", cognito, "\n   ", "\n")
	for _, name := range []string{"index.html", "vite.config.js", "src/main.js"} {
		_, after, _ := strings.Cut(string(guide), "`"+name+"`")
		_, after, _ = strings.Cut(after, "   ```")
		_, after, _ = strings.Cut(after, "\n")
		text, _, found := strings.Cut(after, "\n   ```")
		if !found {
			t.Fatalf("docs/frontends.md does not show %s", name)
		}
		path := filepath.Join(application, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(addresses.Replace("\n"+text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), program.Find(t, "node"), "../vite/bin/vite.js", "--host", "127.0.0.1", "--port", "0")
	command.Dir = application
	command.Env = append(os.Environ(), "NO_COLOR=1")
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	var address string
	for lines := bufio.NewScanner(stdout); address == "" && lines.Scan(); {
		address = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(lines.Text())
	}
	if address == "" {
		t.Fatal("Vite did not say where it is")
	}
	ctx, cancel := context.WithTimeout(startBrowser(t), 2*time.Minute)
	defer cancel()
	enroll(ctx, t, address, `document.body.innerText.trim()`, "Ada is enrolled.")
}
