package cognitotest

import "slices"

type adminCreateUserInput struct {
	adminInput
	DesiredDeliveryMediums []string `shape:"enum"`
	ForceAliasCreation     bool
	MessageAction          string `shape:"enum"`
	TemporaryPassword      string `shape:"PasswordType"`
	UserAttributes         []attribute
}

// createdUser is a user as the operations that make one give it.
type createdUser struct {
	Attributes           []attribute
	Enabled              bool
	UserCreateDate       epoch
	UserLastModifiedDate epoch
	UserStatus           string
	Username             string
}

// adminCreateUser makes a user who must choose a password at the first sign-in, or
// gives such a user another temporary password (RESEND):
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminCreateUser.html
func (s *Server) adminCreateUser(in *adminCreateUserInput) (any, error) {
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return nil, err
	}
	var again *account
	if in.MessageAction == "RESEND" {
		again = p.byName(in.Username)
		switch {
		case again == nil:
			return nil, userNotFound()
		case !again.ForceNewPassword:
			return nil, cannotResend(again.Username)
		}
	}
	password := in.TemporaryPassword
	if password == "" {
		password = s.temporaryPassword()
	} else if err := p.checkPassword(password); err != nil {
		return nil, err
	}
	if again != nil {
		again.setPassword(password, s)
		again.ForceNewPassword = true
		return map[string]createdUser{"User": again.summary()}, nil
	}
	a, err := s.makeAccount(p, User{Username: in.Username, Password: password, ForceNewPassword: true}, in.UserAttributes, in.ForceAliasCreation)
	if err != nil {
		return nil, err
	}
	return map[string]createdUser{"User": a.summary()}, nil
}

// makeAccount adds a user to a pool, where the name and the attributes can be;
// with force it takes an alias from whoever has it. The caller holds s.mu.
func (s *Server) makeAccount(p *pool, u User, attributes []attribute, force bool) (*account, error) {
	if err := p.checkUsername(u.Username); err != nil {
		return nil, err
	}
	a := s.newAccount(u)
	if err := a.setAll(attributes, creating); err != nil {
		return nil, err
	}
	switch {
	case !p.taken(u.Username):
	case !u.Unconfirmed:
		return nil, usernameExists("User account already exists") // localstack/localstack#4465
	case len(p.UsernameAttributes) > 0:
		return nil, addressExists(attributeOf(u.Username)) // jonsaw/amazon-cognito-identity-dart#73
	default:
		// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
		return nil, usernameExists("User already exists")
	}
	for _, name := range p.UsernameAttributes {
		if value := a.Attributes[name]; value != "" && p.taken(value) {
			return nil, addressExists(name) // aws/aws-sdk-js#4308
		}
	}
	return a, p.add(a, force)
}

// checkUsername says why a name is none for this pool.
func (p *pool) checkUsername(name string) error {
	email, phone := slices.Contains(p.UsernameAttributes, "email"), slices.Contains(p.UsernameAttributes, "phone_number")
	switch {
	case email && phone && !isEmail(name) && !isPhoneNumber(name):
		return invalidParameter("Username should be either an email or a phone number.")
	case email && !phone && !isEmail(name):
		return invalidParameter("Username should be an email.")
	case phone && !email && !isPhoneNumber(name):
		return invalidParameter("Username should be a phone number.")
	case isEmail(name) && slices.Contains(p.AliasAttributes, "email"):
		return invalidParameter("Username cannot be of email format, since user pool is configured for email alias.")
	case isPhoneNumber(name) && slices.Contains(p.AliasAttributes, "phone_number"):
		return invalidParameter("Username cannot be of phone number format, since user pool is configured for phone number alias.")
	}
	return nil
}

// summary is the user as it was made.
func (a *account) summary() createdUser {
	return createdUser{
		Attributes: a.attributes(), Enabled: !a.Disabled, UserStatus: a.status(), Username: a.Username,
		UserCreateDate: epoch(a.created), UserLastModifiedDate: epoch(a.modified),
	}
}

// temporaryPassword makes a password that the default policy takes. The caller
// holds s.mu.
func (s *Server) temporaryPassword() string { return "Aa1-" + s.uuid() }
