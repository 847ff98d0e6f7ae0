package cognitotest

import "maps"

type confirmSignUpInput struct {
	ClientID           string `json:"ClientId" shape:"ClientIdType,required"`
	ConfirmationCode   string `shape:"ConfirmationCodeType,required"`
	ForceAliasCreation bool
	SecretHash         string `shape:"SecretHashType"`
	Username           string `shape:"UsernameType,required"`
}

// confirmSignUp confirms a user by the code of the sign-up, and the address that
// the code was sent to:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ConfirmSignUp.html
func (s *Server) confirmSignUp(in *confirmSignUpInput) (any, error) {
	c, err := s.knownClient(in.ClientID, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	a := c.pool.byName(in.Username)
	switch {
	case a == nil && c.RevealUnknownUsers:
		return nil, notOfClient()
	case a == nil:
		return nil, expiredCode()
	case !a.Unconfirmed:
		return nil, notAuthorized("User cannot be confirmed. Current status is " + a.status())
	}
	if err := s.attempt(a, "ConfirmSignUp"); err != nil {
		return nil, err
	}
	next, attribute := *a, c.pool.verifies(a)
	next.Attributes = maps.Clone(a.Attributes)
	if err := next.confirmCode(in.ConfirmationCode, forSignUp, s); err != nil {
		return nil, err
	}
	if attribute != "" {
		next.set(attribute+"_verified", "true")
	}
	// The code can be sent again with ForceAliasCreation.
	if err := c.pool.claim(&next, in.ForceAliasCreation); err != nil {
		return nil, err
	}
	*a = next
	a.Unconfirmed, a.modified = false, s.now()
	return struct{}{}, nil
}

// confirmCode takes a code that was sent for this, once.
func (a *account) confirmCode(code string, to purpose, s *Server) error {
	switch sent := a.sentFor(to); {
	case sent.code == "" || !s.now().Before(sent.expires):
		return expiredCode()
	case !sent.fits(code):
		return wrongConfirmation()
	}
	a.forgetSent(to)
	return nil
}
