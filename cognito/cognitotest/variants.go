package cognitotest

import "fmt"

// Variants choose among behaviours of Cognito that reports disagree on, or that
// only some people meet. The zero value is what AWS's own clients have seen in
// their tests against real pools, or what most reports say. README.md has the
// sources.
type Variants struct {
	// WrongCodeEndsSetUp makes a wrong code in VerifySoftwareToken use the
	// session up. By default the right code can follow with the same session.
	WrongCodeEndsSetUp bool
	// WrongTOTPEndsSignIn makes a wrong code of an authenticator app in
	// RespondToAuthChallenge use the session up. A wrong code of an SMS or
	// e-mail message never does.
	WrongTOTPEndsSignIn bool
	// OldSecretVerifies makes VerifySoftwareToken take a code of a secret that
	// a later AssociateSoftwareToken replaced (aws-amplify/amplify-flutter#4509).
	// It then answers SUCCESS, the old secret counts, and the new one still
	// waits for its code.
	OldSecretVerifies bool
	// SessionLength is how many characters a session has; 800 when 0. Cognito
	// takes 20 to 8192; the stand-in makes up to 65536, to have it refuse them.
	SessionLength int
}

func (v Variants) check() error {
	if n := v.SessionLength; n != 0 && (n < 20 || n > 1<<16) {
		return fmt.Errorf("SessionLength %d: want 20 to 65536, or 0", n)
	}
	return nil
}

// SetVariants changes the variants from the next call on. It panics when they
// cannot be.
func (s *Server) SetVariants(v Variants) {
	mustBe(v)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.variants = v
}
