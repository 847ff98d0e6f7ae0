package cognitotest

type forgotPasswordInput struct {
	ClientID   string `json:"ClientId" shape:"ClientIdType,required"`
	SecretHash string `shape:"SecretHashType"`
	Username   string `shape:"UsernameType,required"`
}

// forgotPassword sends a code with which a new password can be set:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ForgotPassword.html
func (s *Server) forgotPassword(in *forgotPasswordInput) (any, error) {
	c, err := s.knownClient(in.ClientID, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	a, hidden, err := c.signedOut(in.Username)
	switch {
	case err != nil:
		return nil, err
	case hidden, !c.RevealUnknownUsers && a.recovery() == "":
		return madeUp(), nil
	case a.ForceNewPassword || a.Federated:
		return nil, notAuthorized("User password cannot be reset in the current state.")
	}
	attribute := a.recovery()
	if attribute == "" {
		return nil, noRecovery()
	}
	if err := s.attempt(a, "ForgotPassword"); err != nil {
		return nil, err
	}
	return map[string]codeDelivery{"CodeDeliveryDetails": s.send(a, attribute, forReset, 6)}, nil
}

// madeUp is a delivery to nobody, so that nobody learns who has an account:
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html
func madeUp() map[string]codeDelivery {
	return map[string]codeDelivery{"CodeDeliveryDetails": {AttributeName: "email", DeliveryMedium: "EMAIL", Destination: masked("a@a")}}
}

// recovery is the verified address that a code can be sent to.
func (a *account) recovery() string {
	for _, name := range []string{"email", "phone_number"} {
		if a.Attributes[name] != "" && a.Attributes[name+"_verified"] == "true" {
			return name
		}
	}
	return ""
}
