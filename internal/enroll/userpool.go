package enroll

import (
	"context"
	"time"

	"mfa-enrollment/internal/permit"
)

// UserPool is what the flows need of Amazon Cognito. Package cognito satisfies
// it over the AWS SDK. Every error is an *Error. Each call takes a permit, which
// only the limits mint (admission.go); without one nothing is sent.
type UserPool interface {
	// Associate asks for a new TOTP secret (AssociateSoftwareToken).
	Associate(ctx context.Context, p permit.Permit, c Credential) (Association, error)
	// Verify submits a code for the newest secret (VerifySoftwareToken). In the
	// session flow it returns the session that answers MFA_SETUP. deviceName
	// may be empty.
	Verify(ctx context.Context, p permit.Permit, c Credential, code Secret, deviceName string) (next Secret, err error)
	// SetTOTP changes whether TOTP is asked for at sign-in and whether it comes
	// first (SetUserMFAPreference, the software-token settings alone).
	SetTOTP(ctx context.Context, p permit.Permit, token Secret, change Preference) error
	// User reads the person's attributes and factors (GetUser).
	User(ctx context.Context, p permit.Permit, token Secret) (User, error)
	// Answer answers a challenge of a sign-in (RespondToAuthChallenge).
	Answer(ctx context.Context, p permit.Permit, a Answer) (SignIn, error)
}

// Association is a new TOTP secret, not verified yet.
type Association struct {
	Secret  Secret // base32, as Cognito gives it
	Session Secret // the next session; empty in the token flow
}

// Preference is how TOTP is used at sign-in.
type Preference struct {
	Enabled   bool // ask for it
	Preferred bool // ask for it first; only together with Enabled
}

// User is what Cognito tells of the bearer of an access token.
type User struct {
	Username   string
	Attributes map[string]string
	Methods    []string // factors that are on, by Cognito's names
	Preferred  string   // the factor that is asked for first, or empty
}

// MethodTOTP is Cognito's name for an authenticator app.
const MethodTOTP = "SOFTWARE_TOKEN_MFA"

// ChallengeMFASetup is the challenge that an enrollment during sign-in answers.
const ChallengeMFASetup = "MFA_SETUP"

// The challenges that ask for the code of a message.
const (
	ChallengeSMS   = "SMS_MFA"
	ChallengeEmail = "EMAIL_OTP"
)

// ChallengeSelectMFA is the challenge that asks which factor to use.
const ChallengeSelectMFA = "SELECT_MFA_TYPE"

// Answer is an answer to a challenge of a sign-in.
type Answer struct {
	Challenge string
	ClientID  string
	Username  string
	Session   Secret
	Code      Secret // for SOFTWARE_TOKEN_MFA
	Method    string // for SELECT_MFA_TYPE
	Context   SignInContext
	Address   string // the caller's, for the limits
}

// SignInContext is what goes along with a sign-in for Cognito's threat
// protection and the pool's Lambda triggers. All of it is optional.
type SignInContext struct {
	ClientIP    string
	DeviceKey   Secret // of a device that the pool remembers; empty: none
	EncodedData Secret
	Metadata    map[string]string
}

// SignIn is what answering a challenge leads to: tokens, or one more challenge.
type SignIn struct {
	Tokens    *Tokens
	Challenge *Challenge
	Person    *Identity // whom the tokens speak for; nil where that is not known
}

// Tokens are what a finished sign-in gives.
type Tokens struct {
	Access, ID, Refresh Secret
	ExpiresIn           time.Duration
	Type                string
	Device              *Device // that the pool remembers from now on; nil: none
}

// Device is Cognito's NewDeviceMetadata. Without its key in later sign-ins the
// refresh token is refused.
type Device struct {
	Key      Secret
	GroupKey string
}

// Challenge is what Cognito asks next.
type Challenge struct {
	Name       string
	Session    Secret
	Parameters map[string]string
}
