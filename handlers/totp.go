package handlers

import (
	"context"
	"encoding/base64"
	"math"
	"time"

	"mfa-enrollment/handlers/api"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/qr"
)

// StartTotp starts an enrollment: POST /v1/mfa/totp.
func (s *Server) StartTotp(ctx context.Context, r api.StartTotpRequestObject) (api.StartTotpResponseObject, error) {
	body := r.Body
	if body == nil {
		body = &api.StartTotpRequest{}
	}
	credential, err := s.credential(ctx, body.Session)
	if err != nil {
		return nil, err
	}
	e, err := s.Enroll.Start(ctx, enroll.StartRequest{
		Credential:  credential,
		AccountName: value(body.AccountName, ""),
		Renew:       value(body.Renew, false),
	})
	if err != nil {
		return nil, err
	}
	s.audit(ctx, auditShown, nil)
	picture, err := s.draw(e.URI, qr.PNG)
	if err != nil {
		return nil, err
	}
	reply := s.enrollmentReply(e, picture)
	if e.Resumed {
		return api.StartTotp200JSONResponse{Body: reply}, nil
	}
	return api.StartTotp201JSONResponse{Body: reply}, nil
}

// draw makes the picture of an otpauth URI.
func (s *Server) draw(uri enroll.Secret, as func(string) ([]byte, error)) ([]byte, error) {
	begin := s.Now()
	picture, err := as(uri.Reveal())
	if err != nil {
		return nil, &enroll.Error{Kind: enroll.Internal, Reason: "the QR code could not be drawn", Cause: err}
	}
	s.Metrics.QRRendered(s.Now().Sub(begin))
	return picture, nil
}

func (s *Server) enrollmentReply(e enroll.Enrollment, picture []byte) api.Enrollment {
	return api.Enrollment{
		Secret:      e.Secret.Reveal(),
		OtpauthUri:  e.URI.Reveal(),
		QrCode:      "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture),
		Issuer:      e.Issuer,
		AccountName: e.AccountName,
		Algorithm:   enroll.Algorithm,
		Digits:      enroll.Digits,
		Period:      api.EnrollmentPeriod(enroll.Period.Seconds()),
		ExpiresAt:   e.ExpiresAt.UTC(),
		ExpiresIn:   int(math.Floor(s.until(e.ExpiresAt).Seconds())),
		Session:     revealed(e.Session),
	}
}

// until is how long it is until a moment of the enrollment's, by the clock that the
// moment is of (Cognito's), and zero when it has passed.
func (s *Server) until(moment time.Time) time.Duration { return max(0, moment.Sub(s.Enroll.Now())) }

// VerifyTotp finishes an enrollment: POST /v1/mfa/totp/verify.
func (s *Server) VerifyTotp(ctx context.Context, r api.VerifyTotpRequestObject) (api.VerifyTotpResponseObject, error) {
	body := r.Body
	credential, err := s.credential(ctx, body.Session)
	if err != nil {
		return nil, err
	}
	request := enroll.VerifyRequest{
		Credential: credential,
		Code:       enroll.Secret(body.Code),
		DeviceName: value(body.DeviceName, ""),
		Preferred:  value(body.Preferred, true),
	}
	if body.Username != nil || body.ClientId != nil {
		request.SignIn = &enroll.CompleteSignIn{
			Username: value(body.Username, ""),
			ClientID: value(body.ClientId, ""),
			Context:  signInContext(ctx, body.DeviceKey, body.EncodedData, body.ClientMetadata),
		}
	}
	v, err := s.Enroll.Verify(ctx, request)
	identify(ctx, v.SignIn)
	s.auditVerification(ctx, credential.Flow(), err)
	if err != nil {
		return nil, err
	}
	reply, err := s.verificationReply(v)
	return api.VerifyTotp200JSONResponse{Body: reply}, err
}

// auditVerification audits the two changes that verifying by token makes; by
// session the sign-in itself switches the factor on.
func (s *Server) auditVerification(ctx context.Context, flow enroll.Flow, err error) {
	if enroll.KindOf(err) == enroll.VerifiedNotEnabled {
		s.audit(ctx, auditVerified, nil)
		s.audit(ctx, auditEnabled, err)
		return
	}
	s.audit(ctx, auditVerified, err)
	if err == nil && flow == enroll.FlowToken {
		s.audit(ctx, auditEnabled, nil)
	}
}

// verificationReply says what came of a right code, by its outcome.
func (s *Server) verificationReply(v enroll.Verification) (reply api.Verification, err error) {
	at := v.CodeReusableAt.UTC()
	in := int(math.Ceil(s.until(at).Seconds()))
	switch {
	case v.Status != nil:
		err = reply.FromVerifiedAndEnabled(api.VerifiedAndEnabled{
			Outcome: api.Enabled, Mfa: statusReply(*v.Status), CodeReusableAt: at, CodeReusableIn: in,
		})
	case v.SignIn != nil && v.SignIn.Tokens != nil:
		err = reply.FromVerifiedAndSignedIn(api.VerifiedAndSignedIn{
			Outcome: api.VerifiedAndSignedInOutcomeSignedIn, Tokens: tokensReply(*v.SignIn.Tokens), CodeReusableAt: at, CodeReusableIn: in,
		})
	case v.SignIn != nil:
		err = reply.FromVerifiedAndChallenged(api.VerifiedAndChallenged{
			Outcome: api.VerifiedAndChallengedOutcomeChallenge, Challenge: challengeReply(*v.SignIn.Challenge), CodeReusableAt: at, CodeReusableIn: in,
		})
	default:
		err = reply.FromVerified(api.Verified{
			Outcome: api.VerifiedOutcomeVerified, Session: v.Session.Reveal(), CodeReusableAt: at, CodeReusableIn: in,
		})
	}
	return reply, err
}

// value is what an optional member holds, or its default.
func value[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// revealed is a secret as an optional member of a reply.
func revealed(s enroll.Secret) *string {
	if s == "" {
		return nil
	}
	return new(s.Reveal())
}
