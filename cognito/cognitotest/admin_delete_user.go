package cognitotest

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
	for id, open := range s.sessions {
		if open.account == a {
			delete(s.sessions, id)
		}
	}
	for token, g := range s.grants {
		if g.account == a {
			delete(s.grants, token)
		}
	}
}
