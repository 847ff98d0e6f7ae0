package cognitotest

type resendConfirmationCodeInput struct {
	ClientID   string `json:"ClientId" shape:"ClientIdType,required"`
	SecretHash string `shape:"SecretHashType"`
	Username   string `shape:"UsernameType,required"`
}

// resendConfirmationCode sends another code of a sign-up; the one of before is good
// no longer (aws-amplify/amplify-ui#6678):
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ResendConfirmationCode.html
func (s *Server) resendConfirmationCode(in *resendConfirmationCodeInput) (any, error) {
	c, err := s.knownClient(in.ClientID, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	a, hidden, err := c.signedOut(in.Username)
	switch {
	case err != nil:
		return nil, err
	case hidden:
		return madeUp(), nil
	case !a.Unconfirmed:
		return nil, invalidParameter("User is already confirmed.") // aws-amplify/amplify-js#1614
	}
	attribute := c.pool.verifies(a)
	if attribute == "" {
		return nil, notAuthorized("Cannot resend codes. Auto verification not turned on.") // aws-amplify/amplify-cli#3646
	}
	if err := s.attempt(a, "ResendConfirmationCode"); err != nil {
		return nil, err
	}
	return map[string]codeDelivery{"CodeDeliveryDetails": s.send(a, attribute, forSignUp, 6)}, nil
}
