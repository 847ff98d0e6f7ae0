package cognitotest

import "slices"

type updateUserAttributesInput struct {
	AccessToken    string      `shape:"TokenModelType,required"`
	UserAttributes []attribute `shape:",required"`
}

type updateUserAttributesOutput struct {
	CodeDeliveryDetailsList []codeDelivery
}

// updateUserAttributes sets attributes of the user's own. An address that the pool
// verifies is sent a code; there is no operation here that takes it:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserAttributes.html
func (s *Server) updateUserAttributes(in *updateUserAttributesInput) (any, error) {
	a, p, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	if err := checkOwn(in.UserAttributes); err != nil {
		return nil, err
	}
	before := map[string]string{"email": a.Attributes["email"], "phone_number": a.Attributes["phone_number"]}
	if err := p.change(a, in.UserAttributes); err != nil {
		return nil, err
	}
	a.modified = s.now()
	out := updateUserAttributesOutput{CodeDeliveryDetailsList: []codeDelivery{}}
	for _, name := range []string{"email", "phone_number"} {
		if value := a.Attributes[name]; value != "" && value != before[name] && slices.Contains(p.AutoVerifiedAttributes, name) {
			a.set(name+"_verified", "false")
			out.CodeDeliveryDetailsList = append(out.CodeDeliveryDetailsList, s.send(a, name, forAttribute, 6))
		}
	}
	return out, nil
}
