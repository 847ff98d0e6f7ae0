package cognitotest

type confirmForgotPasswordInput struct {
	ClientID         string `json:"ClientId" shape:"ClientIdType,required"`
	ConfirmationCode string `shape:"ConfirmationCodeType,required"`
	Password         string `shape:"PasswordType,required"`
	SecretHash       string `shape:"SecretHashType"`
	Username         string `shape:"UsernameType,required"`
}

// confirmForgotPassword sets a new password by the code that was sent for it:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ConfirmForgotPassword.html
func (s *Server) confirmForgotPassword(in *confirmForgotPasswordInput) (any, error) {
	c, err := s.knownClient(in.ClientID, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	a, hidden, err := c.signedOut(in.Username)
	switch {
	case err != nil:
		return nil, err
	case hidden:
		return nil, wrongConfirmation()
	}
	if err := s.attempt(a, "ConfirmForgotPassword"); err != nil {
		return nil, err
	}
	if err := c.pool.checkPassword(in.Password); err != nil {
		return nil, err
	}
	if err := a.confirmCode(in.ConfirmationCode, forReset, s); err != nil {
		return nil, err
	}
	a.setPassword(in.Password, s)
	a.lockout = lockout{}
	return struct{}{}, nil
}
