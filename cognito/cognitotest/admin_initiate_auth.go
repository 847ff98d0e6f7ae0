package cognitotest

type adminInitiateAuthInput struct {
	initiateAuthInput
	UserPoolID string `json:"UserPoolId" shape:"UserPoolIdType,required"`
}

// adminInitiateAuth begins a sign-in from a server:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminInitiateAuth.html
func (s *Server) adminInitiateAuth(in *adminInitiateAuthInput) (any, error) {
	client, err := s.ofPool(in.UserPoolID, in.ClientID)
	if err != nil {
		return nil, err
	}
	switch in.AuthFlow {
	case "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH":
		if !client.allows(in.AuthFlow) {
			return nil, invalidParameter("Auth flow not enabled for this client")
		}
		return s.initiatePassword(client, in.AuthParameters)
	case "USER_PASSWORD_AUTH":
		return nil, invalidParameter("Initiate Auth method not supported.")
	default:
		return s.initiate(client, in.initiateAuthInput)
	}
}
