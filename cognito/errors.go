package cognito

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
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

// reasonUsername is the reason of a sign-in that names the person by an alias.
const reasonUsername = "the username is an alias, or COGNITO_CLIENT_SECRETS is wrong"

// reasonNoAnswer is the reason of a failure without an exception: no answer, or
// one that is not Cognito's.
const reasonNoAnswer = "no usable answer"

// call names an operation and what it is doing, since the same exception means
// different things to different callers.
type call struct {
	operation string
	challenge string     // what RespondToAuthChallenge answers
	session   bool       // the credential is a session, not an access token
	disabling bool       // SetUserMFAPreference that switches TOTP off
	spends    quota.Call // of the write quota; no Operation: nothing
}

// domainError turns whatever the SDK returned into the domain's error. It is
// the only place that knows Cognito's exceptions. The message of an exception
// is read where the name alone does not tell (NotAuthorizedException), and is
// never passed on, but for poolMessage.
func domainError(c call, err error) *enroll.Error {
	apiErr, ok := errors.AsType[smithy.APIError](err)
	if !ok || apiErr.ErrorCode() == unknownError {
		return transportError(err)
	}
	kind, reason := kindOf(c, apiErr.ErrorCode(), strings.ToLower(apiErr.ErrorMessage()))
	if kind == unmet {
		kind = kindOfUnmet(apiErr.ErrorCode(), status(err))
	}
	e := &enroll.Error{Kind: kind, Reason: reason, Cause: err}
	e.OfAccount = kind == enroll.TooManyRequests && !slices.Contains(ownLimits, reason)
	switch {
	case kind == enroll.TooManyRequests, kind == enroll.Busy:
		e.RetryAfter = retrySoon
	case kind == enroll.NoPendingEnrollment && (c.operation == opSetPreference || c.operation == opRespond):
		e.Reason = enroll.ReasonNoVerifiedApp
	case kind == enroll.CodeMismatch && c.sentCode():
		e.Reason = enroll.ReasonSentCode
	case kind == enroll.InvalidRequest:
		e.Fields = refusedFields(reason, strings.ToLower(apiErr.ErrorMessage()))
	}
	return e
}

// refusedFields names what Cognito refused of a request that keeps the contract.
func refusedFields(reason, message string) []enroll.Field {
	username := enroll.Field{Name: "username", Reason: "must be USER_ID_FOR_SRP of the challenge, not the e-mail address or phone number that the person typed"}
	device := enroll.Field{Name: "deviceKey", Reason: "must be a device that the user pool remembers for this user, or left out"}
	switch {
	case reason == reasonUsername:
		return []enroll.Field{username}
	case reason == "ResourceNotFoundException":
		return []enroll.Field{device}
	case strings.Contains(message, "device"):
		// "Invalid device key given." comes for an alias, too (amplify-js#4047).
		return []enroll.Field{device, username}
	default:
		return []enroll.Field{{Name: "body", Reason: "must hold values that Cognito takes; it refused one that this contract lets through (InvalidParameterException)"}}
	}
}

// errLacking stands for an answer that lacks what it must have. It says nothing of
// what was done, and counts as no answer.
var errLacking = errors.New("an answer without its members")

// transportError is for calls that Cognito did not answer, or not in its
// protocol.
func transportError(err error) *enroll.Error {
	var netErr net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return &enroll.Error{Kind: enroll.UpstreamTimeout, Reason: "canceled", Cause: err}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return &enroll.Error{Kind: enroll.UpstreamTimeout, Reason: "no answer in time", Cause: err}
	case status(err) == http.StatusTooManyRequests:
		return &enroll.Error{Kind: enroll.TooManyRequests, Reason: "429 without an exception", RetryAfter: retrySoon, OfAccount: true, Cause: err}
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
		if c.operation == opRespond && strings.Contains(message, "unable to verify secret hash") {
			// The hash is made of the username too: an alias in its place gives this
			// message (warrant#74, amplify-js#4047). So does a wrong secret.
			return enroll.InvalidRequest, reasonUsername
		}
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
		if c.sentCode() {
			// The code of a message has run out, and only a new sign-in sends another.
			return enroll.SessionExpired, reason
		}
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
	case "UserLambdaValidationException", "AliasExistsException":
		return enroll.RefusedByPool, reason
	case "OperationNotEnabledException":
		// A secondary replica of a multi-region pool does not support TOTP.
		return enroll.NotOfferedHere, reason

	case "TooManyRequestsException", "LimitExceededException", "TooManyFailedAttemptsException":
		return enroll.TooManyRequests, reason
	case "ConcurrentModificationException":
		return enroll.Busy, reason

	case "ForbiddenException", "InternalErrorException", "InternalServerException", "ServiceUnavailable", "ServiceUnavailableException",
		"InvalidLambdaResponseException", "UnexpectedLambdaException", "CodeDeliveryFailureException":
		return enroll.UpstreamUnavailable, reason
	}
	return unmet, reason
}

// unmet is the kind of an exception that is not named here.
const unmet enroll.Kind = ""

// ownLimits are the exceptions of limits that one person met, and not the account.
var ownLimits = []string{"LimitExceededException", "TooManyFailedAttemptsException", "NotAuthorizedException"}

// kindOfUnmet judges an exception by what the SDK knows of all of AWS and by the
// status: any service can answer with one of the common errors, such as
// InternalFailure (Cognito's API reference, "Common Errors"). What is left is a
// mistake in the configuration (a pool or client that does not exist, a role without
// permission) or something new. The operator finds its name in the log.
func kindOfUnmet(name string, status int) enroll.Kind {
	_, throttling := retry.DefaultThrottleErrorCodes[name]
	switch {
	case throttling, status == http.StatusTooManyRequests:
		return enroll.TooManyRequests
	case status >= http.StatusInternalServerError:
		return enroll.UpstreamUnavailable
	default:
		return enroll.Internal
	}
}

func notAuthorized(c call, message string) enroll.Kind {
	switch {
	case strings.Contains(message, "attempts exceeded"):
		return enroll.TooManyRequests
	case strings.Contains(message, "secret hash"), strings.Contains(message, "secret_hash"):
		return enroll.Internal // COGNITO_CLIENT_SECRETS does not fit the app client
	case strings.Contains(message, "disabled"), strings.Contains(message, "security reasons"):
		// "Unable to login because of security reasons." is threat protection's answer
		// to a risk, "Request not allowed due to security reasons." to an address that
		// the pool blocks. The session and the token are good.
		return enroll.RefusedByPool
	case c.session:
		return enroll.SessionExpired
	case strings.Contains(message, "scope"):
		return enroll.InsufficientScope
	case c.disabling && strings.Contains(message, "mfa") && strings.Contains(message, "require"):
		return enroll.MFARequiredByPool
	default:
		return enroll.InvalidToken
	}
}

func invalidParameter(c call, message string) enroll.Kind {
	switch {
	case c.session && strings.Contains(message, "session"):
		return enroll.SessionExpired
	case c.operation == opRespond && strings.Contains(message, "set up"):
		return enroll.NoPendingEnrollment // MFA_SETUP was answered before a code was verified
	case c.operation != opSetPreference:
		return enroll.InvalidRequest
	case !c.disabling, strings.Contains(message, "set up"), strings.Contains(message, "delivery config"):
		// "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA" and
		// "User has not set up software token mfa": there is no verified
		// authenticator app. The second comes when it is switched off, too
		// (amplify-js#3844, #1226), and says nothing of what the pool requires.
		return enroll.NoPendingEnrollment
	case strings.Contains(message, "require"):
		return enroll.MFARequiredByPool
	default:
		return enroll.RefusedByPool
	}
}

// sentCode reports whether the call submits the code of a message.
func (c call) sentCode() bool {
	return c.challenge == enroll.ChallengeSMS || c.challenge == enroll.ChallengeEmail
}

// poolMessageLength is the longest message of a Lambda trigger that is passed on,
// in characters.
const poolMessageLength = 200

// poolMessage is what a Lambda trigger of the user pool said, as plain text on one
// line, or empty. Cognito writes "PreAuthentication failed with error MESSAGE." and
// that form alone is taken apart. What the message holds is the pool's affair.
func poolMessage(err error) string {
	refusal, ok := errors.AsType[*types.UserLambdaValidationException](err)
	if !ok {
		return ""
	}
	message := refusal.ErrorMessage()
	if _, said, found := strings.Cut(message, " failed with error "); found {
		message = strings.TrimSuffix(said, ".")
	}
	message = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) { // Control characters, and those that turn the direction of a text.
			return ' '
		}
		return r
	}, message)
	message = strings.Join(strings.Fields(message), " ")
	if letters := []rune(message); len(letters) > poolMessageLength {
		message = strings.TrimSpace(string(letters[:poolMessageLength-1])) + "…"
	}
	return message
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
	if err.Reason == reasonUsername {
		// The secret may be wrong, and nobody of that client gets through until
		// somebody looks: MfaCognitoMisconfigured.
		return metrics.OutcomeInternal
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
