package handlers

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"mfa-enrollment/handlers/api"
	"mfa-enrollment/internal/enroll"
)

type requestKey struct{}

// passRequest hands echo's context on to the operations: the strict server
// gives them the body alone, and they need the Authorization and Accept headers,
// the caller's address and the log event too.
func passRequest(next api.StrictHandlerFunc, _ string) api.StrictHandlerFunc {
	return func(c echo.Context, body any) (any, error) {
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), requestKey{}, c)))
		return next(c, body)
	}
}

func requestOf(ctx context.Context) echo.Context { return ctx.Value(requestKey{}).(echo.Context) }

// credential finds the one proof that the request carries, and verifies a
// token before anything is spent on it. session is the body's, or nil.
func (s *Server) credential(ctx context.Context, session *string) (enroll.Credential, error) {
	c := requestOf(ctx)
	tokens := bearerTokens(c.Request().Header)
	switch {
	case len(tokens) > 1, len(tokens) == 1 && session != nil:
		return enroll.Credential{}, enroll.Fail(enroll.TwoCredentials, "")
	case session != nil:
		eventOf(c).flow = enroll.FlowSession
		if err := checkSession(*session); err != nil {
			return enroll.Credential{}, err
		}
		return enroll.Credential{Session: enroll.Secret(*session), Address: network(c.RealIP()), ClientIP: knownAddress(c.RealIP())}, nil
	case len(tokens) == 0:
		return enroll.Credential{}, enroll.Fail(enroll.MissingCredential, missingBecause(c.Request().Header))
	}
	token := tokens[0]
	if isSession(token) {
		return enroll.Credential{}, enroll.Fail(enroll.InvalidToken, reasonSession)
	}
	identity, err := s.Verifier.Verify(ctx, token)
	if err != nil {
		return enroll.Credential{}, err
	}
	event := eventOf(c)
	event.flow, event.subject = enroll.FlowToken, subjectHash(identity)
	return enroll.Credential{Identity: &identity, ClientIP: knownAddress(c.RealIP())}, nil
}

// reasonNoScheme is why an access token without its scheme is none: API Gateway's
// authorizers take it so, and their front ends send it so.
const reasonNoScheme = "no_scheme"

// missingBecause is why there is no access token, where the headers tell.
func missingBecause(h http.Header) string {
	if slices.ContainsFunc(h.Values(echo.HeaderAuthorization), func(line string) bool { return isToken(strings.TrimSpace(line)) }) {
		return reasonNoScheme
	}
	return ""
}

// reasonSession is why a session in the place of an access token is refused.
const reasonSession = "session"

// noSession says what is wrong with an access token in the place of a session.
const noSession = "must be the session of a challenge; this is a token, and an access token goes into the Authorization header"

// checkSession tells a caller who sends a token as a session that it is one.
func checkSession(session string) error {
	if isToken(session) {
		return enroll.Invalid("session", noSession)
	}
	return nil
}

// network is what an address counts as in limits: itself, or, since one
// subscriber has that many, its /64 in IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
}

// identity is for the operations that take an access token alone.
func (s *Server) identity(ctx context.Context) (enroll.Identity, error) {
	c, err := s.credential(ctx, nil)
	if err != nil {
		return enroll.Identity{}, err
	}
	return *c.Identity, nil
}
