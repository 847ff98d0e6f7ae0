package handlers

import (
	"bytes"
	"context"
	"encoding/base64"

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
	offers := []string{typeJSON, typePNG}
	if credential.Flow() == enroll.FlowSession {
		offers = offers[:1] // The next session has no place in a picture.
	}
	mediaType, err := accepted(requestOf(ctx).Request().Header.Values("Accept"), offers...)
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
	picture, err := s.draw(e.URI)
	if err != nil {
		return nil, err
	}
	switch {
	case mediaType == typePNG && e.Resumed:
		return api.StartTotp200ImagepngResponse{Body: bytes.NewReader(picture), ContentLength: int64(len(picture))}, nil
	case mediaType == typePNG:
		return api.StartTotp201ImagepngResponse{Body: bytes.NewReader(picture), ContentLength: int64(len(picture))}, nil
	case e.Resumed:
		return api.StartTotp200JSONResponse(enrollmentReply(e, picture)), nil
	default:
		return api.StartTotp201JSONResponse(enrollmentReply(e, picture)), nil
	}
}

// draw makes the picture of an otpauth URI.
func (s *Server) draw(uri enroll.Secret) ([]byte, error) {
	begin := s.Now()
	picture, err := qr.PNG(uri.Reveal())
	if err != nil {
		return nil, &enroll.Error{Kind: enroll.Internal, Reason: "the QR code could not be drawn", Cause: err}
	}
	s.Metrics.QRRendered(s.Now().Sub(begin))
	return picture, nil
}

func enrollmentReply(e enroll.Enrollment, picture []byte) api.Enrollment {
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
		Session:     revealed(e.Session),
	}
}

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
			Context:  signInContext(ctx, body.EncodedData, body.ClientMetadata),
		}
	}
	v, err := s.Enroll.Verify(ctx, request)
	s.identify(ctx, v.SignIn)
	s.auditVerification(ctx, credential.Flow(), err)
	if err != nil {
		return nil, err
	}
	return api.VerifyTotp200JSONResponse(verificationReply(v)), nil
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

func verificationReply(v enroll.Verification) api.Verification {
	reply := api.Verification{CodeReusableAt: v.CodeReusableAt.UTC(), Session: revealed(v.Session)}
	if v.Status != nil {
		status := statusReply(*v.Status)
		reply.Totp, reply.Methods, reply.Preferred = &status.Totp, &status.Methods, status.Preferred
	}
	if v.SignIn != nil {
		in := signInReply(*v.SignIn)
		reply.Tokens, reply.Challenge = in.Tokens, in.Challenge
	}
	return reply
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
