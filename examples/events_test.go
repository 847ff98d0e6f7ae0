package examples_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"mfa-enrollment/test/program"
)

const eventsSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// receiver is an example receiver that runs.
type receiver struct {
	t    *testing.T
	url  string
	told func() string // what it has mailed
}

func startReceiver(t *testing.T, binary, file string, environ ...string) (url string, printed func() string) {
	t.Helper()
	if _, err := os.ReadFile(file); err != nil { // Go runs the test again when it changes.
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, binary, file)
	cmd.Env = append(append(os.Environ(), "PORT=0", "EVENTS_SECRET="+eventsSecret), environ...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("it did not start")
	}
	url = lines.Text()
	var mu sync.Mutex
	var rest strings.Builder
	go func() {
		for lines.Scan() {
			mu.Lock()
			_, _ = fmt.Fprintln(&rest, lines.Text())
			mu.Unlock()
		}
	}()
	return url, func() string { mu.Lock(); defer mu.Unlock(); return rest.String() }
}

// send posts an event as the service does, and returns the status. change alters the
// request before it goes.
func (r *receiver) send(id, kind string, at time.Time, verified bool, change func(body []byte, h http.Header) []byte) int {
	r.t.Helper()
	body := fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":"urn:mfa-enrollment","type":"mfa-enrollment.%s","subject":"pool/sub-of-ada","time":"2026-05-04T12:00:15Z",`+
		`"data":{"verified":%v,"poolId":"pool","subject":"sub-of-ada","address":"203.0.113.9","deviceName":"Ada's <b>phone</b>"}}`, id, kind, verified)
	webhook, err := standardwebhooks.NewWebhook(eventsSecret)
	if err != nil {
		r.t.Fatal(err)
	}
	signature, err := webhook.Sign(id, at, body)
	if err != nil {
		r.t.Fatal(err)
	}
	header := http.Header{
		"Content-Type": {"application/cloudevents+json"}, "Webhook-Id": {id},
		"Webhook-Timestamp": {fmt.Sprint(at.Unix())}, "Webhook-Signature": {"v1,b2xk " + signature},
	}
	if change != nil {
		body = change(body, header)
	}
	request, err := http.NewRequest(http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// await waits until so many mails went out.
func (r *receiver) await(n int) {
	r.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for strings.Count(r.told(), "replaced")+strings.Count(r.told(), "switched_off")+strings.Count(r.told(), "does NOT ask") < n {
		if time.Now().After(deadline) {
			r.t.Fatalf("want %d mails, there are:\n%s", n, r.told())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestReceiversOfEvents(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) (url string, told func() string){
		"Node": func(t *testing.T) (string, func() string) {
			return startReceiver(t, program.Find(t, "node"), filepath.Join("events", "receiver.mjs"))
		},
		"Python": func(t *testing.T) (string, func() string) {
			python := program.Find(t, "python3")
			addr, mails := mailServer(t)
			_, port, _ := net.SplitHostPort(addr)
			url, _ := startReceiver(t, python, filepath.Join("events", "receiver.py"), "SMTP_PORT="+port, `DIRECTORY={"sub-of-ada":"ada@example.com"}`)
			return url, mails
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, told := start(t)
			r := &receiver{t: t, url: url, told: told}
			now := time.Now()
			for what, c := range map[string]struct {
				at     time.Time
				change func(body []byte, h http.Header) []byte
			}{
				"a body that was changed by a byte": {now, func(body []byte, _ http.Header) []byte {
					return bytes.Replace(body, []byte("203.0.113.9"), []byte("203.0.113.8"), 1)
				}},
				"a signature that is wrong by a byte": {now, func(body []byte, h http.Header) []byte {
					s := []byte(h.Get("Webhook-Signature"))
					s[len(s)-5] ^= 1
					h.Set("Webhook-Signature", string(s))
					return body
				}},
				"another id":                     {now, func(body []byte, h http.Header) []byte { h.Set("Webhook-Id", "evt_other"); return body }},
				"no signature":                   {now, func(body []byte, h http.Header) []byte { h.Del("Webhook-Signature"); return body }},
				"a timestamp of ten minutes ago": {now.Add(-10 * time.Minute), nil},
				"a timestamp in ten minutes":     {now.Add(10 * time.Minute), nil},
				"a timestamp that is no number":  {now, func(body []byte, h http.Header) []byte { h.Set("Webhook-Timestamp", "now"); return body }},
			} {
				if status := r.send("evt_refused", "app.replaced", c.at, true, c.change); status != 401 {
					t.Errorf("%s: status %d, want 401", what, status)
				}
			}
			if status := r.send("evt_1", "app.replaced", now, true, nil); status != 204 {
				t.Errorf("a good event: status %d", status)
			}
			r.await(1)
			if status := r.send("evt_1", "app.replaced", now, true, nil); status != 200 {
				t.Errorf("a replay: status %d", status)
			}
			if status := r.send("evt_claimed", "app.replaced", now, false, nil); status != 204 {
				t.Errorf("an event that is not verified: status %d", status)
			}
			for i := range 10 {
				r.send(fmt.Sprint("evt_more_", i), "app.switched_off", now, true, nil)
			}
			r.await(5)
			if got := r.told(); strings.Contains(got, "evt_claimed") || strings.Count(got, "203.0.113.9") != 5 {
				t.Errorf("want five mails an hour, and none of the replay:\n%s", got)
			}
		})
	}
}

// mailServer takes mail (RFC 5321), as far as the receiver speaks it.
func mailServer(t *testing.T) (addr string, mails func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var mu sync.Mutex
	var all strings.Builder
	serve := func(c net.Conn) {
		defer func() { _ = c.Close() }()
		_, _ = io.WriteString(c, "220 test\r\n")
		in := bufio.NewScanner(c)
		for data := false; in.Scan(); {
			line := in.Text()
			switch {
			case data && line == ".":
				data = false
				_, _ = io.WriteString(c, "250 taken\r\n")
			case data:
				mu.Lock()
				_, _ = fmt.Fprintln(&all, line)
				mu.Unlock()
			case strings.EqualFold(line, "data"):
				data = true
				_, _ = io.WriteString(c, "354 go on\r\n")
			case strings.EqualFold(line, "quit"):
				_, _ = io.WriteString(c, "221 bye\r\n")
				return
			default:
				_, _ = io.WriteString(c, "250 well\r\n")
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String(), func() string { mu.Lock(); defer mu.Unlock(); return all.String() }
}
