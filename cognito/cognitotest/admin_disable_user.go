package cognitotest

// adminDisableUser keeps a user from everything, and ends all sign-ins:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDisableUser.html
func (s *Server) adminDisableUser(_ *pool, a *account) (any, error) {
	a.Disabled, a.modified = true, s.now()
	s.signOut(a)
	return struct{}{}, nil
}
