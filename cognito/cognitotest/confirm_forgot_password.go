package cognitotest

type confirmForgotPasswordInput struct {
	ClientID         string `json:"ClientId"`
	ConfirmationCode string
	Password         string
	SecretHash       string
	Username         string
}

// confirmForgotPassword sets a new password by the code that was sent for it:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ConfirmForgotPassword.html
func (s *Server) confirmForgotPassword(in *confirmForgotPasswordInput) (any, error) {
	var shapes constraints
	shapes.given("confirmationCode", in.ConfirmationCode)
	shapes.given("password", in.Password)
	c, err := s.knownClient(in.ClientID, in.Username, in.SecretHash, shapes...)
	if err != nil {
		return nil, err
	}
	a := c.pool.byName(in.Username)
	switch {
	case a == nil && c.RevealUnknownUsers:
		return nil, notOfClient()
	case a == nil:
		return nil, expiredCode()
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
