package handlers

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"runtime/debug"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"mfa-enrollment/internal/enroll"
)

// sensibleID is what a caller's own request id may look like; anything else is
// replaced, since it goes into the log and back into the reply.
var sensibleID = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// requestID gives every request an id: the caller's when it is sensible, else a
// random one.
func requestID() echo.MiddlewareFunc {
	assign := middleware.RequestIDWithConfig(middleware.RequestIDConfig{Generator: rand.Text})
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		next = assign(next)
		return func(c echo.Context) error {
			if h := c.Request().Header; !sensibleID.MatchString(h.Get(echo.HeaderXRequestID)) {
				h.Del(echo.HeaderXRequestID)
			}
			return next(c)
		}
	}
}

// protect sets the headers that every reply carries: what this service returns
// must not be stored, sniffed, framed or told to other sites.
func protect(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderCacheControl, "no-store")
		h.Set(echo.HeaderXContentTypeOptions, "nosniff")
		h.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
		h.Set(echo.HeaderReferrerPolicy, "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-site")
		h.Set(echo.HeaderStrictTransportSecurity, "max-age=31536000; includeSubDomains")
		return next(c)
	}
}

// maxHeaders bounds the headers of a request in bytes, names and values. The
// access token has a bound of its own and is told of as a token.
const maxHeaders = 16 << 10

func limitHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		size := 0
		for name, values := range c.Request().Header {
			if name == echo.HeaderAuthorization {
				continue
			}
			for _, value := range values {
				size += len(name) + len(value)
			}
		}
		if size > maxHeaders {
			return enroll.Fail(headersTooLarge, "")
		}
		return next(c)
	}
}

// recoverPanic turns a panic into the problem `internal`. The panic's value is
// not logged, since it may hold what was submitted; its type and the stack are.
func (s *Server) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				s.Metrics.Panicked()
				err = &enroll.Error{Kind: enroll.Internal, Reason: fmt.Sprintf("panic of type %T at %s", v, debug.Stack())}
			}
		}()
		return next(c)
	}
}
