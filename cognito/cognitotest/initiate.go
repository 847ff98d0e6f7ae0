package cognitotest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

type initiateAuthInput struct {
	AuthFlow       string `shape:"enum,required"`
	AuthParameters map[string]string
	ClientID       string `json:"ClientId" shape:"ClientIdType,required"`
}

// authOutput is what InitiateAuth and RespondToAuthChallenge answer: tokens, or
// the next challenge.
type authOutput struct {
	AuthenticationResult *authenticationResult `json:",omitempty"`
	AvailableChallenges  []string              `json:",omitempty"`
	ChallengeName        challenge             `json:",omitempty"`
	ChallengeParameters  map[string]string     `json:",omitzero"`
	Session              string                `json:",omitempty"`
}

// initiateAuth begins a sign-in:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
func (s *Server) initiateAuth(in *initiateAuthInput) (any, error) {
	client, err := s.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	return s.initiate(client, *in)
}

// initiate begins a sign-in by one of the flows that need no administrator.
func (s *Server) initiate(c *client, in initiateAuthInput) (any, error) {
	begin := map[string]func(*client, map[string]string) (any, error){
		"USER_PASSWORD_AUTH": s.initiatePassword,
		"USER_SRP_AUTH":      s.initiateSRP,
		"USER_AUTH":          s.initiateChoice,
		"REFRESH_TOKEN_AUTH": s.initiateRefresh,
		"REFRESH_TOKEN":      s.initiateRefresh,
	}[in.AuthFlow]
	switch {
	case begin == nil:
		return nil, invalidParameter("Initiate Auth method not supported.")
	case !c.allows(in.AuthFlow):
		return nil, invalidParameter("%s flow not enabled for this client", in.AuthFlow)
	}
	return begin(c, in.AuthParameters)
}

// allows says whether the client allows a flow. The names without ALLOW_ are
// those of before 2019; they leave SRP and refreshing on.
func (c *client) allows(flow string) bool {
	if len(c.AuthFlows) == 0 {
		return true
	}
	listed := func(name string) bool { return slices.Contains(c.AuthFlows, name) }
	old := !strings.HasPrefix(c.AuthFlows[0], "ALLOW_")
	switch flow {
	case "REFRESH_TOKEN", "REFRESH_TOKEN_AUTH":
		return old || listed("ALLOW_REFRESH_TOKEN_AUTH")
	case "USER_SRP_AUTH":
		return old || listed("ALLOW_USER_SRP_AUTH")
	case "ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH":
		return listed("ADMIN_NO_SRP_AUTH") || listed("ALLOW_ADMIN_USER_PASSWORD_AUTH")
	default:
		return listed(flow) || listed("ALLOW_"+flow)
	}
}

// initiatePassword is the flow that sends the password itself.
func (s *Server) initiatePassword(c *client, parameters map[string]string) (any, error) {
	username, password := parameters["USERNAME"], parameters["PASSWORD"]
	switch {
	case username == "":
		return nil, missing("USERNAME")
	case password == "":
		return nil, missing("PASSWORD")
	}
	if err := c.checkSecretHash(username, parameters); err != nil {
		return nil, err
	}
	a := c.pool.byName(username)
	switch {
	case a == nil && c.RevealUnknownUsers:
		return nil, userNotFound()
	case a == nil || a.Federated:
		return nil, wrongPassword()
	}
	if err := a.confirmed(); err != nil {
		return nil, err
	}
	return s.checkPasswordOf(session{client: c, account: a, device: parameters["DEVICE_KEY"]}, password)
}

// checkPasswordOf goes on with a sign-in if that is the password.
func (s *Server) checkPasswordOf(in session, password string) (any, error) {
	if err := in.account.lockout.attempt(s.now()); err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(in.account.Password), []byte(password)) != 1 {
		in.account.lockout.fail(s.now())
		return nil, wrongPassword()
	}
	return s.afterPassword(in)
}

// afterPassword is what follows a right password: a refusal, a challenge, or the
// tokens.
func (s *Server) afterPassword(in session) (any, error) {
	a := in.account
	if err := a.usable(); err != nil {
		return nil, err
	}
	if err := a.checkDevice(in.device); err != nil {
		return nil, err
	}
	if a.ForceNewPassword {
		if life := in.client.pool.policy().temporaryLife(); s.now().Sub(a.PasswordSet) >= life {
			return nil, notAuthorized("Temporary password has expired and must be reset by an administrator.")
		}
		attributes := map[string]string{} // clients look into the object, which null is not
		maps.Copy(attributes, a.Attributes)
		text, err := json.Marshal(attributes)
		if err != nil {
			return nil, err
		}
		return s.challenge(in, newPasswordRequired, map[string]string{
			"requiredAttributes": "[]",
			"userAttributes":     string(text),
		}), nil
	}
	return s.secondFactor(in)
}

// secondFactor asks for what the pool wants beside a password, or gives the
// tokens when that is nothing.
func (s *Server) secondFactor(in session) (any, error) {
	p, a := in.client.pool, in.account
	if p.MFA == MFAOff || a.Federated {
		return s.signedIn(in), nil
	}
	if p.MFA == MFARequired && len(p.factors(a)) == 0 {
		p.turnOnByItself(a)
	}
	switch factors := p.factors(a); {
	case len(factors) == 0 && p.MFA == MFAOptional:
		return s.signedIn(in), nil
	case len(factors) == 0:
		return s.challenge(in, mfaSetup, map[string]string{"MFAS_CAN_SETUP": jsonList(p.offered())}), nil
	case len(factors) == 1:
		return s.challengeFactor(in, factors[0]), nil
	case slices.Contains(factors, a.preferred):
		return s.challengeFactor(in, a.preferred), nil
	default:
		return s.challenge(in, selectMFAType, map[string]string{"MFAS_CAN_CHOOSE": jsonList(factors)}), nil
	}
}

// turnOnByItself turns a factor on that the pool offers and the user can have
// without setting anything up.
func (p *pool) turnOnByItself(a *account) {
	for _, f := range p.offered() {
		if a.Attributes[f.attribute()] != "" {
			a.factors[f] = true
			return
		}
	}
}

// offered are the pool's factors, those that a user can set up while signing in.
// The LITE tier has no e-mail codes.
func (p *pool) offered() []Factor {
	factors := slices.DeleteFunc(slices.Clone(p.Factors), func(f Factor) bool { return f == EmailOTP && p.tier() == "LITE" })
	if p.hasApps() {
		factors = append(factors, SoftwareToken)
	}
	slices.Sort(factors)
	return factors
}

// challengeFactor asks for a code of that factor.
func (s *Server) challengeFactor(in session, f Factor) authOutput {
	parameters := map[string]string{}
	a := in.account
	switch f {
	case SoftwareToken:
		if a.totp.device != "" {
			parameters["FRIENDLY_DEVICE_NAME"] = a.totp.device
		}
	case SMS, EmailOTP:
		delivery := s.sendFactor(a, f)
		parameters["CODE_DELIVERY_DELIVERY_MEDIUM"] = delivery.DeliveryMedium
		parameters["CODE_DELIVERY_DESTINATION"] = delivery.Destination
	}
	return s.challenge(in, challenge(f), parameters)
}

// challenge opens a session and says what it waits for.
func (s *Server) challenge(in session, name challenge, parameters map[string]string) authOutput {
	parameters["USER_ID_FOR_SRP"] = in.account.Username
	next := session{challenge: name, client: in.client, account: in.account, device: in.device}
	return authOutput{ChallengeName: name, ChallengeParameters: parameters, Session: s.open(next)}
}

// signedIn gives the tokens.
func (s *Server) signedIn(in session) authOutput {
	in.account.lockout = lockout{}
	result := s.grantTokens(in.client, in.account, in.device)
	return authOutput{AuthenticationResult: &result, ChallengeParameters: map[string]string{}}
}

// usable says why an account cannot be worked with, if so. A sign-in asks only
// once the password is right (aws-amplify/amplify-js#4890).
func (a *account) usable() error {
	switch {
	case a.Disabled:
		return notAuthorized("User is disabled.")
	case a.ResetRequired:
		return &exception{name: "PasswordResetRequiredException", message: "Password reset required for the user"}
	}
	return a.confirmed()
}

// confirmed says that a user has not confirmed the sign-up. Cognito looks at that
// before it looks at the password (amazon-archives/amazon-cognito-identity-js#288).
func (a *account) confirmed() error {
	if a.Unconfirmed {
		return &exception{name: "UserNotConfirmedException", message: "User is not confirmed."}
	}
	return nil
}

// client finds an app client.
func (s *Server) client(id string) (*client, error) {
	c := s.clients[id]
	if c == nil {
		return nil, notFound("User pool client %s does not exist.", id)
	}
	return c, nil
}

// checkSecretHash checks SECRET_HASH, the proof that a caller knows the client's
// secret:
// https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash
func (c *client) checkSecretHash(username string, parameters map[string]string) error {
	given := parameters["SECRET_HASH"]
	switch {
	case c.Secret == "" && given != "":
		return notAuthorized("Client " + c.ID + " is not configured for secret but secret hash was received")
	case c.Secret == "":
		return nil
	case given == "":
		return notAuthorized("Client " + c.ID + " is configured with secret but SECRET_HASH was not received")
	}
	if !hmac.Equal([]byte(given), []byte(c.hash(username))) {
		return wrongSecretHash(c)
	}
	return nil
}

// hash is the SECRET_HASH of a username.
func (c *client) hash(username string) string {
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte(username + c.ID))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// jsonList writes a list as challenge parameters hold it: a JSON array inside a
// string.
func jsonList(factors []Factor) string {
	b, _ := json.Marshal(factors) // strings always marshal
	return string(b)
}
