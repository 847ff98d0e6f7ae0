package quota

import (
	"time"

	"mfa-enrollment/internal/enroll"
)

// The operations that spend the quota, by Cognito's names.
const (
	Associate     = "AssociateSoftwareToken"
	Verify        = "VerifySoftwareToken"
	SetPreference = "SetUserMFAPreference"
)

// Call is a call to Cognito that spends the quota.
type Call struct {
	Operation string
	Session   bool // the credential is a session, not an access token

	// Age is how old the enrollment is that the call finishes. Zero: not known.
	Age time.Duration

	// The rest is of starts (Associate) alone.
	Person    string          // who starts, hashed
	Aging     string          // the session, hashed; empty by token
	Outside   bool            // gets no queue position
	Abandoned <-chan struct{} // closed when the call need not be made any more; nil is never
}

// flow is the way that the person came.
func (c Call) flow() enroll.Flow {
	if c.Session {
		return enroll.FlowSession
	}
	return enroll.FlowToken
}
