package cognitotest

type verifySoftwareTokenInput struct {
	AccessToken        string `shape:"TokenModelType"`
	Session            string `shape:"SessionType"`
	UserCode           string `shape:"SoftwareTokenMFAUserCodeType,required"`
	FriendlyDeviceName string `shape:"StringType"`
}

type verifySoftwareTokenOutput struct {
	Status  string
	Session string `json:",omitempty"`
}

// verifySoftwareToken finishes an enrollment with the app's first code:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_VerifySoftwareToken.html
func (s *Server) verifySoftwareToken(in *verifySoftwareTokenInput) (any, error) {
	by, err := s.enrolling(in.AccessToken, in.Session)
	if err != nil {
		return nil, err
	}
	if err := by.account.usable(); err != nil {
		return nil, err
	}
	if by.session != nil && !by.session.associated {
		// The session that goes here is the one that AssociateSoftwareToken gave
		// (aws-amplify/amplify-js#6461).
		return nil, notAuthorized("Invalid session for the user.")
	}
	if by.account.totp.candidate() == "" {
		return nil, noSoftwareToken()
	}
	if !by.verify(in.UserCode, in.FriendlyDeviceName, s) {
		if by.session != nil {
			by.session.used = s.variants.WrongCodeEndsSetUp
		}
		return nil, &exception{
			name:    "EnableSoftwareTokenMFAException",
			message: "Code mismatch and fail enable Software Token MFA",
		}
	}
	out := verifySoftwareTokenOutput{Status: "SUCCESS"}
	if by.session != nil {
		by.session.used = true
		next := *by.session
		next.used, next.associated, next.verified = false, false, true
		out.Session = s.open(next)
	}
	return out, nil
}

// verify takes the code if it is right, and with it the secret. The caller holds
// s.mu.
func (by enrollee) verify(code, device string, s *Server) bool {
	token := &by.account.totp
	at, ok := match(token.candidate(), code, s.now())
	switch {
	case ok && token.pending != "":
		token.enroll(device)
	case !ok && s.variants.OldSecretVerifies:
		ok = token.enrollEarlier(code, s.now())
	}
	if !ok {
		return false
	}
	token.use(at)
	// In mid-sign-in, and where the pool requires it, the factor is on from here;
	// otherwise it waits for SetUserMFAPreference.
	if by.session != nil || by.pool.MFA == MFARequired {
		by.account.factors[SoftwareToken] = true
	}
	return true
}
