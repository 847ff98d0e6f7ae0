package cognitotest

type associateSoftwareTokenInput struct {
	AccessToken string `shape:"TokenModelType"`
	Session     string `shape:"SessionType"`
}

type associateSoftwareTokenOutput struct {
	SecretCode string
	Session    string `json:",omitempty"`
}

// associateSoftwareToken makes a new secret:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AssociateSoftwareToken.html
func (s *Server) associateSoftwareToken(in *associateSoftwareTokenInput) (any, error) {
	by, err := s.enrolling(in.AccessToken, in.Session)
	if err != nil {
		return nil, err
	}
	// 32 bytes are 52 characters of base32 without padding: the length of the
	// secrets that Cognito gives.
	by.account.totp.renew(encodeSecret(s.random(32)))
	out := associateSoftwareTokenOutput{SecretCode: by.account.totp.pending}
	if by.session != nil {
		by.session.used = true
		next := *by.session
		next.used, next.associated, next.verified = false, true, false
		out.Session = s.open(next)
	}
	return out, nil
}

// enrollee is who sets an authenticator app up: somebody who is signed in, or
// somebody in the middle of signing in, who has a session.
type enrollee struct {
	account *account
	pool    *pool
	session *session // nil by access token
}

// enrolling finds who an access token or a session stands for; the API takes one
// of them, not both. The caller holds s.mu.
func (s *Server) enrolling(accessToken, sessionID string) (enrollee, error) {
	var by enrollee
	switch {
	case accessToken == "" && sessionID == "":
		return by, invalidParameter("Either AccessToken or Session is required.")
	case accessToken != "" && sessionID != "":
		return by, invalidParameter("Only one of AccessToken and Session can be given.")
	case accessToken != "":
		a, p, err := s.authorize(accessToken)
		if err != nil {
			return by, err
		}
		by = enrollee{account: a, pool: p}
	default:
		found, err := s.find(sessionID, mfaSetup)
		if err != nil {
			return by, err
		}
		by = enrollee{account: found.account, pool: found.client.pool, session: found}
	}
	return by, by.pool.takesApps()
}

// hasApps says whether users of the pool can have authenticator apps. Cognito takes
// no configuration that turns MFA off and apps on.
func (p *pool) hasApps() bool { return p.MFA != MFAOff && !p.SoftwareTokenDisabled }

// takesApps says why the pool has no operations on authenticator apps, if so.
func (p *pool) takesApps() error {
	switch {
	case p.SecondaryReplica:
		return notEnabled()
	case !p.hasApps():
		return softwareTokenOff()
	}
	return nil
}
