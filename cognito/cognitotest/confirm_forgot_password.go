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
	a := c.pool.byName(in.Username)
	switch {
	case a == nil && c.RevealUnknownUsers:
		return nil, notOfClient()
	case !c.RevealUnknownUsers && (a == nil || a.Disabled):
		// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
		return nil, wrongConfirmation()
	case a.Disabled:
		return nil, notAuthorized("User is disabled.")
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
