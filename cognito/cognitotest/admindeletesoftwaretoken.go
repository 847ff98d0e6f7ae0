package cognitotest

type adminDeleteSoftwareTokenInput struct {
	UserPoolID string `json:"UserPoolId"`
	Username   string
}

// adminDeleteSoftwareToken removes a user's authenticator app, lost with a phone
// for example. Where the pool requires MFA and no other factor is left, the next
// sign-in asks to set one up. It is in AWS's API since August 2026; what it
// answers for a user without an app is not documented, and a success here.
func (s *Server) adminDeleteSoftwareToken(in *adminDeleteSoftwareTokenInput) (any, error) {
	var c constraints
	c.required("userPoolId", in.UserPoolID, userPoolIDShape)
	c.required("username", in.Username, usernameShape)
	if err := c.err(); err != nil {
		return nil, err
	}
	_, a, err := s.administered(in.UserPoolID, in.Username)
	if err != nil {
		return nil, err
	}
	a.totp = softwareToken{}
	a.prefer(SoftwareToken, mfaSettings{})
	return struct{}{}, nil
}

// administered finds the user that an administrator's operation names. The caller
// holds s.mu.
func (s *Server) administered(poolID, username string) (*pool, *account, error) {
	p := s.pools[poolID]
	if p == nil {
		return nil, nil, notFound("User pool %s does not exist.", poolID)
	}
	a := p.byName(username)
	if a == nil {
		return nil, nil, userNotFound()
	}
	return p, a, nil
}
