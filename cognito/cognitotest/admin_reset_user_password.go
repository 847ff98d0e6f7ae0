package cognitotest

// adminResetUserPassword makes the user's password one that must be reset:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminResetUserPassword.html
func (s *Server) adminResetUserPassword(_ *pool, a *account) (any, error) {
	attribute := a.recovery()
	switch {
	case a.Disabled:
		return nil, notAuthorized("User is disabled")
	case a.status() != "CONFIRMED" && !a.ResetRequired:
		return nil, notAuthorized("User password cannot be reset in the current state.")
	case attribute == "":
		return nil, noRecovery()
	}
	a.ResetRequired, a.modified = true, s.now()
	s.send(a, attribute, forReset, 6)
	return struct{}{}, nil
}
