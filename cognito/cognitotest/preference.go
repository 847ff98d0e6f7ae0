package cognitotest

import "slices"

type mfaSettings struct {
	Enabled      bool
	PreferredMfa bool
}

// mfaPreference is what is asked for, by factor; a factor that is not sent stays
// as it is.
type mfaPreference struct {
	EmailMfaSettings         *mfaSettings
	SMSMfaSettings           *mfaSettings
	SoftwareTokenMfaSettings *mfaSettings
}

type setUserMFAPreferenceInput struct {
	AccessToken string `shape:"TokenModelType,required"`
	mfaPreference
}

// setUserMFAPreference turns factors on and off. The last one can be turned off
// even where the pool requires one (seen in Amplify Flutter's
// mfa_totp_required_test); the next sign-in is then MFA_SETUP again:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SetUserMFAPreference.html
func (s *Server) setUserMFAPreference(in *setUserMFAPreferenceInput) (any, error) {
	a, p, err := s.signedInUser(in.AccessToken)
	if err != nil {
		return nil, err
	}
	if err := p.applyPreference(a, in.mfaPreference); err != nil {
		return nil, err
	}
	return struct{}{}, nil
}

// applyPreference does what is asked for, or nothing.
func (p *pool) applyPreference(a *account, in mfaPreference) error {
	asked := map[Factor]mfaSettings{}
	for f, settings := range map[Factor]*mfaSettings{
		EmailOTP: in.EmailMfaSettings, SMS: in.SMSMfaSettings, SoftwareToken: in.SoftwareTokenMfaSettings,
	} {
		if settings != nil {
			asked[f] = *settings
		}
	}
	if err := p.checkPreference(a, asked); err != nil {
		return err
	}
	for f, settings := range asked {
		a.prefer(f, settings)
	}
	return nil
}

// checkPreference says why the settings cannot be, before any is changed.
func (p *pool) checkPreference(a *account, asked map[Factor]mfaSettings) error {
	preferred, other := 0, Factor("")
	for f, settings := range asked {
		if settings.Enabled && settings.PreferredMfa {
			preferred++
		}
		if settings.Enabled && !slices.Contains(p.offered(), f) {
			other = f
		}
	}
	app, isAsked := asked[SoftwareToken]
	_, sms := asked[SMS]
	switch {
	case isAsked && p.SecondaryReplica:
		return notEnabled()
	case app.Enabled && a.totp.verified == "":
		return invalidParameter("User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA")
	case isAsked && a.totp.verified == "":
		// Cognito says so even when the request turns the app off
		// (aws-amplify/amplify-js#944, #3844).
		return invalidParameter("User has not set up software token mfa")
	case sms && a.Attributes["phone_number"] == "":
		// Cognito says so even when the request turns SMS off
		// (aws-amplify/amplify-js#5766).
		return invalidParameter("User does not have a phone_number set to turn on SMS MFA")
	case asked[EmailOTP].Enabled && a.Attributes["email"] == "":
		return invalidParameter("User does not have delivery config set to turn on EMAIL_OTP")
	case other != "":
		return invalidParameter("%s is not enabled for the user pool.", other) // a message of ours
	case preferred > 1:
		return invalidParameter("Only one factor can be set as preferred.")
	}
	return nil
}

// prefer applies the settings of one factor.
func (a *account) prefer(f Factor, settings mfaSettings) {
	if settings.Enabled {
		a.factors[f] = true
	} else {
		delete(a.factors, f)
	}
	switch {
	case settings.Enabled && settings.PreferredMfa:
		a.preferred = f
	case a.preferred == f:
		a.preferred = ""
	}
}
