package cognitotest

import "slices"

type signUpInput struct {
	ClientID       string `json:"ClientId" shape:"ClientIdType,required"`
	Password       string `shape:"PasswordType"`
	SecretHash     string `shape:"SecretHashType"`
	UserAttributes []attribute
	Username       string `shape:"UsernameType,required"`
}

type signUpOutput struct {
	CodeDeliveryDetails *codeDelivery `json:",omitempty"`
	UserConfirmed       bool
	UserSub             string
}

// signUp makes a user who still has to be confirmed:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html
func (s *Server) signUp(in *signUpInput) (any, error) {
	c, err := s.knownClient(in.ClientID, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	p := c.pool
	if p.AdminCreateUserOnly {
		return nil, notAuthorized("SignUp is not permitted for this user pool")
	}
	if err := p.checkPassword(in.Password); err != nil {
		return nil, err
	}
	if err := checkOwn(in.UserAttributes); err != nil {
		return nil, err
	}
	a, err := s.makeAccount(p, User{Username: in.Username, Password: in.Password, Unconfirmed: true}, in.UserAttributes, false)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"email", "phone_number"} {
		if a.Attributes[name] != "" {
			a.set(name+"_verified", "false") // jagregory/cognito-local#386
		}
	}
	out := signUpOutput{UserSub: a.sub}
	if attribute := p.verifies(a); attribute != "" {
		delivery := s.send(a, attribute, forSignUp, 6)
		out.CodeDeliveryDetails = &delivery
	}
	return out, nil
}

// verifies is the attribute that the pool verifies by a code at sign-up, empty
// where the user has none of them.
func (p *pool) verifies(a *account) string {
	for _, name := range []string{"phone_number", "email"} { // phone numbers first, as in Cognito
		if slices.Contains(p.AutoVerifiedAttributes, name) && a.Attributes[name] != "" {
			return name
		}
	}
	return ""
}

// knownClient finds the client of an operation on a user that is not signed in,
// and checks the proof that the caller knows its secret. The caller holds s.mu.
func (s *Server) knownClient(id, username, secretHash string) (*client, error) {
	c, err := s.client(id)
	if err != nil {
		return nil, err
	}
	return c, c.checkSecretHash(username, map[string]string{"SECRET_HASH": secretHash})
}

// signedOut finds the user of such an operation. One who is not there or is disabled
// is hidden, and a is nil, by a client that prevents user existence errors:
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
func (c *client) signedOut(username string) (a *account, hidden bool, err error) {
	a = c.pool.byName(username)
	switch {
	case !c.RevealUnknownUsers && (a == nil || a.Disabled):
		return nil, true, nil
	case a == nil:
		return nil, false, notOfClient()
	case a.Disabled:
		return nil, false, notAuthorized("User is disabled.")
	default:
		return a, false, nil
	}
}
