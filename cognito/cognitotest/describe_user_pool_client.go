package cognitotest

type poolClientInput struct {
	ClientID   string `json:"ClientId"`
	UserPoolID string `json:"UserPoolId"`
}

// describeUserPoolClient gives a client's settings, its secret among them:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeUserPoolClient.html
func (s *Server) describeUserPoolClient(in *poolClientInput) (any, error) {
	var shapes constraints
	shapes.required("userPoolId", in.UserPoolID, userPoolIDShape)
	shapes.required("clientId", in.ClientID, clientIDShape)
	if err := shapes.err(); err != nil {
		return nil, err
	}
	c, err := s.ofPool(in.UserPoolID, in.ClientID)
	if err != nil {
		return nil, err
	}
	return map[string]any{"UserPoolClient": c.describe()}, nil
}
