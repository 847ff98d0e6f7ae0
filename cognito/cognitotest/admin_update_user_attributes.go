package cognitotest

import "strings"

type adminUpdateUserAttributesInput struct {
	adminInput
	UserAttributes []attribute
}

// adminUpdateUserAttributes sets attributes of a user, verified ones too:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUpdateUserAttributes.html
func (s *Server) adminUpdateUserAttributes(in *adminUpdateUserAttributesInput) (any, error) {
	var c constraints
	c.attributes("userAttributes", in.UserAttributes)
	_, a, err := s.administered(in.adminInput, c...)
	if err != nil {
		return nil, err
	}
	if err := a.setAll(in.UserAttributes); err != nil {
		return nil, err
	}
	a.modified = s.now()
	return struct{}{}, nil
}

// setAll sets attributes. An address that changes is no longer verified, unless
// the same request says that it is; an empty value takes the attribute away.
func (a *account) setAll(attributes []attribute) error {
	for _, at := range attributes {
		if at.Name == "" || at.Name == "sub" {
			return invalidParameter("user.%s: Attribute cannot be updated.", at.Name)
		}
	}
	for _, at := range attributes {
		if before := a.Attributes[at.Name]; before != "" && before != at.Value && isAddress(at.Name) {
			a.set(at.Name+"_verified", "false")
		}
	}
	for _, at := range attributes {
		value := at.Value
		if strings.HasSuffix(at.Name, "_verified") {
			value = strings.ToLower(value)
		}
		if value == "" {
			delete(a.Attributes, at.Name)
			continue
		}
		a.set(at.Name, value)
	}
	return nil
}

// isAddress says whether an attribute is an address that is verified.
func isAddress(name string) bool { return name == "email" || name == "phone_number" }
