package quota

// The operations that spend the quota, by Cognito's names.
const (
	Associate     = "AssociateSoftwareToken"
	Verify        = "VerifySoftwareToken"
	SetPreference = "SetUserMFAPreference"
)

// Call is a call to Cognito that spends the quota.
type Call struct {
	Operation string
	// BySession says that the credential is the session of a sign-in, not an
	// access token.
	BySession bool
	// Stranger marks a call with a session that this service has not seen before
	// and whose caller it does not know. Such a session may be made up.
	Stranger bool

	// The rest matters only for calls that get a queue position: starts
	// (Associate), and whatever a stranger calls.

	// Person is a hash that names the caller, the same at every attempt. A
	// queue position belongs to it.
	Person string
	// Session is a hash of the session; empty by token.
	Session string
	// Abandoned is closed when nobody wants the call any more. Nil: never.
	Abandoned <-chan struct{}
}

// rank orders the calls that wait. The lower comes first.
type rank int

const (
	finishing rank = iota // finishes an enrollment: somebody holds a code that expires
	starting              // starts one
	stranger              // may be made up
	ranks     = 3
)

func (c Call) rank() rank {
	switch {
	case c.Stranger:
		return stranger
	case c.Operation == Associate:
		return starting
	default:
		return finishing
	}
}

// price is how many calls of the quota an admission uses up in the end. A start
// is followed by the calls that finish the enrollment: VerifySoftwareToken, and
// by token SetUserMFAPreference. These cost nothing more.
func (c Call) price() float64 {
	switch {
	case c.Operation == Associate && c.BySession:
		return 2
	case c.Operation == Associate:
		return 3
	case c.Stranger:
		return 1
	default:
		return 0
	}
}
