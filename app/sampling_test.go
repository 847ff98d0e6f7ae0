package app

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// TestNobodyOutsideForcesATraceToBeSampled sends 1,000 requests whose traceparent has
// a flag and a trace id: the smallest falls under every ratio, the largest under none.
func TestNobodyOutsideForcesATraceToBeSampled(t *testing.T) {
	t.Parallel()
	smallest, largest := trace.TraceID{15: 1}, trace.TraceID{}
	for i := range largest {
		largest[i] = 0xff
	}
	tests := []struct {
		sampler, argument string
		least, most       int
	}{
		{"", "", 1000, 1000},
		{"always_on", "", 1000, 1000},
		{"always_off", "", 0, 0},
		{"parentbased_always_off", "", 0, 0},
		{"traceidratio", "0.1", 40, 180},
		{"parentbased_traceidratio", "0.1", 40, 180},
		{"traceidratio", "2", 1000, 1000},
	}
	for _, test := range tests {
		env := map[string]string{"OTEL_TRACES_SAMPLER": test.sampler, "OTEL_TRACES_SAMPLER_ARG": test.argument}
		tracer := sdktrace.NewTracerProvider(sdktrace.WithSampler(ownSampler(func(name string) string { return env[name] }))).Tracer("")
		for _, flags := range []trace.TraceFlags{0, trace.FlagsSampled} {
			for _, id := range []trace.TraceID{smallest, largest} {
				caller := trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{1}, TraceFlags: flags, Remote: true})
				sampled := 0
				for range 1000 {
					ctx, request := tracer.Start(trace.ContextWithRemoteSpanContext(context.Background(), caller), "request")
					_, inside := tracer.Start(ctx, "inside")
					if inside.SpanContext().IsSampled() {
						sampled++
					}
					if request.SpanContext().TraceID() != id {
						t.Fatal("the request is not part of the caller's trace")
					}
					if inside.SpanContext().IsSampled() != request.SpanContext().IsSampled() {
						t.Fatal("a trace in pieces")
					}
				}
				if sampled < test.least || sampled > test.most {
					t.Errorf("%s %s: %d of 1000 with the flag %v and the id %s, want %d to %d", test.sampler, test.argument, sampled, flags, id, test.least, test.most)
				}
			}
		}
	}
}
