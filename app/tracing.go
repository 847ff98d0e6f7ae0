package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

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

func (s tracedStore) Load(ctx context.Context, key string) (enroll.Pending, bool) {
	ctx, span := s.tracer.Start(ctx, "pending load")
	defer span.End()
	return s.Store.Load(ctx, key)
}

func (s tracedStore) Save(ctx context.Context, p enroll.Pending) {
	ctx, span := s.tracer.Start(ctx, "pending save")
	defer span.End()
	s.Store.Save(ctx, p)
}

func (s tracedStore) Delete(ctx context.Context, p enroll.Pending) {
	ctx, span := s.tracer.Start(ctx, "pending delete")
	defer span.End()
	s.Store.Delete(ctx, p)
}

func (s tracedStore) Lock(ctx context.Context, key string) func() {
	ctx, span := s.tracer.Start(ctx, "pending lock")
	defer span.End()
	return s.Store.Lock(ctx, key)
}

func (s tracedStore) CountTry(ctx context.Context, key string, window time.Duration) (int, time.Duration) {
	ctx, span := s.tracer.Start(ctx, "pending count try")
	defer span.End()
	return s.Store.CountTry(ctx, key, window)
}
