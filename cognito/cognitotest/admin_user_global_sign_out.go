package cognitotest

// adminUserGlobalSignOut ends all of a user's sign-ins:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUserGlobalSignOut.html
func (s *Server) adminUserGlobalSignOut(_ *pool, a *account) (any, error) {
	s.signOut(a)
	return struct{}{}, nil
}

// signOut ends all of a user's sign-ins. The caller holds s.mu.
func (s *Server) signOut(a *account) {
	for _, event := range a.SignIns {
		s.revoked[event] = true
	}
	a.SignIns = nil
}
