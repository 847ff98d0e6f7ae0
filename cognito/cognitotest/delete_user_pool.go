package cognitotest

// deleteUserPool deletes a pool with its clients and users:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DeleteUserPool.html
func (s *Server) deleteUserPool(p *pool) (any, error) {
	for _, a := range p.accounts {
		s.deleteAccount(p, a)
	}
	for id, c := range s.clients {
		if c.pool == p {
			delete(s.clients, id)
		}
	}
	delete(s.pools, p.ID)
	return struct{}{}, nil
}
