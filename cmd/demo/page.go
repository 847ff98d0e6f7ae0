package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/web"
)

// The files of the page. Those in page/swagger-ui come from npm unchanged, with
// their licences; npm/package.json pins the version.
//
//go:embed page
var pageFiles embed.FS

// pool is what the page knows of a user pool.
type pool struct {
	Name     string `json:"name"`
	Text     string `json:"text"`
	MFA      string `json:"mfa"` // optional or required
	ClientID string `json:"clientId"`
}

// settings is GET /demo.json: where the stand-in is and whom it knows.
type settings struct {
	Cognito  string   `json:"cognito"`
	Pools    []pool   `json:"pools"`
	Users    []string `json:"users"`
	Password string   `json:"password"`
	Asks     bool     `json:"asks"` // whether MFA_POLICY asks anybody to set up an app
}

// file is a page file as it is served.
type file struct {
	content     []byte
	contentType string
	etag        string
}

// newPage serves the demo page, the API reference at /docs and the settings at
// /demo.json. standIn is the stand-in's origin, such as http://127.0.0.1:9229:
// the page may call that and its own origin, and nobody else.
func newPage(standIn string, pools []cognitotest.Pool, asks bool) (http.Handler, error) {
	config, err := json.Marshal(settingsFor(standIn, pools, asks)) //nolint:gosec // The password of made-up users, which the README tells too.
	if err != nil {
		return nil, err
	}
	files, err := readPage()
	if err != nil {
		return nil, err
	}
	policies, err := newPolicies(standIn, files["/"])
	if err != nil {
		return nil, err
	}
	files["/demo.json"] = newFile("demo.json", config)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		default:
			f.serve(w, r, policies.of(r.URL.Path))
		}
	}), nil
}

// settingsFor describes the pools of the demo, which all have the same users.
func settingsFor(standIn string, pools []cognitotest.Pool, asks bool) settings {
	s := settings{Cognito: standIn + "/", Password: pools[0].Users[0].Password, Asks: asks}
	for _, p := range pools {
		described := pool{
			Name: "Second factor optional", Text: "Sign in, then set up an app from your account.",
			MFA: "optional", ClientID: publicClient(p),
		}
		if p.MFA == cognitotest.MFARequired {
			described.Name, described.Text = "Second factor required", "Set up an app before the first sign-in is complete."
			described.MFA = "required"
		}
		s.Pools = append(s.Pools, described)
	}
	for _, u := range pools[0].Users {
		s.Users = append(s.Users, u.Username)
	}
	return s
}

// publicClient is the pool's app client without a secret: a browser must hold none.
func publicClient(p cognitotest.Pool) string {
	for _, c := range p.Clients {
		if c.Secret == "" {
			return c.ID
		}
	}
	return ""
}

// readPage reads the embedded files by the path at which they are served: a
// page goes without its .html, and the packages of web/ are under /web.
func readPage() (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(web.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := web.Files.ReadFile(name)
		files["/web/"+name] = newFile(name, content)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(pageFiles, "page", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := pageFiles.ReadFile(name)
		served := strings.TrimSuffix(strings.TrimPrefix(name, "page"), ".html")
		if served == "/index" {
			served = "/"
		}
		files[served] = newFile(name, content)
		return err
	})
	return files, err
}

func newFile(name string, content []byte) file {
	contentType := mime.TypeByExtension(path.Ext(name))
	if contentType == "" {
		contentType = "text/plain; charset=utf-8"
	}
	sum := sha256.Sum256(content)
	return file{content: content, contentType: contentType, etag: `"` + hex.EncodeToString(sum[:16]) + `"`}
}

// serve answers with the file. Documents are not stored at all, so that going
// back does not bring a page with a secret on it out of the browser's memory;
// the rest is asked for again each time and costs a 304.
func (f file) serve(w http.ResponseWriter, r *http.Request, policy string) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if strings.HasPrefix(f.contentType, "text/html") || f.contentType == "application/json" {
		h.Set("Cache-Control", "no-store")
	} else {
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", f.etag)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}

// policies are the Content-Security-Policy of the page and that of the rest.
type policies struct{ page, docs, rest string }

// newPolicies lets nothing in but the page's own files, its import map and pictures
// in data: URIs, such as the QR code, and lets nothing out but calls of the API and
// of the stand-in. Swagger UI writes HTML, so its page goes without trusted types.
func newPolicies(standIn string, index file) (policies, error) {
	// An import map stands in the page itself and is let in by its hash.
	_, after, found := bytes.Cut(index.content, []byte(`<script type="importmap">`))
	importMap, _, closed := bytes.Cut(after, []byte("</script>"))
	if !found || !closed {
		return policies{}, errors.New("the page has no import map")
	}
	sum := sha256.Sum256(importMap)
	hash := " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	policy := func(hash string) string {
		return "default-src 'none'; script-src 'self'" + hash + "; style-src 'self'; img-src 'self' data:; connect-src 'self' " + standIn +
			"; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
	}
	const trusted = "; require-trusted-types-for 'script'; trusted-types 'none'"
	return policies{page: policy(hash) + trusted, docs: policy(""), rest: policy("") + trusted}, nil
}

func (p policies) of(servedPath string) string {
	switch servedPath {
	case "/":
		return p.page
	case "/docs":
		return p.docs
	}
	return p.rest
}
