package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"github.com/labstack/echo/v4"

	"mfa-enrollment/internal/enroll"
)

// event is what the one log line of a request says beyond HTTP.
type event struct {
	flow    enroll.Flow
	subject string // a hash
	failure *enroll.Error
}

const eventKey = "event"

// eventOf is the event of a request.
func eventOf(c echo.Context) *event {
	if e, ok := c.Get(eventKey).(*event); ok {
		return e
	}
	return &event{}
}

// logRequest writes one event a request, when its reply has been written. The
// level follows the status: what a person did wrong is information, what the
// service or Cognito did wrong is an error. Neither path nor headers nor body
// are logged, only the route.
func (s *Server) logRequest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		e := &event{}
		c.Set(eventKey, e)
		begin, caller := s.Now(), c.Request().Context()
		err := next(c)
		gaveUp := err != nil && isGivenUp(caller, err)
		switch {
		case gaveUp:
			s.Metrics.ClientGaveUp()
			c.Response().WriteHeader(statusClientGaveUp)
		case err != nil:
			e.failure = asDomain(err)
			s.writeProblem(c, e.failure)
		}
		ctx, status := c.Request().Context(), c.Response().Status
		attributes := []slog.Attr{
			slog.String("requestId", c.Response().Header().Get(echo.HeaderXRequestID)),
			slog.String("method", knownMethod(c.Request().Method)),
			slog.String("route", c.Path()),
			slog.Int("status", status),
			slog.Duration("duration", s.Now().Sub(begin)),
			slog.String("clientIp", c.RealIP()),
		}
		if id := traceID(c); id != "" {
			attributes = append(attributes, slog.String("traceId", id))
		}
		if e.flow != "" {
			attributes = append(attributes, slog.String("flow", string(e.flow)))
		}
		if e.subject != "" {
			attributes = append(attributes, slog.String("subject", e.subject))
		}
		outcome := "ok"
		if gaveUp {
			outcome = "client_gave_up"
		}
		if e.failure != nil {
			outcome = string(e.failure.Kind)
			if e.failure.Reason != "" {
				attributes = append(attributes, slog.String("reason", e.failure.Reason))
			}
			if status >= 500 {
				attributes = append(attributes, slog.String("cause", causeType(e.failure)))
			}
		}
		attributes = append(attributes, slog.String("outcome", outcome))
		s.Logger.LogAttrs(context.WithoutCancel(ctx), levelOf(status), "request", attributes...)
		return nil
	}
}

// statusClientGaveUp is what metrics and the log have for a request whose client
// did not wait for the answer. HTTP has no status for it; this one is nginx's.
const statusClientGaveUp = 499

// isGivenUp tells whether a request failed because its client hung up. net/http
// cancels its context then. A failure that says something of this service, or of
// what Cognito did already, stays one: a panic, or a code that was taken while
// switching on failed.
func isGivenUp(caller context.Context, err error) bool {
	if !errors.Is(caller.Err(), context.Canceled) {
		return false
	}
	switch asDomain(err).Kind {
	case enroll.UpstreamTimeout, enroll.UpstreamUnavailable, enroll.Busy:
		return true
	default:
		return errors.Is(err, context.Canceled)
	}
}

// causeType names what an error wraps by its type alone: the text of a library's
// error may quote what it was given.
func causeType(e *enroll.Error) string {
	if e.Cause == nil {
		return ""
	}
	return fmt.Sprintf("%T", e.Cause)
}

func levelOf(status int) slog.Level {
	switch {
	case status >= 500 && status != 503:
		return slog.LevelError
	case status == 503 || status == 429:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// subjectHash stands for a person in the log: enough to follow one person's
// requests, not enough to name anybody. It is made of the pool and the subject, so
// that it stays the same when the pool's issuer type is switched (docs/audit.md).
func subjectHash(id enroll.Identity) string {
	sum := sha256.Sum256([]byte(id.PoolID + "\x00" + id.Subject))
	return hex.EncodeToString(sum[:8])
}
