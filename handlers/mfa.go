package handlers

import (
	"context"

	"mfa-enrollment/handlers/api"
	"mfa-enrollment/internal/enroll"
)

// GetMfa tells which factors are on: GET /v1/mfa.
func (s *Server) GetMfa(ctx context.Context, _ api.GetMfaRequestObject) (api.GetMfaResponseObject, error) {
	id, err := s.identity(ctx)
	if err != nil {
		return nil, err
	}
	status, err := s.Enroll.Status(ctx, id)
	if err != nil {
		return nil, err
	}
	return api.GetMfa200JSONResponse{MfaStatusJSONResponse: api.MfaStatusJSONResponse{Body: statusReply(status)}}, nil
}

// SetTotpPreference switches TOTP on or off: PUT /v1/mfa/totp/preference.
func (s *Server) SetTotpPreference(ctx context.Context, r api.SetTotpPreferenceRequestObject) (api.SetTotpPreferenceResponseObject, error) {
	credential, err := s.credential(ctx, nil)
	if err != nil {
		return nil, err
	}
	status, err := s.Enroll.SetPreference(ctx, credential, enroll.Preference{
		Enabled:   r.Body.Enabled,
		Preferred: value(r.Body.Preferred, r.Body.Enabled),
	})
	if r.Body.Enabled {
		s.audit(ctx, auditEnabled, err)
	} else {
		s.audit(ctx, auditDisabled, err)
	}
	if err != nil {
		return nil, err
	}
	return api.SetTotpPreference200JSONResponse{MfaStatusJSONResponse: api.MfaStatusJSONResponse{Body: statusReply(status)}}, nil
}

func statusReply(s enroll.Status) api.MfaStatus {
	reply := api.MfaStatus{
		Totp:    api.TotpStatus{Enabled: s.TOTP.Enabled, Preferred: s.TOTP.Preferred},
		Methods: s.Methods,
		Next:    api.MfaStatusNext(s.Next),
	}
	if reply.Methods == nil {
		reply.Methods = api.Methods{} // [] in JSON, not null
	}
	if s.Preferred != "" {
		reply.Preferred = &s.Preferred
	}
	return reply
}
