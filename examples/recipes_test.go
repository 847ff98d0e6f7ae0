package examples_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"mfa-enrollment/test/program"
	"mfa-enrollment/test/world"
)

// TestRecipes runs each recipe's test in Node, against the service and a stand-in
// for Cognito of its own.
func TestRecipes(t *testing.T) {
	node := program.Find(t, "node")
	program.Install(t, ".")
	readSources(t, ".")
	readSources(t, "../web")
	for _, recipe := range []string{
		"mid-sign-in/mid-sign-in.test.mjs",
		"nextjs/nextjs.test.mjs",
		"oidc/oidc.test.mjs",
		"vue/vue.test.mjs",
	} {
		t.Run(recipe, func(t *testing.T) {
			w := world.New(t, map[string]string{
				"COGNITO_CLIENT_IDS": "demo-optional,demo-required,demo-required-web",
				"TRUSTED_PROXIES":    "127.0.0.1",
			})
			helper := httptest.NewServer(helper(w))
			defer helper.Close()
			run := exec.CommandContext(t.Context(), node, recipe)
			run.Env = append(os.Environ(), "SERVICE="+w.URL, "COGNITO="+w.Endpoint, "HELPER="+helper.URL)
			out, err := run.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// helper does what a recipe's test cannot do alone: the authenticator app, the
// clock, a token, and what stands in for the page of managed login.
func helper(w *world.World) http.Handler {
	mux := http.NewServeMux()
	seconds := func(r *http.Request, name string) time.Duration {
		n, err := strconv.Atoi(r.FormValue(name))
		if err != nil {
			w.T.Error(err)
		}
		return time.Duration(n) * time.Second
	}
	mux.HandleFunc("GET /code", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(rw, w.CodeAt(r.FormValue("secret"), seconds(r, "off")))
	})
	mux.HandleFunc("GET /token", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(rw, w.Token(world.Optional, world.OptionalClient, r.FormValue("username")))
	})
	mux.HandleFunc("GET /later", func(_ http.ResponseWriter, r *http.Request) {
		w.Clock.Advance(seconds(r, "seconds"))
	})
	mux.HandleFunc("GET /log", func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(rw, w.Log)
	})
	// Managed login, once ada has typed her password.
	mux.HandleFunc("GET /oauth2/authorize", func(rw http.ResponseWriter, r *http.Request) {
		back := r.FormValue("redirect_uri")
		code := w.Cognito.AuthorizationCode(world.Optional, r.FormValue("client_id"), "ada", r.FormValue("scope"), back, r.FormValue("code_challenge"))
		http.Redirect(rw, r, back+"?"+url.Values{"code": {code}, "state": {r.FormValue("state")}}.Encode(), http.StatusFound)
	})
	return mux
}
