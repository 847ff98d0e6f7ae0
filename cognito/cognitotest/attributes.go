package cognitotest

import "strings"

// notTheirs is the first attribute that users cannot write themselves, empty when
// there is none: the subject is fixed, addresses are verified by the pool or by an
// administrator, and attributes that begin with dev: are an administrator's.
func notTheirs(attributes []attribute) string {
	for _, at := range attributes {
		if at.Name == "sub" || strings.HasSuffix(at.Name, "_verified") || strings.HasPrefix(at.Name, "dev:") {
			return at.Name
		}
	}
	return ""
}

// checkOwn refuses attributes that users cannot write themselves, in the words of
// SignUp (aws/aws-sdk-js#3603) and UpdateUserAttributes.
func checkOwn(attributes []attribute) error {
	if notTheirs(attributes) != "" {
		return notAuthorized("A client attempted to write unauthorized attribute")
	}
	return nil
}

// setAll sets attributes, or none of them. An address that changes is no longer
// verified, unless the same request says that it is; an empty value takes the
// attribute away.
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
