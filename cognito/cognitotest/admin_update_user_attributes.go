package cognitotest

type adminUpdateUserAttributesInput struct {
	adminInput
	UserAttributes []attribute
}

// adminUpdateUserAttributes sets attributes of a user, verified ones too:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUpdateUserAttributes.html
func (s *Server) adminUpdateUserAttributes(in *adminUpdateUserAttributesInput) (any, error) {
	_, a, err := s.administered(in.adminInput)
	if err != nil {
		return nil, err
	}
	if err := a.setAll(in.UserAttributes, updating); err != nil {
		return nil, err
	}
	a.modified = s.now()
	return struct{}{}, nil
}
