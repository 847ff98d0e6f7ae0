package handlers

import (
	"bytes"
	"context"

	"mfa-enrollment/handlers/api"
	"mfa-enrollment/internal/qr"
)

// GetTotpQr shows the QR code of the pending enrollment: GET /v1/mfa/totp/qr.
func (s *Server) GetTotpQr(ctx context.Context, _ api.GetTotpQrRequestObject) (api.GetTotpQrResponseObject, error) {
	mediaType, err := accepted(requestOf(ctx).Request().Header.Values("Accept"), typePNG, typeSVG)
	if err != nil {
		return nil, err
	}
	id, err := s.identity(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.Enroll.Show(ctx, id)
	s.audit(ctx, auditShown, err)
	if err != nil {
		return nil, err
	}
	as := qr.PNG
	if mediaType == typeSVG {
		as = qr.SVG
	}
	picture, err := s.draw(e.URI, as)
	if err != nil {
		return nil, err
	}
	body, length := bytes.NewReader(picture), int64(len(picture))
	if mediaType == typeSVG {
		return api.GetTotpQr200ImagesvgXmlResponse{Body: body, ContentLength: length}, nil
	}
	return api.GetTotpQr200ImagepngResponse{Body: body, ContentLength: length}, nil
}
