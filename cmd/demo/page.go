package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"mfa-enrollment/cognito/cognitotest"
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
	// ClientSecret is told to the browser, as no real one ever may be.
	ClientSecret string `json:"clientSecret,omitempty"`
}

// settings is GET /demo.json: where the stand-in is and whom it knows.
type settings struct {
	Cognito  string   `json:"cognito"`
	Pools    []pool   `json:"pools"`
	Users    []string `json:"users"`
	Password string   `json:"password"`
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
func newPage(standIn string, pools []cognitotest.Pool) (http.Handler, error) {
	config, err := json.Marshal(settingsFor(standIn, pools)) //nolint:gosec // The password of made-up users, which the README tells too.
	if err != nil {
		return nil, err
	}
	files, err := readPage()
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
			f.serve(w, r, contentPolicy(standIn, r.URL.Path))
		}
	}), nil
}

// settingsFor describes the pools of the demo, which all have the same users.
func settingsFor(standIn string, pools []cognitotest.Pool) settings {
	s := settings{Cognito: standIn + "/", Password: pools[0].Users[0].Password}
	for _, p := range pools {
		described := pool{
			Name: "Second factor optional", Text: "Sign in, then set up an app from your account.",
			MFA: "optional", ClientID: p.Clients[0].ID, ClientSecret: p.Clients[0].Secret,
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

// readPage reads the embedded files by the path at which they are served: a
// page goes without its .html.
func readPage() (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(pageFiles, "page", func(name string, entry fs.DirEntry, err error) error {
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

// contentPolicy lets nothing in but the page's own files and pictures in data:
// URIs, such as the QR code, and lets nothing out but calls of the API and of
// the stand-in. Swagger UI writes HTML, so its page goes without trusted types.
func contentPolicy(standIn, servedPath string) string {
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' " + standIn +
		"; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
	if servedPath == "/docs" {
		return policy
	}
	return policy + "; require-trusted-types-for 'script'; trusted-types 'none'"
}
