package cognitotest

// updateUserPool sets everything of a pool that is not fixed when it is made, to
// its default where the request does not name it:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html
func (s *Server) updateUserPool(r request) (any, error) {
	in, settings, err := readPoolRequest(r.body)
	if err != nil {
		return nil, err
	}
	c := in.check()
	c.required("userPoolId", in.UserPoolID, userPoolIDShape)
	if err := c.err(); err != nil {
		return nil, err
	}
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return nil, err
	}
	if in.PoolName != "" {
		p.Name = in.PoolName
	}
	for _, name := range []string{"AliasAttributes", "UsernameAttributes", "UsernameConfiguration"} { // fixed
		if value, ok := p.Settings[name]; ok {
			settings[name] = value
		}
	}
	in.update(&p.Pool, settings)
	p.modified = s.now()
	return struct{}{}, nil
}
