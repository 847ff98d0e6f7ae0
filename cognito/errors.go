package cognito

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/quota"
	"mfa-enrollment/metrics"
)

// retrySoon is told where Cognito refused for a reason that passes at once and
// said nothing about when to come back.
const retrySoon = time.Second

// unknownError is the SDK's name for an answer without an exception: a page of
// HTML from whatever stands between here and Cognito.
const unknownError = "UnknownError"

// reasonNoAnswer is the reason of a failure without an exception: no answer, or
// one that is not Cognito's.
const reasonNoAnswer = "no usable answer"

// call names an operation and what it is doing, since the same exception means
// different things to different callers.
type call struct {
	operation string
	session   bool       // the credential is a session, not an access token
	disabling bool       // SetUserMFAPreference that switches TOTP off
	spends    quota.Call // of the write quota; no Operation: nothing
}

// domainError turns whatever the SDK returned into the domain's error. It is
// the only place that knows Cognito's exceptions. The message of an exception
// is read where the name alone does not tell (NotAuthorizedException), and is
// never passed on.
func domainError(c call, err error) *enroll.Error {
	apiErr, ok := errors.AsType[smithy.APIError](err)
	if !ok || apiErr.ErrorCode() == unknownError {
		return transportError(err)
	}
	kind, reason := kindOf(c, apiErr.ErrorCode(), strings.ToLower(apiErr.ErrorMessage()))
	e := &enroll.Error{Kind: kind, Reason: reason, Cause: err}
	switch kind {
	case enroll.TooManyRequests, enroll.Busy:
		e.RetryAfter = retrySoon
	}
	return e
}

// transportError is for calls that Cognito did not answer, or not in its
// protocol.
func transportError(err error) *enroll.Error {
	var netErr net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return &enroll.Error{Kind: enroll.UpstreamTimeout, Reason: "canceled", Cause: err}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return &enroll.Error{Kind: enroll.UpstreamTimeout, Reason: "no answer in time", Cause: err}
	default:
		return &enroll.Error{Kind: enroll.UpstreamUnavailable, Reason: reasonNoAnswer, Cause: err}
	}
}

// kindOf maps an exception's name, and where it must its message in lower case,
// to a kind. The reason is the exception's name, for the log.
func kindOf(c call, name, message string) (enroll.Kind, string) {
	reason := exceptionName(name)
	switch name {
	case "NotAuthorizedException", "UnauthorizedException":
		return notAuthorized(c, message), reason
	case "InvalidParameterException":
		return invalidParameter(c, message), reason

	case "ResourceNotFoundException":
		if strings.Contains(message, "device") { // and not a pool or an app client
			return enroll.InvalidRequest, reason
		}

	case "CodeMismatchException", "EnableSoftwareTokenMFAException":
		return enroll.CodeMismatch, reason
	case "ExpiredCodeException":
		return enroll.CodeAlreadyUsed, reason
	case "SoftwareTokenMFANotFoundException":
		// One name for two things; the message tells a user without a secret
		// ("Software Token MFA does not exist for the user.", reported) from a
		// pool without TOTP ("… has not been enabled by the userPool").
		if message != "" && !strings.Contains(message, "pool") {
			return enroll.NoPendingEnrollment, reason
		}
		return enroll.TOTPNotEnabled, reason
	case "MFAMethodNotFoundException":
		return enroll.NoPendingEnrollment, reason

	case "UserNotConfirmedException":
		return enroll.UserNotConfirmed, reason
	case "PasswordResetRequiredException":
		return enroll.PasswordResetRequired, reason
	case "UserNotFoundException":
		return enroll.UserNotFound, reason
	case "UserLambdaValidationException":
		return enroll.RefusedByPool, reason

	case "TooManyRequestsException", "LimitExceededException", "ThrottlingException", "TooManyFailedAttemptsException":
		return enroll.TooManyRequests, reason
	case "ConcurrentModificationException":
		return enroll.Busy, reason

	case "ForbiddenException", "InternalErrorException", "InternalServerException", "ServiceUnavailable", "ServiceUnavailableException",
		"InvalidLambdaResponseException", "UnexpectedLambdaException", "CodeDeliveryFailureException":
		return enroll.UpstreamUnavailable, reason
	}
	// What is left is either a mistake in the configuration (a pool or client
	// that does not exist, a role without permission) or an exception that
	// nobody here has met. The operator finds its name in the log.
	return enroll.Internal, reason
}

func notAuthorized(c call, message string) enroll.Kind {
	switch {
	case strings.Contains(message, "attempts exceeded"):
		return enroll.TooManyRequests
	case strings.Contains(message, "secret hash"), strings.Contains(message, "secret_hash"):
		return enroll.Internal // COGNITO_CLIENT_SECRETS does not fit the app client
	case strings.Contains(message, "disabled"):
		return enroll.RefusedByPool
	case c.session:
		return enroll.SessionExpired
	case strings.Contains(message, "scope"):
		return enroll.InsufficientScope
	case c.disabling && strings.Contains(message, "mfa"):
		return enroll.MFARequiredByPool
	default:
		return enroll.InvalidToken
	}
}

func invalidParameter(c call, message string) enroll.Kind {
	switch {
	case c.session && strings.Contains(message, "session"):
		return enroll.SessionExpired
	case c.disabling:
		return enroll.MFARequiredByPool
	case c.operation == opSetPreference:
		// "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA":
		// there is no verified authenticator app to switch on.
		return enroll.NoPendingEnrollment
	default:
		return enroll.InvalidRequest
	}
}

// exceptionName bounds what reaches the log from an unknown endpoint.
func exceptionName(name string) string {
	const longest = 64
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' {
			return r
		}
		return -1
	}, name)
	return clean[:min(len(clean), longest)]
}

// outcome is the metric label for the end of a call.
func outcome(err *enroll.Error) string {
	if err == nil {
		return metrics.OutcomeOK
	}
	switch err.Kind {
	case enroll.TooManyRequests, enroll.Busy:
		return metrics.OutcomeThrottled
	case enroll.CodeMismatch, enroll.CodeAlreadyUsed:
		return metrics.OutcomeWrongCode
	case enroll.InvalidToken, enroll.InsufficientScope, enroll.SessionExpired:
		return metrics.OutcomeCredential
	case enroll.UpstreamUnavailable:
		return metrics.OutcomeUnavailable
	case enroll.UpstreamTimeout:
		return metrics.OutcomeTimeout
	case enroll.Internal:
		return metrics.OutcomeInternal
	default:
		return metrics.OutcomeRefused
	}
}
