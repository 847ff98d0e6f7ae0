package handlers

import (
	"context"
	"log/slog"

	"github.com/labstack/echo/v4"

	"mfa-enrollment/internal/enroll"
)

// The changes of a person's factors that are audited (docs/audit.md).
const (
	auditVerified = "totp_verified" // an authenticator app was set up, or replaced
	auditEnabled  = "totp_enabled"
	auditDisabled = "totp_disabled"
	auditShown    = "totp_shown"
)

// audit writes one event for every attempt to change a person's factors: who,
// what, with which result, from where. Its schema is stable.
func (s *Server) audit(ctx context.Context, change string, err error) {
	c := requestOf(ctx)
	result := "ok"
	if err != nil {
		result = string(asDomain(err).Kind)
	}
	e := eventOf(c)
	attributes := []slog.Attr{
		slog.String("change", change),
		slog.String("result", result),
		slog.String("subject", e.subject),
		slog.String("flow", string(e.flow)),
		slog.String("clientIp", c.RealIP()),
		slog.String("requestId", c.Response().Header().Get(echo.HeaderXRequestID)),
	}
	if id := traceID(c); id != "" {
		attributes = append(attributes, slog.String("traceId", id))
	}
	s.Logger.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "audit", attributes...)
}

// identify names the person of a sign-in that was just completed, whom the
// session did not tell.
func identify(ctx context.Context, in *enroll.SignIn) {
	if in != nil && in.Person != nil {
		eventOf(requestOf(ctx)).subject = subjectHash(*in.Person)
	}
}
