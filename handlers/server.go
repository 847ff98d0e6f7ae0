// Package handlers is the HTTP side of the service and nothing else: what comes
// in is checked against openapi.yaml and handed to internal/enroll; what comes
// out is a reply of the contract or a problem document. It alone knows echo.
package handlers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo-contrib/echoprometheus"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"go.opentelemetry.io/otel/trace"

	contract "mfa-enrollment"
	"mfa-enrollment/handlers/api"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/metrics"
)

// maxBody is the largest body that is read: a session of 8 KiB, a device
// fingerprint of as much and more, and metadata for Lambda triggers.
const maxBody = "64K"

// TokenVerifier tells who the bearer of an access token is. Its errors are
// *enroll.Error.
type TokenVerifier interface {
	Verify(ctx context.Context, token string) (enroll.Identity, error)
}

// Options configures a Server.
type Options struct {
	Enroll   *enroll.Service
	Verifier TokenVerifier
	Metrics  *metrics.Metrics
	Logger   *slog.Logger
	Now      func() time.Time
	Tracer   trace.Tracer

	// ClientIP finds the address of the caller; see ClientIPFrom.
	ClientIP echo.IPExtractor
	// AllowedOrigins are the origins of front ends, exactly; none switches
	// CORS off.
	AllowedOrigins []string
	// RequestTimeout bounds the work on one request.
	RequestTimeout time.Duration
}

// Server answers the operations of the contract.
type Server struct{ Options }

var _ api.StrictServerInterface = (*Server)(nil)

// New makes the public HTTP handler. The order of the middleware is the order
// in which a request meets it.
func New(o Options) (http.Handler, error) {
	s := &Server{o}
	spec, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml cannot be read: %w", err)
	}
	measure, err := s.measure()
	if err != nil {
		return nil, err
	}
	for kind := range problems {
		s.Metrics.ExpectProblems(string(kind))
	}

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = o.ClientIP
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.writeProblem(c, asDomain(err)) }

	e.Pre(withoutSlash)
	e.Use(
		requestID(),
		protect,
		s.trace,
		measure,
		s.logRequest,
		s.recoverPanic,
		cors(o.AllowedOrigins), // before what refuses, so that scripts can read why
		limitInFlight(),
		limitHeaders,
		middleware.BodyLimit(maxBody),
		middleware.ContextTimeout(o.RequestTimeout),
	)
	e.GET("/openapi.yaml", func(c echo.Context) error { return c.Blob(http.StatusOK, "application/yaml", contract.OpenAPI) })
	api.RegisterHandlersWithOptions(e, api.NewStrictHandler(s, []api.StrictMiddlewareFunc{passRequest}), api.RegisterHandlersOptions{
		OperationMiddlewares: checked(spec),
	})
	return e, nil
}

// measure is echoprometheus with every label bounded: the route's pattern (one
// value for all that is not found), a known method or "other", no Host.
func (s *Server) measure() (echo.MiddlewareFunc, error) {
	return echoprometheus.MiddlewareConfig{
		Subsystem:                 "http",
		Registerer:                s.Metrics.Registerer(),
		DoNotUseRequestPathFor404: true,
		LabelFuncs: map[string]echoprometheus.LabelValueFunc{
			"host":   func(echo.Context, error) string { return "" },
			"method": func(c echo.Context, _ error) string { return knownMethod(c.Request().Method) },
		},
	}.ToMiddleware()
}

func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions:
		return m
	}
	return "other"
}

// cors lets the configured front ends call, without cookies. The headers of tracing
// libraries are allowed, since a browser refuses the whole request otherwise: W3C
// Trace Context is read (trace.go), baggage and sentry-trace are not.
func cors(origins []string) echo.MiddlewareFunc {
	return middleware.CORSWithConfig(middleware.CORSConfig{
		Skipper:       func(echo.Context) bool { return len(origins) == 0 },
		AllowOrigins:  origins,
		AllowMethods:  []string{http.MethodGet, http.MethodPost, http.MethodPut},
		AllowHeaders:  []string{echo.HeaderAuthorization, echo.HeaderContentType, echo.HeaderAccept, echo.HeaderXRequestID, "traceparent", "tracestate", "baggage", "sentry-trace"},
		ExposeHeaders: []string{echo.HeaderRetryAfter, "RateLimit", "RateLimit-Policy", echo.HeaderWWWAuthenticate, echo.HeaderXRequestID},
		MaxAge:        int((2 * time.Hour).Seconds()),
	})
}
