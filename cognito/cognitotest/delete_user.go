package cognitotest

type deleteUserInput struct {
	AccessToken string `shape:"TokenModelType,required"`
}

// deleteUser deletes the user whose token it is:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DeleteUser.html
func (s *Server) deleteUser(in *deleteUserInput) (any, error) {
	a, p, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	s.deleteAccount(p, a)
	return struct{}{}, nil
}
