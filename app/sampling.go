package app

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// ownSampler is the sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name
// (OpenTelemetry, "General SDK Configuration"), but for one thing: the caller has no
// say. Anybody may send a traceparent, so neither its sampled flag nor a trace id
// chosen to fall under a ratio decides whether a request is recorded, and what is
// recorded costs money (W3C Trace Context §6.2 and §6.3 warn of both). Spans within a
// request follow the request's.
func ownSampler(getenv func(string) string) sdktrace.Sampler {
	name := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(getenv("OTEL_TRACES_SAMPLER"))), "parentbased_")
	own := unforced{samplerNamed(name, getenv("OTEL_TRACES_SAMPLER_ARG"))}
	return sdktrace.ParentBased(own, sdktrace.WithRemoteParentSampled(own), sdktrace.WithRemoteParentNotSampled(own))
}

// samplerNamed is one of the three that do not ask a parent. What is not known is
// always_on, as in OpenTelemetry's SDK.
func samplerNamed(name, argument string) sdktrace.Sampler {
	switch name {
	case "always_off":
		return sdktrace.NeverSample()
	case "traceidratio":
		if ratio, err := strconv.ParseFloat(argument, 64); err == nil && ratio >= 0 && ratio <= 1 {
			return sdktrace.TraceIDRatioBased(ratio)
		}
	}
	return sdktrace.AlwaysSample()
}

// unforced asks a sampler about a trace id of its own, drawn by lot.
type unforced struct{ sdktrace.Sampler }

// ShouldSample implements sdktrace.Sampler.
func (u unforced) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	_, _ = rand.Read(p.TraceID[:]) // never fails (crypto/rand)
	return u.Sampler.ShouldSample(p)
}

// Description implements sdktrace.Sampler.
func (u unforced) Description() string { return fmt.Sprintf("Unforced{%s}", u.Sampler.Description()) }
