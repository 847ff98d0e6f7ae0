package cognitotest

import (
	"maps"
	"slices"
	"strings"
)

// standardAttributes are those that every pool has:
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
var standardAttributes = []string{
	"address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale", "middle_name", "name",
	"nickname", "phone_number", "phone_number_verified", "picture", "preferred_username", "profile", "sub", "updated_at", "website", "zoneinfo",
}

// inSchema says whether an attribute can be. The stand-in takes every custom
// attribute; Cognito takes those of the pool's schema.
func inSchema(name string) bool {
	return slices.Contains(standardAttributes, name) || strings.HasPrefix(name, "custom:") || strings.HasPrefix(name, "dev:")
}

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

// What Cognito says before the name of an attribute that is not in the schema
// (aws-amplify/amplify-js#2167).
const (
	creating = "Attributes did not conform to the schema: "
	updating = "user."
)

// fault says why an attribute cannot be set, if so.
func (at attribute) fault(doing string) string {
	switch {
	case at.valueless: // aws-amplify/amplify-js#3174
		return "Attribute value for " + at.Name + " must not be null"
	case at.Name == "" || at.Name == "sub":
		return "user." + at.Name + ": Attribute cannot be updated."
	case !inSchema(at.Name):
		return doing + at.Name + ": Attribute does not exist in the schema.\n"
	case at.Name == "phone_number" && at.Value != "" && !isPhoneNumber(at.Value):
		return "Invalid phone number format." // amazon-archives/amazon-cognito-identity-js#316
	case at.Name == "email" && at.Value != "" && !isEmail(at.Value):
		return "Invalid email address format." // aws-amplify/amplify-js#5313
	}
	return ""
}

// setAll sets attributes, or none of them. An address that changes is no longer
// verified, unless the same request says that it is; an empty value takes the
// attribute away.
func (a *account) setAll(attributes []attribute, doing string) error {
	for _, at := range attributes {
		if fault := at.fault(doing); fault != "" {
			return invalidParameter("%s", fault)
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

// change sets attributes of a user in service, or none where one of them would be
// somebody else's alias.
func (p *pool) change(a *account, attributes []attribute) error {
	next := *a
	next.Attributes = maps.Clone(a.Attributes)
	if err := next.setAll(attributes, updating); err != nil {
		return err
	}
	if err := p.claim(&next, false); err != nil {
		return err
	}
	p.forget(a)
	a.Attributes = next.Attributes
	p.know(a)
	return nil
}

// isAddress says whether an attribute is an address that is verified.
func isAddress(name string) bool { return name == "email" || name == "phone_number" }

// isPhoneNumber wants a plus sign and the digits of E.164.
func isPhoneNumber(value string) bool {
	digits, plus := strings.CutPrefix(value, "+")
	return plus && digits != "" && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}

// isEmail wants something on either side of one @.
func isEmail(value string) bool {
	local, domain, _ := strings.Cut(value, "@")
	return local != "" && domain != "" && !strings.ContainsAny(domain, "@") && !strings.ContainsAny(value, " \t\r\n")
}
