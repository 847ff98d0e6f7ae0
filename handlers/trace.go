package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const traceKey = "trace"

// traceID names the trace that a request belongs to: the caller's, whether it is
// kept here or not, or one that is kept here; else it is empty.
func traceID(c echo.Context) string {
	id, _ := c.Get(traceKey).(string)
	return id
}

// trace makes the span of a request, a child of the caller's (W3C trace
// context). OpenTelemetry's own middleware for echo records the path as it was
// sent, and the error's text; either may hold what a person submitted, so only
// the route, a known method and the status are kept here.
func (s *Server) trace(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		caller := trace.SpanContextFromContext(ctx)
		method := knownMethod(r.Method)
		ctx, span := s.Tracer.Start(ctx, method+" "+c.Path(), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", method),
			attribute.String("http.route", c.Path()),
		))
		defer span.End()
		// A trace that nobody keeps and nobody else knows of needs no name.
		if own := span.SpanContext(); caller.IsValid() || own.IsSampled() {
			c.Set(traceKey, own.TraceID().String())
		}
		c.SetRequest(r.WithContext(ctx))
		err := next(c)
		status := c.Response().Status
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		return err
	}
}
