package cognitotest

// getUserPoolMfaConfig says whether a pool wants a second factor, and which ones
// it offers:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetUserPoolMfaConfig.html
func (s *Server) getUserPoolMfaConfig(p *pool) (any, error) { return p.mfaConfig(), nil }
