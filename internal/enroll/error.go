package enroll

import (
	"errors"
	"time"
)

// Kind says what went wrong in the words of the domain. It is also the stable
// `code` of the problem document that a client reads; handlers/problem.go is
// the only place that knows the HTTP status of each.
type Kind string

// The kinds, as openapi.yaml lists them.
const (
	InvalidRequest        Kind = "invalid_request"
	MissingCredential     Kind = "missing_credential"
	TwoCredentials        Kind = "two_credentials"
	InvalidToken          Kind = "invalid_token"
	WrongTokenUse         Kind = "wrong_token_use"
	InsufficientScope     Kind = "insufficient_scope"
	StepUpRequired        Kind = "step_up_required"
	SessionExpired        Kind = "session_expired"
	CodeMismatch          Kind = "code_mismatch"
	SupersededCode        Kind = "superseded_code"
	CodeAlreadyUsed       Kind = "code_already_used"
	NoPendingEnrollment   Kind = "no_pending_enrollment"
	EnrollmentReplaced    Kind = "enrollment_replaced"
	VerifiedNotEnabled    Kind = "verified_not_enabled"
	NotOfferedHere        Kind = "not_offered_here"
	TOTPNotEnabled        Kind = "totp_not_enabled"
	MFARequiredByPool     Kind = "mfa_required_by_pool"
	UserNotConfirmed      Kind = "user_not_confirmed"
	PasswordResetRequired Kind = "password_reset_required"
	UserNotFound          Kind = "user_not_found"
	RefusedByPool         Kind = "refused_by_pool"
	TooManyRequests       Kind = "too_many_requests"
	Busy                  Kind = "busy"
	UpstreamUnavailable   Kind = "upstream_unavailable"
	UpstreamTimeout       Kind = "upstream_timeout"
	Internal              Kind = "internal"
)

// The reasons that choose among the texts of a kind.
const (
	ReasonNoVerifiedApp = "no_verified_app" // NoPendingEnrollment: there is no app to switch on or to sign in with
	ReasonSentCode      = "sent_code"       // CodeMismatch: the code of a message, not of an app
)

// Error is the only error that the flows return. Its text names the kind and
// the reason and is meant for the operator's log; a client is told by
// handlers/problem.go, which never shows the text or the cause.
type Error struct {
	Kind Kind
	// Reason is a short constant for the log, such as the name of Cognito's
	// exception. It never holds a submitted value.
	Reason string
	// RetryAfter says when to come back. Zero means that nothing is known.
	RetryAfter time.Duration
	// ClockSkew says how far the clock of the person's phone is off: negative
	// means that the phone is behind. Zero means that nothing is known.
	ClockSkew time.Duration
	// MaxAge says how old a sign-in may be (StepUpRequired only).
	MaxAge time.Duration
	// Fields names what breaks the contract (InvalidRequest only).
	Fields []Field
	// OfAccount says that Cognito refused for the quota of the whole AWS account, and
	// not for something that this person did too often (TooManyRequests only).
	OfAccount bool
	// Limit is the limit that was met (TooManyRequests only), where it is one of
	// this service's.
	Limit *Guard
	// PoolMessage is what a Lambda trigger of the user pool says to the person
	// (RefusedByPool only): plain text, at most 200 characters. Empty unless the
	// operator allows it. It may hold anything and is never logged.
	PoolMessage string
	// Cause is what the error wraps, or nil.
	Cause error
}

// ErrNotAsked is the cause of a refusal that is this service's own, where Cognito
// could have refused with the same kind.
var ErrNotAsked = errors.New("cognito was not asked")

// Field is one member of a request that is not as it must be.
type Field struct {
	Name   string
	Reason string // what it must be; never the submitted value
}

// Error implements error. The cause is left out, since an error of a library
// may quote what it was given.
func (e *Error) Error() string {
	if e.Reason == "" {
		return string(e.Kind)
	}
	return string(e.Kind) + ": " + e.Reason
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// Fail makes an error of a kind, with a constant reason for the log.
func Fail(kind Kind, reason string) *Error { return &Error{Kind: kind, Reason: reason} }

// Invalid makes an InvalidRequest about one member of the request.
func Invalid(name, reason string) *Error {
	return &Error{Kind: InvalidRequest, Reason: name, Fields: []Field{{Name: name, Reason: reason}}}
}

// KindOf tells the kind of any error. An error that is not the domain's is
// Internal; nil has no kind.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
