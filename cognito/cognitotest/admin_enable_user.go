package cognitotest

// adminEnableUser lets a disabled user in again:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminEnableUser.html
func (s *Server) adminEnableUser(_ *pool, a *account) (any, error) {
	a.Disabled, a.modified = false, s.now()
	return struct{}{}, nil
}
