package cognitotest

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
	// takes 20 to 8192.
	SessionLength int
}

// SetVariants changes the variants from the next call on.
func (s *Server) SetVariants(v Variants) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.variants = v
}
