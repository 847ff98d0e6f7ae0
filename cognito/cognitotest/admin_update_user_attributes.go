package cognitotest

type adminUpdateUserAttributesInput struct {
	adminInput
	UserAttributes []attribute `shape:",required"`
}

// adminUpdateUserAttributes sets attributes of a user, verified ones too:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUpdateUserAttributes.html
func (s *Server) adminUpdateUserAttributes(in *adminUpdateUserAttributesInput) (any, error) {
	p, a, err := s.administered(in.adminInput)
	if err != nil {
		return nil, err
	}
	if err := p.change(a, in.UserAttributes); err != nil {
		return nil, err
	}
	a.modified = s.now()
	return struct{}{}, nil
}
