package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// logged are the members of each line of the log with a message.
func logged(t *testing.T, w *world.World, message string) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(w.Log.String()) {
		var members map[string]any
		if err := json.Unmarshal([]byte(line), &members); err != nil {
			t.Fatal(err)
		}
		if members["msg"] == message {
			lines = append(lines, members)
		}
	}
	return lines
}

// Whoever follows a request from a front end to here knows its trace, whether it is
// sampled or not, and whether spans are exported here or not.
func TestTheLogAndTheAuditEventsNameTheCallersTrace(t *testing.T) {
	t.Parallel()
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for name, settings := range map[string]map[string]string{
		"without spans": nil, "with spans": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t, settings)
			token := w.Token(world.Optional, world.OptionalClient, "ada")
			w.Begin(token, nil)
			for _, kind := range []string{"request", "audit"} {
				for _, line := range logged(t, w, kind) {
					if line["traceId"] == trace {
						t.Errorf("%s names a trace that nobody spoke of: %v", kind, line)
					}
				}
			}
			header := http.Header{"Traceparent": {"00-" + trace + "-00f067aa0ba902b7-00"}}
			w.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp", Token: token, Header: header})
			for _, kind := range []string{"request", "audit"} {
				lines := logged(t, w, kind)
				if last := lines[len(lines)-1]; last["traceId"] != trace {
					t.Errorf("%s does not name the trace: %v", kind, last)
				}
			}
		})
	}
}

func TestAClientThatGaveUpIsNoFailure(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"ACCOUNT_LABEL": "username"})
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	w.Cognito.SetLatency(cognitotest.Latency{Min: time.Hour})
	ctx, hangUp := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL+"/v1/mfa", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if r, err := http.DefaultClient.Do(request); err == nil {
			_ = r.Body.Close()
			t.Errorf("answered with %d", r.StatusCode)
		}
	}()
	w.Await("asked", func() bool { return w.Cognito.Calls("GetUser") > 0 })
	hangUp()
	<-ended
	w.AwaitMetric("http_client_gave_up_total", "1")
	for _, code := range []string{"internal", "upstream_timeout", "upstream_unavailable", "busy"} {
		if got := w.Metric(`http_problems_total{code="` + code + `"}`); got != "0" {
			t.Errorf("%s problems with the code %s", got, code)
		}
	}
	w.Await("logged", func() bool { return len(logged(t, w, "request")) > 0 })
	if line := logged(t, w, "request")[0]; line["outcome"] != "client_gave_up" || line["status"] != 499.0 || line["level"] != "INFO" {
		t.Errorf("the log: %v", line)
	}
}

// Every member of the log's two kinds of lines has its row in docs/audit.md.
func TestTheMembersOfTheLogAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	events, requests, _ := strings.Cut(string(page), "\n## The request log\n")
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	header := http.Header{"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}}
	w.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp", Token: token, Header: header})
	down := cognitotest.Fault{Exception: "InternalErrorException"}
	w.Cognito.Fail("GetUser", down, down, down, down, down, down)
	w.Do(world.Request{Method: "GET", Path: "/v1/mfa", Token: token})
	w.Do(world.Request{Method: "GET", Path: "/v1/mfa"})
	for kind, section := range map[string]string{"audit": events, "request": requests} {
		for _, line := range logged(t, w, kind) {
			for member := range line {
				if member != "level" && member != "msg" && !strings.Contains(section, "| `"+member+"` |") {
					t.Errorf("docs/audit.md has no row for %s of %s", member, kind)
				}
			}
		}
	}
}
