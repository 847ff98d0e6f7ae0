package cognitotest

import "maps"

// adminDeleteUser deletes a user:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDeleteUser.html
func (s *Server) adminDeleteUser(p *pool, a *account) (any, error) {
	s.deleteAccount(p, a)
	return struct{}{}, nil
}

// deleteAccount deletes a user with all that is open in the user's name. The
// caller holds s.mu.
func (s *Server) deleteAccount(p *pool, a *account) {
	delete(p.accounts, a.Username)
	p.forget(a)
	maps.DeleteFunc(s.sessions, func(_ string, open *session) bool { return open.account == a })
	maps.DeleteFunc(s.grants, func(_ string, g *grant) bool { return g.account == a })
	maps.DeleteFunc(s.codes, func(_ string, code *authorization) bool { return code.account == a })
}
