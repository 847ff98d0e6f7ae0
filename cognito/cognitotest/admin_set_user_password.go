package cognitotest

type adminSetUserPasswordInput struct {
	adminInput
	Password  string `shape:"PasswordType,required"`
	Permanent bool
}

// adminSetUserPassword gives a user a password, for good or until the next
// sign-in:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminSetUserPassword.html
func (s *Server) adminSetUserPassword(in *adminSetUserPasswordInput) (any, error) {
	p, a, err := s.administered(in.adminInput)
	if err != nil {
		return nil, err
	}
	if err := p.checkPassword(in.Password); err != nil {
		return nil, err
	}
	a.setPassword(in.Password, s)
	a.ForceNewPassword = !in.Permanent
	return struct{}{}, nil
}

// setPassword sets a password that counts, and confirms the user with it.
func (a *account) setPassword(password string, s *Server) {
	a.Password, a.ForceNewPassword, a.ResetRequired, a.Unconfirmed = password, false, false, false
	a.modified, a.PasswordSet = s.now(), s.now()
}
