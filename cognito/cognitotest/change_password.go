package cognitotest

import "crypto/subtle"

type changePasswordInput struct {
	AccessToken      string
	PreviousPassword string
	ProposedPassword string
}

// changePassword sets a new password by the old one:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ChangePassword.html
func (s *Server) changePassword(in *changePasswordInput) (any, error) {
	var c constraints
	c.given("proposedPassword", in.ProposedPassword)
	a, p, err := s.signedInUser(in.AccessToken, c...)
	if err != nil {
		return nil, err
	}
	if err := a.lockout.attempt(s.now()); err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(a.Password), []byte(in.PreviousPassword)) != 1 {
		a.lockout.fail(s.now())
		return nil, wrongPassword()
	}
	if err := p.checkPassword(in.ProposedPassword); err != nil {
		return nil, err
	}
	a.setPassword(in.ProposedPassword, s)
	return struct{}{}, nil
}

// signedInUser finds whom an access token speaks for, where that user can be
// worked with and the request breaks nothing. The caller holds s.mu.
func (s *Server) signedInUser(token string, broken ...string) (*account, *pool, error) {
	c := constraints(broken)
	c.required("accessToken", token, accessTokenShape)
	if err := c.err(); err != nil {
		return nil, nil, err
	}
	a, p, err := s.authorize(token)
	if err != nil {
		return nil, nil, err
	}
	return a, p, a.usable()
}
