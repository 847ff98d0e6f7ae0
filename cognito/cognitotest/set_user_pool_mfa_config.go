package cognitotest

import (
	"encoding/json"
	"slices"
)

type enabled struct{ Enabled bool }

// mfaConfig is a pool's configuration of MFA as the API gives and takes it. The
// messages of SMS and e-mail are kept and not looked at.
type mfaConfig struct {
	EmailMfaConfiguration         json.RawMessage `json:",omitempty"`
	MfaConfiguration              MFA             `json:",omitempty" shape:"enum"`
	SmsMfaConfiguration           json.RawMessage `json:",omitempty"`
	SoftwareTokenMfaConfiguration *enabled        `json:",omitempty"`
}

type setUserPoolMfaConfigInput struct {
	mfaConfig
	UserPoolID string `json:"UserPoolId" shape:"UserPoolIdType,required"`
}

// setUserPoolMfaConfig says whether a pool wants a second factor, and which ones
// it offers. A factor that is not named stays as it is, unless MFA is turned off:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SetUserPoolMfaConfig.html
func (s *Server) setUserPoolMfaConfig(in *setUserPoolMfaConfigInput) (any, error) {
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return nil, err
	}
	if in.MfaConfiguration == "" {
		in.MfaConfiguration = p.MFA
	}
	next, err := p.withFactors(in.mfaConfig)
	if err != nil {
		return nil, err
	}
	p.Pool, p.modified = next, s.now()
	return p.mfaConfig(), nil
}

// withFactors is the pool with that configuration, where it can be. The messages
// are AWS's (go-to-k/cdkd#1923 ran into the first one, anomalyco/sst#5177 into the
// second one).
func (p *pool) withFactors(in mfaConfig) (Pool, error) {
	next, app := p.Pool, in.SoftwareTokenMfaConfiguration
	if in.MfaConfiguration == MFAOff {
		if app != nil || in.SmsMfaConfiguration != nil || in.EmailMfaConfiguration != nil {
			return next, invalidParameter("Invalid MFA configuration given, can't turn off MFA and configure an MFA together.")
		}
		next.MFA, next.Factors, next.SoftwareTokenDisabled = MFAOff, nil, true
		return next, nil
	}
	if in.EmailMfaConfiguration != nil && p.tier() == "LITE" {
		return next, notInLite("Email MFA")
	}
	if app != nil {
		next.SoftwareTokenDisabled = !app.Enabled
	}
	next.Factors = slices.Clone(p.Factors)
	next.MFA = in.MfaConfiguration
	for f, given := range map[Factor]json.RawMessage{SMS: in.SmsMfaConfiguration, EmailOTP: in.EmailMfaConfiguration} {
		if given != nil && !slices.Contains(next.Factors, f) {
			next.Factors = append(next.Factors, f)
		}
	}
	slices.Sort(next.Factors)
	if len(next.Factors) == 0 && next.SoftwareTokenDisabled {
		return next, invalidParameter("Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.")
	}
	next.Settings = p.keep(in)
	return next, nil
}

// keep are the pool's settings with the configuration of messages.
func (p *pool) keep(in mfaConfig) map[string]json.RawMessage {
	settings := map[string]json.RawMessage{}
	for name, value := range p.Settings {
		settings[name] = value
	}
	for name, value := range map[string]json.RawMessage{
		smsMfaConfiguration: in.SmsMfaConfiguration, emailMfaConfiguration: in.EmailMfaConfiguration,
	} {
		if value != nil {
			settings[name] = value
		}
	}
	return settings
}

const (
	smsMfaConfiguration   = "SmsMfaConfiguration"
	emailMfaConfiguration = "EmailMfaConfiguration"
)

// mfaConfig is the pool's configuration.
func (p *pool) mfaConfig() mfaConfig {
	out := mfaConfig{
		MfaConfiguration:              p.MFA,
		SoftwareTokenMfaConfiguration: &enabled{p.hasApps()},
	}
	for _, f := range p.Factors {
		switch f {
		case SMS:
			out.SmsMfaConfiguration = p.messages(smsMfaConfiguration)
		case EmailOTP:
			out.EmailMfaConfiguration = p.messages(emailMfaConfiguration)
		}
	}
	return out
}

func (p *pool) messages(name string) json.RawMessage {
	if given := p.Settings[name]; given != nil {
		return given
	}
	return json.RawMessage("{}")
}
