package cognitotest

type adminRespondToAuthChallengeInput struct {
	respondToAuthChallengeInput
	UserPoolID string `json:"UserPoolId" shape:"UserPoolIdType,required"`
}

// adminRespondToAuthChallenge goes on with a sign-in from a server:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminRespondToAuthChallenge.html
func (s *Server) adminRespondToAuthChallenge(in *adminRespondToAuthChallengeInput) (any, error) {
	if _, err := s.ofPool(in.UserPoolID, in.ClientID); err != nil {
		return nil, err
	}
	return s.respondToAuthChallenge(&in.respondToAuthChallengeInput)
}
