package cognitotest

type poolClientInput struct {
	ClientID   string `json:"ClientId" shape:"ClientIdType,required"`
	UserPoolID string `json:"UserPoolId" shape:"UserPoolIdType,required"`
}

// describeUserPoolClient gives a client's settings, its secret among them:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeUserPoolClient.html
func (s *Server) describeUserPoolClient(in *poolClientInput) (any, error) {
	c, err := s.ofPool(in.UserPoolID, in.ClientID)
	if err != nil {
		return nil, err
	}
	return map[string]any{"UserPoolClient": c.describe()}, nil
}
