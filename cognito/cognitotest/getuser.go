package cognitotest

type getUserInput struct {
	AccessToken string `shape:"TokenModelType,required"`
}

type attribute struct {
	Name  string `shape:"AttributeNameType,required"`
	Value string `shape:"AttributeValueType"`
}

type getUserOutput struct {
	PreferredMfaSetting Factor `json:",omitempty"`
	UserAttributes      []attribute
	UserMFASettingList  []Factor `json:",omitempty"`
	Username            string
}

// getUser says who an access token speaks for:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetUser.html
func (s *Server) getUser(in *getUserInput) (any, error) {
	a, p, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	return getUserOutput{
		Username:            a.Username,
		UserAttributes:      a.attributes(),
		UserMFASettingList:  p.factors(a),
		PreferredMfaSetting: p.preference(a),
	}, nil
}
