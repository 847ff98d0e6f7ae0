package cognitotest

import "crypto/subtle"

type changePasswordInput struct {
	AccessToken      string `shape:"TokenModelType,required"`
	PreviousPassword string `shape:"PasswordType"`
	ProposedPassword string `shape:"PasswordType,required"`
}

// changePassword sets a new password by the old one:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ChangePassword.html
func (s *Server) changePassword(in *changePasswordInput) (any, error) {
	a, p, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	if err := s.attempt(a, "ChangePassword"); err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(a.Password), []byte(in.PreviousPassword)) != 1 {
		return nil, wrongPassword()
	}
	if err := p.checkPassword(in.ProposedPassword); err != nil {
		return nil, err
	}
	a.setPassword(in.ProposedPassword, s)
	return struct{}{}, nil
}

// signedInUser finds whom an access token speaks for, where that user can be
// worked with. The caller holds s.mu.
func (s *Server) signedInUser(token string) (*account, *pool, error) {
	a, p, err := s.authorize(token)
	if err != nil {
		return nil, nil, err
	}
	return a, p, a.usable()
}
