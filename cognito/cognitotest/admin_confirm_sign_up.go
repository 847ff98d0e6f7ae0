package cognitotest

// adminConfirmSignUp confirms a sign-up without a code:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminConfirmSignUp.html
func (s *Server) adminConfirmSignUp(_ *pool, a *account) (any, error) {
	if !a.Unconfirmed {
		return nil, notAuthorized("User cannot be confirmed. Current status is " + a.status())
	}
	a.Unconfirmed, a.modified = false, s.now()
	return struct{}{}, nil
}
