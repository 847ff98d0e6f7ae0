package world

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Reply is what came back.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON is the body as an object.
func (r Reply) JSON(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.Body, &m); err != nil {
		t.Fatalf("the body is not JSON: %v\n%s", err, r.Body)
	}
	return m
}

// Code is the code of a problem document.
func (r Reply) Code(t *testing.T) string {
	t.Helper()
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("status %d with Content-Type %q, want a problem document: %s", r.Status, got, r.Body)
	}
	code, _ := r.JSON(t)["code"].(string)
	return code
}

// Request is one request to the API; a body that is not a reader is sent as JSON.
type Request struct {
	Method, Path string
	Token        string
	Body         any
	Header       http.Header
}

// Do sends a request to the API and reads the reply.
func (w *World) Do(r Request) Reply {
	w.T.Helper()
	header := http.Header{}
	for name, values := range r.Header {
		header[name] = values
	}
	var body io.Reader
	switch b := r.Body.(type) {
	case nil:
	case io.Reader:
		body = b
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			w.T.Fatal(err)
		}
		body = bytes.NewReader(encoded)
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", "application/json")
		}
	}
	if r.Token != "" {
		header.Set("Authorization", "Bearer "+r.Token)
	}
	return w.SendWith(r.Method, w.URL+r.Path, header, body)
}

// Object is a JSON body.
type Object = map[string]any

// Begin starts an enrollment; an empty token sends none.
func (w *World) Begin(token string, body any) Reply {
	w.T.Helper()
	return w.Do(Request{Method: "POST", Path: "/v1/mfa/totp", Token: token, Body: body})
}

// Verify sends the code; an empty token sends none.
func (w *World) Verify(token string, body Object) Reply {
	w.T.Helper()
	return w.Do(Request{Method: "POST", Path: "/v1/mfa/totp/verify", Token: token, Body: body})
}

// Send sends a request to any address.
func (w *World) Send(method, url string, body io.Reader) Reply {
	w.T.Helper()
	return w.SendWith(method, url, nil, body)
}

// SendWith sends a request with headers to any address.
func (w *World) SendWith(method, url string, header http.Header, body io.Reader) Reply {
	w.T.Helper()
	req, err := http.NewRequestWithContext(w.T.Context(), method, url, body)
	if err != nil {
		w.T.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.T.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		w.T.Fatal(err)
	}
	return Reply{res.StatusCode, res.Header, got}
}

// Metric is the value of one series, as scraped.
func (w *World) Metric(series string) string {
	w.T.Helper()
	for line := range strings.Lines(string(w.Send("GET", w.Admin+"/metrics", nil).Body)) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return "absent"
}
