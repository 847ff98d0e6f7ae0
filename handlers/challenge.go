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
		Context:   signInContext(ctx, body.DeviceKey, body.EncodedData, body.ClientMetadata),
		Address:   network(requestOf(ctx).RealIP()),
	})
	identify(ctx, &in)
	if err != nil {
		return nil, err
	}
	reply, err := signInReply(in)
	return api.AnswerChallenge200JSONResponse{Body: reply}, err
}

// signInContext is what goes along for remembered devices, threat protection and
// Lambda triggers.
func signInContext(ctx context.Context, deviceKey, encodedData *string, metadata *api.ClientMetadata) enroll.SignInContext {
	return enroll.SignInContext{
		ClientIP:    knownAddress(requestOf(ctx).RealIP()),
		DeviceKey:   enroll.Secret(value(deviceKey, "")),
		EncodedData: enroll.Secret(value(encodedData, "")),
		Metadata:    value(metadata, nil),
	}
}

// signInReply says what came of an answer, by its outcome.
func signInReply(in enroll.SignIn) (reply api.SignIn, err error) {
	if in.Tokens != nil {
		err = reply.FromSignedIn(api.SignedIn{Outcome: api.SignedInOutcomeSignedIn, Tokens: tokensReply(*in.Tokens)})
	} else {
		err = reply.FromChallenged(api.Challenged{Outcome: api.ChallengedOutcomeChallenge, Challenge: challengeReply(*in.Challenge)})
	}
	return reply, err
}

func tokensReply(t enroll.Tokens) api.Tokens {
	reply := api.Tokens{
		AccessToken:  t.Access.Reveal(),
		IdToken:      revealed(t.ID),
		RefreshToken: revealed(t.Refresh),
		ExpiresIn:    int(t.ExpiresIn / time.Second),
		TokenType:    t.Type,
	}
	if d := t.Device; d != nil {
		reply.Device = &api.Device{Key: d.Key.Reveal(), GroupKey: optional(d.GroupKey)}
	}
	return reply
}

func challengeReply(c enroll.Challenge) api.Challenge {
	reply := api.Challenge{Name: c.Name, Session: revealed(c.Session), Parameters: c.Parameters}
	if c.Parameters == nil {
		reply.Parameters = map[string]string{}
	}
	return reply
}
