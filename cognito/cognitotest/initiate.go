package cognitotest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
)

type initiateAuthInput struct {
	AuthFlow       string
	AuthParameters map[string]string
	ClientID       string `json:"ClientId"`
}

// authOutput is what InitiateAuth and RespondToAuthChallenge answer: tokens, or
// the next challenge.
type authOutput struct {
	AuthenticationResult *authenticationResult `json:",omitempty"`
	ChallengeName        challenge             `json:",omitempty"`
	ChallengeParameters  map[string]string
	Session              string `json:",omitempty"`
}

// initiateAuth begins a sign-in:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
func (s *Server) initiateAuth(in *initiateAuthInput) (any, error) {
	var c constraints
	c.enum("authFlow", in.AuthFlow, "USER_SRP_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", "CUSTOM_AUTH",
		"ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "USER_AUTH")
	c.required("clientId", in.ClientID, clientIDShape)
	if err := c.err(); err != nil {
		return nil, err
	}
	client, err := s.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	switch in.AuthFlow {
	case "USER_PASSWORD_AUTH":
		return s.initiatePassword(client, in.AuthParameters)
	case "USER_SRP_AUTH":
		return s.initiateSRP(client, in.AuthParameters)
	case "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN":
		return s.initiateRefresh(client, in.AuthParameters)
	default:
		return nil, invalidParameter("Initiate Auth method not supported.")
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
	if err := a.lockout.attempt(s.now()); err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(a.Password), []byte(password)) != 1 {
		a.lockout.fail(s.now())
		return nil, wrongPassword()
	}
	return s.afterPassword(c, a)
}

// afterPassword is what follows a right password: a refusal, a challenge, or the
// tokens.
func (s *Server) afterPassword(c *client, a *account) (any, error) {
	if err := a.usable(); err != nil {
		return nil, err
	}
	if a.ForceNewPassword {
		attributes, err := json.Marshal(a.Attributes)
		if err != nil {
			return nil, err
		}
		return s.challenge(session{challenge: newPasswordRequired, client: c, account: a}, map[string]string{
			"requiredAttributes": "[]",
			"userAttributes":     string(attributes),
		}), nil
	}
	return s.secondFactor(c, a)
}

// secondFactor asks for what the pool wants beside a password, or gives the
// tokens when that is nothing.
func (s *Server) secondFactor(c *client, a *account) (any, error) {
	factors := a.mfaList()
	switch {
	case c.pool.MFA == MFAOff || a.Federated:
		return s.signedIn(c, a), nil
	case len(factors) == 0 && c.pool.MFA == MFAOptional:
		return s.signedIn(c, a), nil
	case len(factors) == 0:
		canSetUp := []Factor{SoftwareToken}
		if c.pool.SoftwareTokenDisabled {
			canSetUp = []Factor{SMS}
		}
		return s.challenge(session{challenge: mfaSetup, client: c, account: a}, map[string]string{
			"MFAS_CAN_SETUP": jsonList(canSetUp),
		}), nil
	case len(factors) == 1:
		return s.challengeFactor(c, a, factors[0]), nil
	case a.factors[a.preferred]:
		return s.challengeFactor(c, a, a.preferred), nil
	default:
		return s.challenge(session{challenge: selectMFAType, client: c, account: a}, map[string]string{
			"MFAS_CAN_CHOOSE": jsonList(factors),
		}), nil
	}
}

// challengeFactor asks for a code of that factor.
func (s *Server) challengeFactor(c *client, a *account, f Factor) authOutput {
	next := session{challenge: challenge(f), client: c, account: a}
	parameters := map[string]string{}
	switch f {
	case SoftwareToken:
		if a.totp.device != "" {
			parameters["FRIENDLY_DEVICE_NAME"] = a.totp.device
		}
	case SMS:
		a.sent = s.digits(6)
		parameters["CODE_DELIVERY_DELIVERY_MEDIUM"] = "SMS"
		parameters["CODE_DELIVERY_DESTINATION"] = "+********0000"
	case EmailOTP:
		a.sent = s.digits(8)
		parameters["CODE_DELIVERY_DELIVERY_MEDIUM"] = "EMAIL"
		parameters["CODE_DELIVERY_DESTINATION"] = "e***@e***"
	}
	return s.challenge(next, parameters)
}

// challenge opens a session and says what it waits for.
func (s *Server) challenge(next session, parameters map[string]string) authOutput {
	parameters["USER_ID_FOR_SRP"] = next.account.Username
	return authOutput{ChallengeName: next.challenge, ChallengeParameters: parameters, Session: s.open(next)}
}

func (s *Server) signedIn(c *client, a *account) authOutput {
	a.lockout = lockout{}
	result := s.grantTokens(c, a)
	return authOutput{AuthenticationResult: &result, ChallengeParameters: map[string]string{}}
}

// usable says why an account cannot be worked with, if so.
func (a *account) usable() error {
	switch {
	case a.Disabled:
		return notAuthorized("User is disabled.")
	case a.Unconfirmed:
		return &exception{name: "UserNotConfirmedException", message: "User is not confirmed."}
	case a.ResetRequired:
		return &exception{name: "PasswordResetRequiredException", message: "Password reset required for the user"}
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
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte(username + c.ID))
	if !hmac.Equal([]byte(given), []byte(base64.StdEncoding.EncodeToString(mac.Sum(nil)))) {
		return notAuthorized("Unable to verify secret hash for client " + c.ID)
	}
	return nil
}

// jsonList writes a list as challenge parameters hold it: a JSON array inside a
// string.
func jsonList(factors []Factor) string {
	b, _ := json.Marshal(factors) // strings always marshal
	return string(b)
}

// digits returns n random digits. The caller holds s.mu.
func (s *Server) digits(n int) string {
	b := s.random(n)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	return string(b)
}
