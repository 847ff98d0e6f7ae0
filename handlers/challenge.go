package handlers

import (
	"context"
	"time"

	"mfa-enrollment/handlers/api"
	"mfa-enrollment/internal/enroll"
)

// AnswerChallenge answers a challenge of a sign-in: POST /v1/auth/challenge.
func (s *Server) AnswerChallenge(ctx context.Context, r api.AnswerChallengeRequestObject) (api.AnswerChallengeResponseObject, error) {
	body := r.Body
	if _, err := s.credential(ctx, &body.Session); err != nil {
		return nil, err
	}
	in, err := s.Enroll.Answer(ctx, enroll.Answer{
		Challenge: string(body.Challenge),
		ClientID:  body.ClientId,
		Username:  body.Username,
		Session:   enroll.Secret(body.Session),
		Code:      enroll.Secret(value(body.Code, "")),
		Method:    string(value(body.Answer, "")),
		Context:   signInContext(ctx, body.EncodedData, body.ClientMetadata),
		Address:   network(requestOf(ctx).RealIP()),
	})
	s.identify(ctx, &in)
	if err != nil {
		return nil, err
	}
	return api.AnswerChallenge200JSONResponse(signInReply(in)), nil
}

// signInContext is what goes along for threat protection and Lambda triggers.
func signInContext(ctx context.Context, encodedData *string, metadata *api.ClientMetadata) enroll.SignInContext {
	return enroll.SignInContext{
		ClientIP:    knownAddress(requestOf(ctx).RealIP()),
		EncodedData: enroll.Secret(value(encodedData, "")),
		Metadata:    value(metadata, nil),
	}
}

func signInReply(in enroll.SignIn) api.SignIn {
	var reply api.SignIn
	if t := in.Tokens; t != nil {
		reply.Tokens = &api.Tokens{
			AccessToken:  t.Access.Reveal(),
			IdToken:      revealed(t.ID),
			RefreshToken: revealed(t.Refresh),
			ExpiresIn:    int(t.ExpiresIn / time.Second),
			TokenType:    t.Type,
		}
	}
	if c := in.Challenge; c != nil {
		reply.Challenge = &api.Challenge{Name: c.Name, Session: revealed(c.Session), Parameters: c.Parameters}
		if c.Parameters == nil {
			reply.Challenge.Parameters = map[string]string{}
		}
	}
	return reply
}
