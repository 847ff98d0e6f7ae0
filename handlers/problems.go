package handlers

import (
	"net/http"

	"mfa-enrollment/internal/enroll"
)

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
	text
	// variants are the texts of a kind that has several, by the reason of the
	// error. What a variant leaves empty is the row's.
	variants map[string]text
}

// text is what a problem says: to the person who sees the page, in words that need
// no knowledge of how it is made, and to whoever builds or runs the page.
type text struct{ detail, hint string }

// What people read about mistakes that are not theirs.
const (
	pageMistake  = "Something in this page or app does not work as it should. Contact its support."
	signInAgain  = "Your sign-in is not valid here. Sign in again."
	doesNotFit   = "Your sign-in does not fit this page or app. Sign in again; if that does not help, contact its support."
	tryAgainSoon = "Try again in a moment."
)

// problems is the only place with the status of a kind and the words about it.
// Every text is a constant: nothing that was submitted, and nothing that Cognito or
// Go said, can get into a reply.
var problems = map[enroll.Kind]problem{
	enroll.InvalidRequest: {400, "The request breaks the contract", text{pageMistake, "The request is not as openapi.yaml has it: see fields."}, map[string]text{
		reasonNoCode: {"That is not a complete code. Enter all of its digits, and nothing but digits.", "Somebody entered what is no code: see fields. Remove spaces and hyphens before sending it. No try is counted."},
	}},
	enroll.TwoCredentials: {400, "Two credentials", text{pageMistake, "Send one access token or one session, not both."}, nil},
	enroll.MissingCredential: {401, "No credential", text{"You are not signed in. Sign in first.", "Send a Cognito access token in the Authorization header (Bearer), or, where the operation takes one, the session of the sign-in."}, map[string]text{
		reasonNoScheme: {pageMistake, "The access token was sent without its scheme. Send Authorization: Bearer and the token."},
	}},
	enroll.InvalidToken: {401, "The access token is not valid", text{signInAgain, "Cognito refused the access token: it was revoked, or the user signed out everywhere."}, map[string]text{
		"expired":            {"Your sign-in has ended. Sign in again.", "The access token has expired. Refresh it and repeat; where that fails, let the person sign in again."},
		"not_yet_valid":      {signInAgain, "The access token is from the future: the clock of whoever issued it, or of this service, is off."},
		"malformed":          {doesNotFit, "This is not a Cognito access token."},
		"too_large":          {doesNotFit, "The access token is longer than the 24 KiB that are read. The user's groups, or claims that a Lambda trigger adds, make it so."},
		"bad_signature":      {signInAgain, "The signature of the access token is wrong."},
		"not_rs256":          {doesNotFit, "Cognito signs its tokens with RS256; this one is not."},
		"foreign_issuer":     {doesNotFit, "The access token is from a user pool that is not in COGNITO_USER_POOL_IDS."},
		"foreign_client":     {doesNotFit, "The access token is for an app client that is not in COGNITO_CLIENT_IDS."},
		"unknown_key":        {signInAgain, "The key that signed the access token is none of its user pool's."},
		"client_credentials": {pageMistake, "The access token is of the client-credentials grant: it stands for an app client, and for no user. Send the access token of a person's sign-in."},
		"missing_claim":      {doesNotFit, "A claim that every Cognito access token has is missing."},
		"forbidden_header":   {doesNotFit, "The header of the access token names a key or an extension of its own, which Cognito's never does."},
		reasonSession:        {pageMistake, "The session of a sign-in was sent as an access token. Send it as session in the body."},
	}},
	enroll.WrongTokenUse: {401, "This is not an access token", text{pageMistake, "Another token was sent in place of the access token. Send the access token that came with it."}, map[string]text{
		"id_token":        {pageMistake, "An ID token was sent. Send the access token that came with it."},
		"refresh_token":   {pageMistake, "A refresh token was sent. Send the access token that came with it."},
		"other_token_use": {pageMistake, "This is neither an access token nor another that Cognito documents. Send the access token."},
	}},
	enroll.StepUpRequired:        {401, "A recent sign-in is needed", text{"To change how you sign in, sign in once more, then repeat this.", "The sign-in (auth_time) is older than max_age in WWW-Authenticate (RFC 9470). Refreshing the token does not help."}, nil},
	enroll.InsufficientScope:     {403, "The access token lacks a scope", text{pageMistake, "The access token lacks the scope aws.cognito.signin.user.admin. Ask for it at sign-in, and allow it for the app client."}, nil},
	enroll.UserNotConfirmed:      {403, "The account is not confirmed", text{"Your account is not confirmed yet. Confirm it, then sign in again.", "Cognito answered UserNotConfirmedException."}, nil},
	enroll.PasswordResetRequired: {403, "The password must be reset", text{"Your password must be reset first. Reset it, then sign in again.", "Cognito answered PasswordResetRequiredException."}, nil},
	enroll.RefusedByPool:         {403, "The user pool refused", text{"This is not allowed for your account. Contact support.", "The user is disabled, or a Lambda trigger or the threat protection of the user pool said no."}, nil},
	enroll.UserNotFound:          {404, "No such user", text{"This account does not exist, or not any more.", "Cognito answered UserNotFoundException."}, nil},
	enroll.NoPendingEnrollment: {409, "No authenticator app to finish with", text{"There is no set-up to finish. Get a new QR code and scan it. If you have scanned one before, delete that entry from your app.", "No enrollment is pending, or it has expired, or nothing of it is kept (PENDING_TTL=0). Start one first."}, map[string]text{
		enroll.ReasonNoVerifiedApp: {"No authenticator app is set up for this account yet. Set one up first.", "There is no verified app to switch on or to sign in with."},
	}},
	enroll.EnrollmentReplaced: {409, "The enrollment was replaced", text{"Since this QR code was shown another one was asked for, perhaps in another window. Get a new one and scan that; delete the older entry from your app.", "Another client or sign-in asked Cognito for a new secret. Start again."}, nil},
	enroll.NotOfferedHere:     {409, "Not offered in this region", text{"Authenticator apps cannot be set up right now. Try again later.", "Cognito does not offer this operation here (OperationNotEnabledException): the user pool in this region is a secondary replica."}, nil},
	enroll.TOTPNotEnabled:     {409, "Authenticator apps are switched off", text{"Authenticator apps cannot be used for this account.", "The user pool does not allow software tokens. Switch them on in its MFA settings."}, nil},
	enroll.MFARequiredByPool:  {409, "The user pool requires MFA", text{"A second step at sign-in is required, so it cannot be switched off. You can set up another app in its place.", "The user pool requires MFA. Do not offer switching off there."}, nil},
	enroll.SessionExpired:     {410, "The sign-in has expired", text{"The sign-in took too long or was continued elsewhere. Sign in again.", "Cognito refused the session: it has expired, or was used. Sessions last for AuthSessionValidity, three to 15 minutes, and work once."}, nil},
	enroll.CodeMismatch: {422, "The code is wrong", text{"The code is not right. Enter the code that the app shows now.", "Nothing was lost: the enrollment, or the sign-in, goes on."}, map[string]text{
		enroll.ReasonSentCode: {"The code is not right. Enter the code of the newest message that was sent to you.", "The sign-in goes on with the same session."},
		variantClock:          {"", "clockSkewSeconds says how far the phone's clock is off, negative where it is behind."},
		variantClockHours:     {"", "clockSkewSeconds says how far the phone's clock is off, negative where it is behind. Whole and quarter hours come from a time zone or a clock set by hand."},
	}},
	enroll.SupersededCode:  {422, "The code is of an earlier QR code", text{"This code is from an earlier QR code. Use the newest entry in your app; when it works, delete the older one.", "The code fits a secret that this enrollment replaced."}, nil},
	enroll.CodeAlreadyUsed: {422, "The code was used already", text{"A code works once. Wait for the next one, at most 30 seconds, and enter that.", "The code that finished an enrollment counts as used: see codeReusableIn."}, nil},
	enroll.TooManyRequests: {429, "Too many requests", text{"There were too many requests. Wait a little, then try again.", "Cognito's limit, or one of this service's: RateLimit-Policy says which."}, map[string]text{
		"too many wrong codes": {"Too many wrong codes were entered. Wait a little, then enter the code that the app shows then.", "The tries of this enrollment are used up until retryAfter is over."},
	}},
	enroll.Internal:            {500, "Something went wrong here", text{"Something went wrong here. If it happens again, contact support and tell them the request number.", "The log has the cause under the request id."}, nil},
	enroll.UpstreamUnavailable: {502, "Amazon Cognito is not available", text{"The sign-in service does not work at the moment. " + tryAgainSoon, "Cognito failed, or a firewall in front of it refused. Sending the same again is safe."}, nil},
	enroll.Busy:                {503, "Too many people are enrolling at once", text{"Too many people are setting up an app right now. Your place is kept: try again in a moment.", "The account's Cognito quota has no room in time. Send the same again after retryAfter and a random part of a second more."}, nil},
	enroll.VerifiedNotEnabled:  {503, "Verified, not yet switched on", text{"The code was right and your app is set up, but it is not switched on yet. No other code is needed.", "Call setTotpPreference with enabled: true after retryAfter."}, nil},
	enroll.UpstreamTimeout:     {504, "Amazon Cognito did not answer in time", text{"The sign-in service did not answer in time. " + tryAgainSoon, "Sending the same again is safe."}, nil},

	notFound:             {404, "Nothing is here", text{pageMistake, "There is nothing at this address."}, nil},
	methodNotAllowed:     {405, "The method is not allowed here", text{pageMistake, "This address takes other methods: see Allow."}, nil},
	notAcceptable:        {406, "None of the accepted types can be had", text{pageMistake, "Accept image/png or image/svg+xml."}, nil},
	payloadTooLarge:      {413, "The body is too large", text{pageMistake, "The body is larger than 64 KiB."}, nil},
	unsupportedMediaType: {415, "The body is not JSON", text{pageMistake, "Send the body as application/json, not compressed."}, nil},
	headersTooLarge:      {431, "The headers are too large", text{pageMistake, "The headers of the request, Authorization aside, are larger than 16 KiB."}, nil},
}

// variantNames are the names of variants that are not those of their reasons.
var variantNames = map[string]string{"too many wrong codes": "codes", reasonNoCode: "code"}

// The variants of a wrong code that the phone's clock explains.
const (
	variantClock      = "clock"
	variantClockHours = "clock_hours"
)

// statusCodes maps the errors that echo itself makes.
var statusCodes = map[int]enroll.Kind{
	http.StatusBadRequest:            enroll.InvalidRequest,
	http.StatusNotFound:              notFound,
	http.StatusMethodNotAllowed:      methodNotAllowed,
	http.StatusNotAcceptable:         notAcceptable,
	http.StatusRequestEntityTooLarge: payloadTooLarge,
	http.StatusUnsupportedMediaType:  unsupportedMediaType,
}
