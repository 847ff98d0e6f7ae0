package leaks_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"mfa-enrollment/test/world"
)

// sink is a place where something of a request may come to rest.
type sink struct {
	name string
	text func() string
}

// harmless are members whose values are names of the protocol, the
// configuration or the contract, in requests and replies of both sides.
var harmless = map[string]bool{
	"issuer": true, "algorithm": true, "tokenType": true, "outcome": true, "TokenType": true, "name": true, "Name": true, "methods": true, "preferred": true,
	"expiresAt": true, "codeReusableAt": true, "challenge": true, "answer": true, "clientId": true,
	"ChallengeName": true, "ClientId": true, "ANSWER": true, "IpAddress": true, "__type": true, "Status": true,
	"UserMFASettingList": true, "PreferredMfaSetting": true, "MFAS_CAN_SETUP": true, "MFAS_CAN_CHOOSE": true,
}

// noteJSON puts down every text in a JSON document, by its member's name. What
// is not JSON is put down whole.
func (l *ledger) noteJSON(body []byte) {
	var document any
	if err := json.Unmarshal(body, &document); err != nil {
		l.note("body", string(body))
		return
	}
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for member, inner := range v {
				if !harmless[member] {
					walk(member, inner)
				}
			}
		case []any:
			for _, inner := range v {
				walk(name, inner)
			}
		case string:
			l.note(name, v)
			if _, picture, ok := strings.Cut(v, "base64,"); ok {
				l.note(name+", the picture", picture)
			}
		}
	}
	walk("", document)
}

// recorder stands in front of a server and puts down all that goes to and fro.
// What it is told to observe it also shows to a sink.
func recorder(t *testing.T, to string, transport http.RoundTripper, l *ledger, observe func(*http.Request, *http.Response, []byte)) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: transport,
		// Some replies are cut on purpose.
		ErrorLog: log.New(io.Discard, "", 0),
		ModifyResponse: func(res *http.Response) error {
			body, err := io.ReadAll(res.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			res.Body = io.NopCloser(bytes.NewReader(body))
			observe(res.Request, res, body)
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if len(body) > 0 {
			l.noteJSON(body)
		}
		for _, authorization := range r.Header.Values("Authorization") {
			_, token, _ := strings.Cut(authorization, " ")
			l.note("token", token)
			l.noteSignIn(token)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(rw, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// receiver takes events, every third not at once, so that some wait in Redis. What
// it gets is shown without what events are for: who it was and with which device
// (docs/events.md), in the members that say so.
func (l *leaks) receiver(t *testing.T) string {
	t.Helper()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var event map[string]any
		if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
			t.Error(err)
		}
		if data, ok := event["data"].(map[string]any); ok {
			delete(data, "subject")
			delete(data, "username")
			delete(data, "deviceName")
			delete(event, "subject")
		}
		delete(event, "time") // Digits may look like a code.
		_ = r.Header.Write(&l.events)
		_ = json.NewEncoder(&l.events).Encode(event)
		_, _ = fmt.Fprintln(&l.events, r.URL)
		if n.Add(1)%3 == 0 {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// collector takes traces as an OpenTelemetry collector does.
func collector(t *testing.T, to *world.Buffer) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			unzipped, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unzipped
		}
		if _, err := io.Copy(to, body); err != nil {
			t.Error(err)
		}
		_ = r.Header.Write(to)
		rw.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// monitor is all that Redis is told while the test runs. Redis itself leaves
// out passwords.
func monitor(s *world.RedisServer, to *world.Buffer) {
	s.T.Helper()
	conn, err := net.Dial("unix", s.Socket)
	if err != nil {
		s.T.Fatal(err)
	}
	s.T.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, "MONITOR\r\n"); err != nil {
		s.T.Fatal(err)
	}
	replies := bufio.NewReader(conn)
	if line, err := replies.ReadString('\n'); err != nil || line != "+OK\r\n" {
		s.T.Fatalf("MONITOR: %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(to, replies) }()
}

// logged is the log without the times and durations of its lines and without
// the numbers of goroutines, which may look like a code.
func logged(log string) string {
	var all strings.Builder
	for line := range strings.Lines(log) {
		var event map[string]any
		if json.Unmarshal([]byte(line), &event) == nil {
			delete(event, "time")
			delete(event, "duration")
			if b, err := json.Marshal(event); err == nil {
				line = string(b) + "\n"
			}
		}
		all.WriteString(line)
	}
	return regexp.MustCompile(`goroutine \d+`).ReplaceAllString(all.String(), "goroutine")
}

// labels are the metrics without their values, which may look like a code.
func labels(exposition string) string {
	var all strings.Builder
	for line := range strings.Lines(exposition) {
		if i := strings.LastIndexByte(strings.TrimSpace(line), ' '); i >= 0 && !strings.HasPrefix(line, "#") {
			line = line[:i] + "\n"
		}
		all.WriteString(line)
	}
	return all.String()
}

// shown is a reply as text, its headers first.
func shown(res *http.Response, body []byte) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d\n", res.StatusCode)
	_ = res.Header.Write(&text)
	text.Write(body)
	text.WriteByte('\n')
	return text.String()
}
