package cognitotest

// Administrators' operations are signed, and name the pool and the user.

// adminInput is what names a user.
type adminInput struct {
	UserPoolID string `json:"UserPoolId" shape:"UserPoolIdType,required"`
	Username   string `shape:"UsernameType,required"`
}

// administer makes an operation's work of a function on the user it names.
func (s *Server) administer(do func(*pool, *account) (any, error)) func(request) (any, error) {
	return decode(func(in *adminInput) (any, error) {
		p, a, err := s.administered(*in)
		if err != nil {
			return nil, err
		}
		return do(p, a)
	})
}

// administered finds the user that an administrator's operation names. The caller
// holds s.mu.
func (s *Server) administered(in adminInput) (*pool, *account, error) {
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return nil, nil, err
	}
	a := p.byName(in.Username)
	if a == nil {
		return nil, nil, userNotFound()
	}
	return p, a, nil
}

// pool finds a pool.
func (s *Server) pool(id string) (*pool, error) {
	p := s.pools[id]
	if p == nil {
		return nil, notFound("User pool %s does not exist.", id)
	}
	return p, nil
}

// ofPool finds a client that must be the pool's.
func (s *Server) ofPool(poolID, clientID string) (*client, error) {
	if _, err := s.pool(poolID); err != nil {
		return nil, err
	}
	c, err := s.client(clientID)
	if err == nil && c.pool.ID != poolID {
		err = notFound("User pool client %s does not exist.", clientID)
	}
	return c, err
}
