package cognitotest

import (
	"cmp"
	"encoding/base64"
	"maps"
	"time"
)

// challenge is a step of a sign-in, with the API's name for it.
type challenge string

// The challenges that the stand-in gives.
const (
	emailOTP            challenge = "EMAIL_OTP"
	passwordChallenge   challenge = "PASSWORD"
	selectChallenge     challenge = "SELECT_CHALLENGE"
	mfaSetup            challenge = "MFA_SETUP"
	passwordVerifier    challenge = "PASSWORD_VERIFIER"
	newPasswordRequired challenge = "NEW_PASSWORD_REQUIRED"
	selectMFAType       challenge = "SELECT_MFA_TYPE"
	smsMFA              challenge = "SMS_MFA"
	softwareTokenMFA    challenge = "SOFTWARE_TOKEN_MFA"
)

// session is a sign-in that waits for the answer to a challenge. Each can be
// used once.
type session struct {
	challenge challenge
	client    *client
	account   *account
	expires   time.Time
	used      bool
	// associated sessions come from AssociateSoftwareToken and go to
	// VerifySoftwareToken; verified ones come from there and answer MFA_SETUP.
	associated, verified bool
	// device is the key of the device that the sign-in comes from, where the
	// pool remembers it.
	device string
	// srp is the exchange of a PASSWORD_VERIFIER session, whose account is nil
	// when there is no such user.
	srp *srpExchange
}

// forgetAfter is how long an expired or used session is remembered, to say which
// of the two it is.
const forgetAfter = time.Hour

// open starts a session for next. The caller holds s.mu.
func (s *Server) open(next session) string {
	now := s.now()
	if now.Sub(s.swept) > time.Minute {
		s.swept = now
		maps.DeleteFunc(s.sessions, func(_ string, old *session) bool { return now.Sub(old.expires) > forgetAfter })
	}
	next.expires = now.Add(next.client.AuthSessionValidity)
	id := s.sessionID()
	if next.srp != nil {
		id = base64.StdEncoding.EncodeToString([]byte(id)) // clients decode a secret block
	}
	s.sessions[id] = &next
	return id
}

// sessionID makes the name of a session. Cognito's are encrypted state of some
// hundred bytes that begin with these four; their length is worth having in
// tests. The caller holds s.mu.
func (s *Server) sessionID() string {
	length := cmp.Or(s.variants.SessionLength, 800)
	state := append([]byte{0x01, 0x80, 0x01, 0x78}, s.random(length)...)
	return base64.RawURLEncoding.EncodeToString(state)[:length]
}

// find returns the session of that ID if it is good for the challenge. The
// caller holds s.mu, and marks the session used when it is done with it.
func (s *Server) find(id string, want challenge) (*session, error) {
	found := s.sessions[id]
	switch {
	case found == nil || found.challenge != want:
		return nil, notAuthorized("Invalid session for the user.")
	case found.used:
		return nil, notAuthorized("Invalid session for the user, session can only be used once.")
	case !s.now().Before(found.expires):
		return nil, notAuthorized("Invalid session for the user, session is expired.")
	case found.account != nil && found.account.Disabled:
		return nil, notAuthorized("User is disabled.")
	}
	return found, nil
}

// Session starts an MFA_SETUP session without a call of the API. It panics when
// there is no such pool, client of that pool, or user.
func (s *Server) Session(poolID, clientID, username string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.mustAccount(poolID, username)
	return s.open(session{challenge: mfaSetup, client: s.mustClient(poolID, clientID), account: a})
}
