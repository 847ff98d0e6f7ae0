package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	otlp "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"mfa-enrollment/test/world"
)

// receiver takes traces as a collector does (OTLP over HTTP).
type receiver struct {
	mu    sync.Mutex
	spans []*trace.Span
	raw   strings.Builder
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var export otlp.ExportTraceServiceRequest
	if err != nil || req.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw.Write(body)
	for _, resource := range export.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
}

// tree is what was received as text, children under parents by start.
func (r *receiver) tree(trace string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.spans, func(a, b *traceSpan) int { return int(a.StartTimeUnixNano) - int(b.StartTimeUnixNano) })
	known := map[string]bool{}
	for _, s := range r.spans {
		known[string(s.SpanId)] = true
	}
	var text strings.Builder
	var write func(parent string, depth int)
	write = func(parent string, depth int) {
		for _, s := range r.spans {
			under := string(s.ParentSpanId)
			if !known[under] {
				under = ""
			}
			if fmt.Sprintf("%x", s.TraceId) == trace && under == parent {
				fmt.Fprintf(&text, "%s%s\n", strings.Repeat("  ", depth), s.Name)
				write(string(s.SpanId), depth+1)
			}
		}
	}
	write("", 0)
	return text.String()
}

type traceSpan = trace.Span

func TestOneEnrollmentAsATrace(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	collect := httptest.NewServer(r)
	t.Cleanup(collect.Close)
	w := world.New(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": collect.URL,
		"ACCOUNT_LABEL":               "username", // no look-up beside the start, whose span could come before or after
	})
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	parent := http.Header{"Traceparent": {"00-" + trace + "-00f067aa0ba902b7-01"}, "Content-Type": {"application/json"}}
	started := w.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp", Token: token, Header: parent})
	secret := started.JSON(t)["secret"].(string)
	code := w.CodeAt(secret, 0)
	w.Do(world.Request{Method: "POST", Path: "/v1/mfa/totp/verify", Token: token, Body: world.Object{"code": code}, Header: parent})
	metrics := w.SendWith("GET", w.Admin+"/metrics", http.Header{"Accept": {"application/openmetrics-text"}}, nil)
	w.Stop()

	world.Golden(t, "trace.golden", r.tree(trace))
	if !strings.Contains(w.Log.String(), `"traceId":"`+trace+`"`) {
		t.Error("the log event does not name the trace")
	}
	if !strings.Contains(string(metrics.Body), `trace_id="`+trace+`"`) {
		t.Error("no exemplar names the trace")
	}
	for name, hidden := range map[string]string{"token": token, "secret": secret, "code": code, "subject": w.Cognito.Subject(world.Optional, "ada")} {
		if strings.Contains(r.raw.String(), hidden) {
			t.Errorf("the trace holds the %s", name)
		}
	}
}
