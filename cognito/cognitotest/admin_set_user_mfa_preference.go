package cognitotest

type adminSetUserMFAPreferenceInput struct {
	adminInput
	mfaPreference
}

// adminSetUserMFAPreference turns a user's factors on and off. To turn off an app
// that was never set up is no error here, as it is in the user's own operation
// (moto's test_initiate_auth_USER_PASSWORD_AUTH, which ran against AWS):
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminSetUserMFAPreference.html
func (s *Server) adminSetUserMFAPreference(in *adminSetUserMFAPreferenceInput) (any, error) {
	p, a, err := s.administered(in.adminInput)
	if err != nil {
		return nil, err
	}
	if app := in.SoftwareTokenMfaSettings; app != nil && !app.Enabled && a.totp.verified == "" {
		in.SoftwareTokenMfaSettings = nil
	}
	if err := p.applyPreference(a, in.mfaPreference); err != nil {
		return nil, err
	}
	a.modified = s.now()
	return struct{}{}, nil
}
