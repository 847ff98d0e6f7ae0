package handlers

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"mfa-enrollment/handlers/api"
	"mfa-enrollment/internal/enroll"
)

// problemTypePrefix makes the `type` of a problem from its code (RFC 9457 §3.1.1).
const problemTypePrefix = "urn:mfa-enrollment:problem:"

// asDomain makes an *enroll.Error of any error, so that the rest of this file
// knows one kind of error. What is not the domain's or echo's is internal.
func asDomain(err error) *enroll.Error {
	if e, ok := errors.AsType[*enroll.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		if kind, known := statusCodes[e.Code]; known {
			return enroll.Fail(kind, "")
		}
	}
	return &enroll.Error{Kind: enroll.Internal, Reason: "unexpected error", Cause: err}
}

// writeProblem answers with the problem document of an error.
func (s *Server) writeProblem(c echo.Context, e *enroll.Error) {
	kind := e.Kind
	row, ok := problems[kind]
	if !ok {
		kind, row = enroll.Internal, problems[enroll.Internal]
	}
	s.Metrics.Problem(string(kind))
	if c.Response().Committed {
		return
	}
	variant, words := wordsFor(row, e)
	doc := api.Problem{
		Type: problemTypePrefix + string(kind), Title: row.title, Status: row.status, Detail: words.detail, Code: api.ProblemCode(kind),
		RequestId: c.Response().Header().Get(echo.HeaderXRequestID),
		Hint:      optional(words.hint), Variant: optional(variant), PoolMessage: optional(e.PoolMessage),
	}
	if len(e.Fields) > 0 {
		fields := make([]api.ProblemField, len(e.Fields))
		for i, f := range e.Fields {
			fields[i] = api.ProblemField{Field: f.Name, Reason: f.Reason}
		}
		doc.Fields = &fields
	}
	if e.ClockSkew != 0 {
		doc.ClockSkewSeconds = new(int(e.ClockSkew / time.Second))
	}
	h := c.Response().Header()
	if row.status == http.StatusTooManyRequests || row.status == http.StatusServiceUnavailable {
		seconds := max(1, int(math.Ceil(e.RetryAfter.Seconds())))
		doc.RetryAfter = &seconds
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(seconds))
	}
	if g := e.Limit; g != nil {
		// draft-ietf-httpapi-ratelimit-headers: what the limit is, and what is
		// left of it until when.
		h.Set("RateLimit-Policy", fmt.Sprintf(`"%s";q=%d;w=%d`, g.Name, g.Burst, int(math.Ceil(g.Interval.Seconds()*float64(g.Burst)))))
		h.Set("RateLimit", fmt.Sprintf(`"%s";r=0;t=%d`, g.Name, value(doc.RetryAfter, 1)))
	}
	if challenge := wwwAuthenticate(kind, e); challenge != "" {
		h.Set(echo.HeaderWWWAuthenticate, challenge)
	}
	body, err := json.Marshal(doc)
	if err != nil {
		s.Logger.ErrorContext(c.Request().Context(), "a problem could not be encoded", slog.Any("error", err))
	}
	if err := c.Blob(row.status, "application/problem+json", body); err != nil {
		s.Logger.DebugContext(c.Request().Context(), "a problem could not be sent", slog.Any("error", err))
	}
}

// optional is a text as an optional member of a reply.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// wordsFor chooses the texts that help most, and names them where the kind has
// several.
func wordsFor(row problem, e *enroll.Error) (variant string, words text) {
	reason := e.Reason
	if e.ClockSkew != 0 {
		reason = variantClock
		if hours(e.ClockSkew.Abs()) != "" {
			reason = variantClockHours
		}
	}
	words, ok := row.variants[reason]
	if !ok {
		return "", row.text
	}
	if e.ClockSkew != 0 {
		words.detail = clockDetail(e.ClockSkew)
	}
	return variantOf(reason), words
}

// variantOf names the texts that go with a reason.
func variantOf(reason string) string { return cmp.Or(variantNames[reason], reason) }

// clockDetail tells a person what to do about a clock that is off. Whole hours, and
// quarters of them, are a time zone or a clock that was set by hand.
func clockDetail(skew time.Duration) string {
	direction := "fast"
	if skew < 0 {
		direction, skew = "slow", -skew
	}
	if by := hours(skew); by != "" {
		return "The clock of the phone is about " + by + " " + direction + ". It may be set to another time zone, or by hand. " +
			"Switch on automatic date, time and time zone in the phone's settings, then enter the code that the app shows next."
	}
	by := fmt.Sprintf("%d seconds", int(skew.Seconds()))
	if skew >= 2*time.Minute {
		by = fmt.Sprintf("%d minutes", int(math.Round(skew.Minutes())))
	}
	return "The clock of the phone is about " + by + " " + direction + ". Switch on automatic date and time in the phone's settings, then enter the code that the app shows next."
}

// hours says a time in hours and quarters of an hour as people do, and is empty for
// what they say in minutes: less than an hour and a half, but for the hour itself.
func hours(d time.Duration) string {
	quarters := int(math.Round(float64(d) / float64(15*time.Minute)))
	if quarters < 4 || quarters == 5 {
		return ""
	}
	words := [...]string{"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen"}
	whole, part := quarters/4, [...]string{"", " and a quarter", " and a half", " and three quarters"}[quarters%4]
	count := strconv.Itoa(whole)
	if whole < len(words) {
		count = words[whole]
	}
	if whole == 1 && part == "" {
		return "one hour"
	}
	return count + part + " hours"
}

// wwwAuthenticate is the challenge that goes with a 401 or an insufficient
// scope (RFC 6750 §3, and RFC 9470 §3 for a step-up).
func wwwAuthenticate(kind enroll.Kind, e *enroll.Error) string {
	const realm = `Bearer realm="mfa-enrollment"`
	switch kind {
	case enroll.MissingCredential:
		return realm
	case enroll.InvalidToken, enroll.WrongTokenUse:
		return realm + `, error="invalid_token", error_description="` + problems[kind].title + `"`
	case enroll.InsufficientScope:
		return realm + `, error="insufficient_scope", scope="aws.cognito.signin.user.admin"`
	case enroll.StepUpRequired:
		return realm + fmt.Sprintf(`, error="insufficient_user_authentication", error_description="%s", max_age="%d"`, problems[kind].title, int(e.MaxAge.Seconds()))
	}
	return ""
}
