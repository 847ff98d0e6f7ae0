package cognitotest

import "github.com/go-json-experiment/json"

type getUserInput struct {
	AccessToken string `shape:"TokenModelType,required"`
}

type attribute struct {
	Name  string `shape:"AttributeNameType,required"`
	Value string `shape:"AttributeValueType"`
	// valueless attributes of a request have no value, not even an empty one.
	valueless bool
}

// UnmarshalJSON reads an attribute of a request.
func (a *attribute) UnmarshalJSON(b []byte) error {
	var in struct {
		Name  string
		Value *string
	}
	if err := json.Unmarshal(b, &in, lenient()); err != nil {
		return err
	}
	*a = attribute{Name: in.Name, valueless: in.Value == nil}
	if in.Value != nil {
		a.Value = *in.Value
	}
	return nil
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
