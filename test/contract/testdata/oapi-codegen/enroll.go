package client

import "context"

// Enroll is compiled with the client that oapi-codegen makes, and never run.
func Enroll(ctx context.Context, c *ClientWithResponses, show func(qrCode string), code string) (string, error) {
	started, err := c.StartTotpWithResponse(ctx, StartTotpRequest{})
	if err != nil {
		return "", err
	}
	if started.JSON201 != nil {
		show(started.JSON201.QrCode)
	}
	reply, err := c.VerifyTotpWithResponse(ctx, VerifyTotpRequest{Code: code})
	if err != nil || reply.JSON200 == nil {
		return "", err
	}
	switch result, err := reply.JSON200.ValueByDiscriminator(); result := result.(type) {
	case VerifiedAndEnabled:
		return string(result.Outcome), err
	case VerifiedAndSignedIn:
		return result.Tokens.AccessToken, err
	default:
		return "", err
	}
}
