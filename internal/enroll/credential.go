package enroll

import "time"

// Identity is what a verified access token says of its bearer. Only a token
// verifier makes one.
//
// A person is PoolID and Subject together, and nothing else: a user has one TOTP
// secret whatever the app client is, and iss changes when a pool's issuer type is
// switched.
type Identity struct {
	Token    Secret    // the access token itself, for the calls to Cognito
	PoolID   string    // the user pool's id
	ClientID string    // client_id
	Subject  string    // sub: the user's immutable identifier in the pool
	Username string    // username
	Groups   []string  // cognito:groups
	SignIn   string    // names the sign-in: a hash that refreshed tokens share
	AuthTime time.Time // auth_time: when the person last proved who they are
	Expiry   time.Time // exp
}

// Flow tells the two ways into an enrollment apart; it is a metric label.
type Flow string

// The flows.
const (
	FlowToken   Flow = "token"   // signed in, by access token
	FlowSession Flow = "session" // during sign-in, by challenge session
)

// Standing says what the limits know of a caller whom only a session names. Calls
// of strangers come last in the queue for Cognito's write quota (standingOf).
type Standing int

// The standings.
const (
	Known    Standing = iota // the session is one that was handed out here, or begins at an address that is known; every caller with a token is
	Unknown                  // a first session of an address that is not known: all of that address count as one person
	Stranger                 // any other session: another one of that address, or one that comes with a code and was not handed out here
)

// Credential is the one proof that a request carries: an identity (from an
// access token) or the session of a sign-in challenge, never both.
type Credential struct {
	Identity *Identity
	Session  Secret
	Address  string // the caller's, for the limits of those whom only a session names
	ClientIP string // the caller's, for events; empty where it is not known
	Standing Standing
	// Abandoned is closed when all callers that waited for a start have left. A
	// start that still waits for the quota is then given up. Nil: never.
	Abandoned <-chan struct{}
}

// Flow names the flow that the credential belongs to.
func (c Credential) Flow() Flow {
	if c.Identity != nil {
		return FlowToken
	}
	return FlowSession
}

// request names one request with exactly this credential. It tells apart two
// tokens of one person, since one may be good and the other revoked.
func (c Credential) request(what ...string) string {
	proof := c.Session
	if c.Identity != nil {
		proof = c.Identity.Token
	}
	return hashed(append(what, proof.Reveal())...)
}
