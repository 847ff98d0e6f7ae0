package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"mfa-enrollment/internal/enroll"
)

// tracing sends spans where OTEL_EXPORTER_OTLP_ENDPOINT says, over HTTP. The
// sampler, the headers and the resource come from OpenTelemetry's own
// variables. Without an endpoint nothing is recorded. A request's span is a child
// of the caller's, and whether it is recorded is decided here (sampling.go).
type tracing struct {
	trace.TracerProvider
	stop func(context.Context) error
}

func newTracing(endpoint, version string) (tracing, error) {
	ctx := context.Background() // Neither the exporter nor the resource waits for anything.
	if endpoint == "" {
		return tracing{noop.NewTracerProvider(), func(context.Context) error { return nil }}, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimRight(endpoint, "/")+"/v1/traces"))
	if err != nil {
		return tracing{}, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "mfa-enrollment"), attribute.String("service.version", version)),
		resource.WithFromEnv(),
	)
	if err != nil {
		return tracing{}, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about), sdktrace.WithSampler(ownSampler(os.Getenv)))
	return tracing{provider, provider.Shutdown}, nil
}

// transport makes a span of every call to Cognito, named for the operation, and
// passes the trace on. Requests hold nothing secret but their body and headers,
// which are not recorded.
func (t tracing) transport(next http.RoundTripper) http.RoundTripper {
	return otelhttp.NewTransport(next,
		otelhttp.WithTracerProvider(t),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
			return "Cognito " + operation
		}),
	)
}

// tracedStore makes a span of what the store of pending enrollments does, which
// may be a call to Redis or a wait for another replica.
type tracedStore struct {
	enroll.Store
	tracer trace.Tracer
}

func (t tracing) store(s enroll.Store) enroll.Store {
	return tracedStore{s, t.Tracer("mfa-enrollment")}
}

func (s tracedStore) Find(ctx context.Context, name string) (enroll.Pending, bool) {
	ctx, span := s.tracer.Start(ctx, "pending find")
	defer span.End()
	return s.Store.Find(ctx, name)
}

func (s tracedStore) Claim(ctx context.Context, name string) (enroll.Pending, enroll.Hold) {
	ctx, span := s.tracer.Start(ctx, "pending claim")
	defer span.End()
	p, hold := s.Store.Claim(ctx, name)
	if hold == nil {
		return p, nil
	}
	return p, &tracedHold{Hold: hold, tracer: s.tracer}
}

func (s tracedStore) Hold(ctx context.Context, name string) enroll.Hold {
	ctx, span := s.tracer.Start(ctx, "pending hold")
	defer span.End()
	return &tracedHold{Hold: s.Store.Hold(ctx, name), tracer: s.tracer}
}

// tracedHold makes a span of the release that counts, the first.
type tracedHold struct {
	enroll.Hold
	tracer   trace.Tracer
	released bool
}

func (h *tracedHold) Release(ctx context.Context) bool {
	if h.released {
		return h.Hold.Release(ctx)
	}
	h.released = true
	ctx, span := h.tracer.Start(ctx, "pending release")
	defer span.End()
	return h.Hold.Release(ctx)
}
