package cognitotest

import (
	"maps"
	"slices"
	"strings"
)

type respondToAuthChallengeInput struct {
	ChallengeName      challenge `shape:"enum,required"`
	ChallengeResponses map[string]string
	ClientID           string `json:"ClientId" shape:"ClientIdType,required"`
	Session            string `shape:"SessionType"`
}

// respondToAuthChallenge goes on with a sign-in:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RespondToAuthChallenge.html
func (s *Server) respondToAuthChallenge(in *respondToAuthChallengeInput) (any, error) {
	client, err := s.client(in.ClientID)
	if err != nil {
		return nil, err
	}
	username := in.ChallengeResponses["USERNAME"]
	if username == "" {
		return nil, missing("USERNAME")
	}
	if err := client.checkSecretHash(client.pool.username(username), in.ChallengeResponses); err != nil {
		return nil, err
	}
	if in.ChallengeName == passwordVerifier {
		return s.verifyPassword(client, in.ChallengeResponses)
	}
	if in.Session == "" {
		return nil, missing("Session")
	}
	found, err := s.find(in.Session, in.ChallengeName)
	if err != nil {
		return nil, err
	}
	if found.client != client || client.pool.byName(username) != found.account {
		return nil, notAuthorized("Invalid session for the user.")
	}
	if err := found.account.usable(); err != nil {
		return nil, err
	}
	if err := found.comeFrom(in.ChallengeResponses["DEVICE_KEY"]); err != nil {
		return nil, err
	}
	if in.ChallengeName == selectChallenge || in.ChallengeName == passwordChallenge {
		return s.answerChoice(found, in.ChallengeResponses)
	}
	return s.answer(found, in.ChallengeResponses)
}

// answer takes the answer to the session's challenge. The session is used up
// when the answer is right; after a wrong one it can be tried again until it
// expires.
func (s *Server) answer(to *session, responses map[string]string) (any, error) {
	var next func(session) (any, error)
	var err error
	switch to.challenge {
	case mfaSetup:
		next, err = s.finish, to.checkSetUp()
	case softwareTokenMFA:
		next, err = s.finish, s.checkSoftwareToken(to, responses["SOFTWARE_TOKEN_MFA_CODE"])
	case smsMFA:
		next, err = s.finish, s.checkSent(to, responses["SMS_MFA_CODE"])
	case smsOTP:
		next, err = s.finish, s.checkSent(to, responses["SMS_OTP_CODE"])
	case emailOTP:
		next, err = s.finish, s.checkSent(to, responses["EMAIL_OTP_CODE"])
	case selectMFAType:
		chosen := Factor(responses["ANSWER"])
		next = func(in session) (any, error) { return s.challengeFactor(in, chosen), nil }
		err = to.client.pool.checkChoice(to.account, chosen)
	case newPasswordRequired:
		next, err = s.secondFactor, s.choosePassword(to, responses)
	default:
		err = invalidParameter("The stand-in does not know this challenge.")
	}
	if err != nil {
		return nil, err
	}
	to.used = true
	return next(*to)
}

// finish gives the tokens.
func (s *Server) finish(in session) (any, error) { return s.signedIn(in), nil }

// username is the username of whoever that alias names: SECRET_HASH is made of
// it once a challenge was given, whichever name began the sign-in.
func (p *pool) username(name string) string {
	if a := p.byName(name); a != nil {
		return a.Username
	}
	return name
}

// checkSetUp checks that an authenticator app was set up in this session, and was
// not deleted since.
func (to *session) checkSetUp() error {
	if !to.verified || to.account.totp.verified == "" {
		return invalidParameter("User has not set up software token mfa")
	}
	return nil
}

// checkSoftwareToken checks a code of the user's authenticator app. The caller
// holds s.mu.
func (s *Server) checkSoftwareToken(to *session, code string) error {
	token := &to.account.totp
	if err := to.client.pool.takesApps(); err != nil {
		return err
	}
	switch {
	case code == "":
		return missing("SOFTWARE_TOKEN_MFA_CODE")
	case token.verified == "":
		return noSoftwareToken()
	}
	if err := to.account.lockout.attempt(s.now()); err != nil {
		return err
	}
	at, ok := match(token.verified, code, s.now())
	switch {
	case !ok:
		to.account.lockout.fail(s.now())
		to.used = s.variants.WrongTOTPEndsSignIn
		return wrongCode()
	case !token.use(at):
		return &exception{name: "ExpiredCodeException", message: "Your software token has already been used once."}
	}
	return nil
}

// checkSent checks a code that was sent to the user. The caller holds s.mu.
func (s *Server) checkSent(to *session, code string) error {
	if code == "" {
		return missing(string(to.challenge) + "_CODE")
	}
	if err := to.account.lockout.attempt(s.now()); err != nil {
		return err
	}
	if !to.account.takeCode(code) {
		to.account.lockout.fail(s.now())
		return wrongSentCode()
	}
	return nil
}

// checkChoice checks that the user has the factor.
func (p *pool) checkChoice(a *account, f Factor) error {
	switch {
	case f == "":
		return missing("ANSWER")
	case !slices.Contains(p.factors(a), f):
		return &exception{name: "MFAMethodNotFoundException", message: "The user does not have this MFA method."}
	}
	return nil
}

// choosePassword sets the password that the user chose, and the attributes that
// came with it.
func (s *Server) choosePassword(to *session, responses map[string]string) error {
	chosen, a := responses["NEW_PASSWORD"], to.account
	if chosen == "" {
		return missing("NEW_PASSWORD")
	}
	if err := to.client.pool.checkPassword(chosen); err != nil {
		return err
	}
	var attributes []attribute
	for _, name := range slices.Sorted(maps.Keys(responses)) {
		if named, ok := strings.CutPrefix(name, "userAttributes."); ok {
			attributes = append(attributes, attribute{Name: named, Value: responses[name]})
		}
	}
	if name := notTheirs(attributes); name != "" {
		return invalidParameter("Cannot modify the non-mutable attribute %s", name) // aws-amplify/aws-sdk-ios#2203
	}
	if err := to.client.pool.change(a, attributes); err != nil {
		return err
	}
	a.setPassword(chosen, s)
	return nil
}
