package cognitotest

// Calls returns how many calls of an operation the server has seen, those that
// failed included; "" is all operations. Fetches of keys are not calls: see
// [Server.JWKSFetches].
func (s *Server) Calls(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sum(s.calls, operation)
}

// sum is the count of one operation, or of all for "".
func sum(counts map[string]int, operation string) int {
	if operation != "" {
		return counts[operation]
	}
	var all int
	for _, n := range counts {
		all += n
	}
	return all
}

// JWKSFetches returns how often the pools' keys were fetched.
func (s *Server) JWKSFetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.jwksFetches
}

// TOTPSecret returns the user's verified secret in base32, empty before an
// enrollment is finished. It panics when there is no such pool or user.
func (s *Server) TOTPSecret(poolID, username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustAccount(poolID, username).totp.verified
}

// PendingSecret returns the secret of the user's latest AssociateSoftwareToken
// in base32, empty when it was verified or there was none. It panics when there
// is no such pool or user.
func (s *Server) PendingSecret(poolID, username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustAccount(poolID, username).totp.pending
}

// DeviceName returns the FriendlyDeviceName of the user's authenticator app. It
// panics when there is no such pool or user.
func (s *Server) DeviceName(poolID, username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustAccount(poolID, username).totp.device
}

// SentCode returns the code that the user was last sent by SMS or e-mail and did
// not use, in a challenge, at a sign-up or for a forgotten password; no message is
// ever sent.
// It panics when there is no such pool or user.
func (s *Server) SentCode(poolID, username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustAccount(poolID, username).lastSent().code
}

// MFAEnabled says whether the user's authenticator app is asked for at sign-in.
// It panics when there is no such pool or user.
func (s *Server) MFAEnabled(poolID, username string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustAccount(poolID, username).factors[SoftwareToken]
}

// Subject returns the user's sub. It panics when there is no such pool or user.
func (s *Server) Subject(poolID, username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustAccount(poolID, username).sub
}

// setting is what a test sets, which says why it cannot be.
type setting interface{ check() error }

// The must functions are for the methods that tests call: a test that names what
// is not there is wrong, and no return value of its own would say so.

func mustBe(what setting) {
	if err := what.check(); err != nil {
		panic("cognitotest: " + err.Error())
	}
}

func (s *Server) mustPool(id string) *pool {
	p := s.pools[id]
	if p == nil {
		panic("cognitotest: no pool " + id)
	}
	return p
}

func (s *Server) mustClient(poolID, id string) *client {
	c := s.clients[id]
	if c == nil || c.pool != s.mustPool(poolID) {
		panic("cognitotest: no client " + id + " in pool " + poolID)
	}
	return c
}

func (s *Server) mustAccount(poolID, username string) *account {
	a := s.mustPool(poolID).byName(username)
	if a == nil {
		panic("cognitotest: no user " + username + " in pool " + poolID)
	}
	return a
}
