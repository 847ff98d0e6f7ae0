package cognitotest

// adminDeleteSoftwareToken removes a user's authenticator app, lost with a phone
// for example. Where the pool requires MFA and no other factor is left, the next
// sign-in asks to set one up. It is in AWS's API since August 2026; what it
// answers for a user without an app is not documented, and a success here:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDeleteSoftwareToken.html
func (s *Server) adminDeleteSoftwareToken(p *pool, a *account) (any, error) {
	if p.SecondaryReplica {
		return nil, notEnabled()
	}
	if err := a.confirmed(); err != nil {
		return nil, err
	}
	a.totp = softwareToken{}
	a.prefer(SoftwareToken, mfaSettings{})
	a.modified = s.now()
	return struct{}{}, nil
}
