package cognitotest

import (
	"fmt"
	"net/http"
	"strings"
)

// exception is an error of the API: its name, and a message as Cognito words it.
type exception struct {
	name    string
	message string
	status  int // 0 is the status that Cognito gives this exception
}

func (e *exception) Error() string { return e.name + ": " + e.message }

// httpStatus is 400 for every exception but the one that is Cognito's own fault.
func (e *exception) httpStatus() int {
	switch {
	case e.status != 0:
		return e.status
	case e.name == "InternalErrorException":
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

// short is the exception with no more of its message than is sent.
func (e *exception) short() *exception {
	if len(e.message) <= maxMessage {
		return e
	}
	return &exception{e.name, strings.ToValidUTF8(e.message[:maxMessage], ""), e.status}
}

// body is the exception as it travels.
func (e *exception) body() any {
	return struct {
		Type    string `json:"__type"`
		Message string `json:"message,omitempty"`
	}{e.name, e.message}
}

func notAuthorized(message string) *exception {
	return &exception{name: "NotAuthorizedException", message: message}
}

func invalidParameter(format string, args ...any) *exception {
	return &exception{name: "InvalidParameterException", message: fmt.Sprintf(format, args...)}
}

func serialization(message string) *exception {
	return &exception{name: "SerializationException", message: message}
}

// misfit is the answer to a request whose members have other types.
func misfit() *exception { return serialization("The request body does not fit the operation.") }

func notFound(format string, args ...any) *exception {
	return &exception{name: "ResourceNotFoundException", message: fmt.Sprintf(format, args...)}
}

// unknownOperation is the answer to an operation that is not there. AWS's
// services send no message with it.
func unknownOperation() *exception { return &exception{name: "UnknownOperationException"} }

// unsigned is the answer to a call without a signature where one is needed.
func unsigned() *exception {
	return &exception{name: "MissingAuthenticationTokenException", message: "Missing Authentication Token"}
}

// wrongPassword is the answer to a wrong password and, so that nobody learns who
// has an account, to an unknown user.
func wrongPassword() *exception { return notAuthorized("Incorrect username or password.") }

func userNotFound() *exception {
	return &exception{name: "UserNotFoundException", message: "User does not exist."}
}

// usernameExists is the answer where a new user would have the name of another.
func usernameExists(message string) *exception {
	return &exception{name: "UsernameExistsException", message: message}
}

// addressExists is the same where users sign in with an address instead of a name.
func addressExists(attribute string) *exception {
	return usernameExists("An account with the given " + attribute + " already exists.")
}

// aliasExists is the answer where somebody else signs in with an address already
// (the words are those of published programs that look for them).
func aliasExists(attribute string) *exception {
	return &exception{name: "AliasExistsException", message: "An account with the " + attribute + " already exists."}
}

// cannotResend is the answer to an invitation of somebody who has chosen a password
// already (floci-io/floci#755; the words are those of programs that look for them).
func cannotResend(username string) *exception {
	return &exception{
		name:    "UnsupportedUserStateException",
		message: "Resend not possible. " + username + " status is not FORCE_CHANGE_PASSWORD",
	}
}

// noRecovery is the answer where a forgotten password cannot be reset by a code.
func noRecovery() *exception {
	return invalidParameter("Cannot reset password for the user as there is no registered/verified email or phone_number")
}

// missing is the answer to a request without a parameter that only some flows
// need, which the shapes of the API cannot express.
func missing(parameter string) *exception {
	return invalidParameter("Missing required parameter %s", parameter)
}

// wrongCode is the answer to a wrong code of an authenticator app at sign-in.
func wrongCode() *exception {
	return &exception{name: "CodeMismatchException", message: "Invalid code received for user"}
}

// wrongSentCode is the answer to a wrong code of an SMS or e-mail message, or to
// one that was used (aws-amplify/amplify-js#11069, #3066).
func wrongSentCode() *exception {
	return &exception{name: "CodeMismatchException", message: "Invalid code or auth state for the user."}
}

// wrongSecretHash is the answer to a wrong SECRET_HASH, and to one of an alias
// where the username belongs (capless/warrant#74, aws-amplify/amplify-js#4047).
func wrongSecretHash(c *client) *exception {
	return notAuthorized("Unable to verify secret hash for client " + c.ID)
}

// noSoftwareToken is the answer to a code of an app that the user does not have
// (amazon-archives/amazon-cognito-identity-js#630).
func noSoftwareToken() *exception {
	return &exception{
		name:    "SoftwareTokenMFANotFoundException",
		message: "Software Token MFA does not exist for the user.",
	}
}

// notEnabled is the answer of a secondary replica of a multi-region pool to
// operations on authenticator apps. The message is ours.
func notEnabled() *exception {
	return &exception{name: "OperationNotEnabledException", message: "Operation is not enabled for this user pool."}
}

// softwareTokenOff is the answer where the pool has authenticator apps switched
// off.
func softwareTokenOff() *exception {
	return &exception{
		name:    "SoftwareTokenMFANotFoundException",
		message: "Software Token MFA has not been enabled by the userPool",
	}
}

// notOfClient is the answer to a name that nobody of the client's pool has, where
// the client reveals that.
func notOfClient() *exception {
	return &exception{name: "UserNotFoundException", message: "Username/client id combination not found."}
}

// tooManyAttempts is the answer to a call that a user may make some times an hour
// alone (aws-amplify/amplify-js#8013, aws-amplify/aws-sdk-android#627).
func tooManyAttempts() *exception {
	return &exception{name: "LimitExceededException", message: "Attempt limit exceeded, please try after some time."}
}

// wrongConfirmation is the answer to a wrong code of a sign-up or of a forgotten
// password.
func wrongConfirmation() *exception {
	return &exception{name: "CodeMismatchException", message: "Invalid verification code provided, please try again."}
}

// expiredCode is the answer to a code that is too old or was never sent.
func expiredCode() *exception {
	return &exception{name: "ExpiredCodeException", message: "Invalid code provided, please request a code again."}
}

// notInLite is the answer where the pool's feature plan lacks something.
func notInLite(feature string) *exception {
	return &exception{
		name: "FeatureUnavailableInTierException", message: feature + " is not available in the LITE feature plan.",
	}
}
