package handlers

import (
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

// Kinds that HTTP alone knows.
const (
	notFound             enroll.Kind = "not_found"
	methodNotAllowed     enroll.Kind = "method_not_allowed"
	notAcceptable        enroll.Kind = "not_acceptable"
	payloadTooLarge      enroll.Kind = "payload_too_large"
	unsupportedMediaType enroll.Kind = "unsupported_media_type"
	headersTooLarge      enroll.Kind = "headers_too_large"
)

// problem is one row of the table that turns kinds into replies.
type problem struct {
	status int
	title  string
	detail string
}

// problems is the only place with the status of a kind and the words that a
// person reads about it. Every text is a constant: nothing that was submitted,
// and nothing that Cognito or Go said, can get into a reply.
var problems = map[enroll.Kind]problem{
	enroll.InvalidRequest:        {400, "The request breaks the contract", "The request is not as it must be: see fields."},
	enroll.TwoCredentials:        {400, "Two credentials", "Send an access token or a session, not both."},
	enroll.MissingCredential:     {401, "No credential", "Send a Cognito access token in the Authorization header (Bearer), or where the operation takes one the session of the sign-in."},
	enroll.InvalidToken:          {401, "The access token is not valid", "The access token is not valid. Sign in again."},
	enroll.WrongTokenUse:         {401, "This is not an access token", "Another token was sent in place of the access token. Send the access token that came with it."},
	enroll.StepUpRequired:        {401, "A recent sign-in is needed", "Changing a working authenticator app needs a recent sign-in. Sign in again, then repeat this."},
	enroll.InsufficientScope:     {403, "The access token lacks a scope", "The access token lacks the scope aws.cognito.signin.user.admin. Ask for it at sign-in, and allow it for the app client."},
	enroll.UserNotConfirmed:      {403, "The account is not confirmed", "The account is not confirmed yet. Confirm it, then sign in again."},
	enroll.PasswordResetRequired: {403, "The password must be reset", "The password must be reset before anything else. Reset it, then sign in again."},
	enroll.RefusedByPool:         {403, "The user pool refused", "The rules of the user pool do not allow this for this account. Its operator can tell why."},
	enroll.UserNotFound:          {404, "No such user", "The user does not exist, or not any more."},
	enroll.NoPendingEnrollment:   {409, "No authenticator app to finish with", "There is no authenticator app that was set up and verified. Start an enrollment first."},
	enroll.EnrollmentReplaced:    {409, "The enrollment was replaced", "Since this QR code was shown another one was asked for, perhaps in another window. Start again, and scan the new one."},
	enroll.TOTPNotEnabled:        {409, "Authenticator apps are switched off", "This user pool does not allow authenticator apps. Its operator can switch them on."},
	enroll.MFARequiredByPool:     {409, "The user pool requires MFA", "This user pool requires a second factor, so it cannot be switched off. It can be replaced by starting a new enrollment."},
	enroll.SessionExpired:        {410, "The sign-in has expired", "The sign-in took too long or was continued elsewhere. Sign in again."},
	enroll.CodeMismatch:          {422, "The code is wrong", "The code is not right. Enter the code that the app shows now."},
	enroll.CodeAlreadyUsed:       {422, "The code was used already", "A code works once. Wait for the next one, at most 30 seconds, and enter that."},
	enroll.TooManyRequests:       {429, "Too many requests", "There were too many requests. Wait a little, then try again."},
	enroll.Internal:              {500, "Something went wrong here", "Something went wrong here. Tell the operator the request id."},
	enroll.UpstreamUnavailable:   {502, "Amazon Cognito is not available", "The sign-in service behind this one did not work. Try again in a moment."},
	enroll.Busy:                  {503, "Many people are doing this now", "Many people are setting up an app just now. Nothing was lost: try again in a moment."},
	enroll.VerifiedNotEnabled:    {503, "Verified, not yet switched on", "The code was right and the authenticator app is verified, but it is not switched on yet. Switch it on to finish; no other code is needed."},
	enroll.UpstreamTimeout:       {504, "Amazon Cognito did not answer in time", "The sign-in service behind this one did not answer in time. Try again in a moment."},

	notFound:             {404, "Nothing is here", "There is nothing at this address."},
	methodNotAllowed:     {405, "The method is not allowed here", "This address takes other methods: see Allow."},
	notAcceptable:        {406, "None of the accepted types can be had", "Accept application/json; or, with an access token, image/png."},
	payloadTooLarge:      {413, "The body is too large", "The body is larger than 64 KiB."},
	headersTooLarge:      {431, "The headers are too large", "The headers of the request are larger than 16 KiB."},
	unsupportedMediaType: {415, "The body is not JSON", "Send the body as application/json, not compressed."},
}

// tokenDetails says more of a refused token, by the verifier's reason.
var tokenDetails = map[string]string{
	"expired":          "The access token has expired. Refresh it, or sign in again.",
	"not_yet_valid":    "The access token is from the future. The clock of whoever issued it, or of this service, is off.",
	"malformed":        "This is not a Cognito access token.",
	"too_large":        "The access token is longer than the 24 KiB that are read here. The groups of the user, or claims that a Lambda trigger adds, make it so.",
	reasonSession:      "The session of a sign-in was sent as an access token. Send it as session in the body.",
	"bad_signature":    "The signature of the access token is wrong.",
	"not_rs256":        "Cognito signs its tokens with RS256; this one is not.",
	"foreign_issuer":   "The access token is from another user pool than this service is set up for.",
	"foreign_client":   "The access token is for another app client than this service is set up for.",
	"unknown_key":      "The key that signed the access token is none of its user pool's.",
	"missing_claim":    "A claim that every Cognito access token has is missing.",
	"forbidden_header": "The header of the access token names a key or an extension of its own, which Cognito's never does.",
	"other_token_use":  "This is neither an access token nor another that Cognito documents. Send the access token.",
	"id_token":         "An ID token was sent. Send the access token that came with it.",
	"refresh_token":    "A refresh token was sent. Send the access token that came with it.",
}

// statusCodes maps the errors that echo itself makes.
var statusCodes = map[int]enroll.Kind{
	http.StatusBadRequest:            enroll.InvalidRequest,
	http.StatusNotFound:              notFound,
	http.StatusMethodNotAllowed:      methodNotAllowed,
	http.StatusNotAcceptable:         notAcceptable,
	http.StatusRequestEntityTooLarge: payloadTooLarge,
	http.StatusUnsupportedMediaType:  unsupportedMediaType,
}

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
	doc := api.Problem{
		Type: problemTypePrefix + string(kind), Title: row.title, Status: row.status, Detail: detail(row, e), Code: api.ProblemCode(kind),
		RequestId: c.Response().Header().Get(echo.HeaderXRequestID),
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

// detail chooses the sentence that helps most.
func detail(row problem, e *enroll.Error) string {
	switch {
	case e.ClockSkew != 0:
		return clockDetail(e.ClockSkew)
	case e.Kind == enroll.InvalidToken || e.Kind == enroll.WrongTokenUse:
		if d, ok := tokenDetails[e.Reason]; ok {
			return d
		}
	}
	return row.detail
}

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
