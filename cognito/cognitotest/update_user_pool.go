package cognitotest

import "encoding/json"

type updateUserPoolInput struct {
	poolRequest
	UserPoolID string `json:"UserPoolId" shape:"UserPoolIdType,required"`
	PoolName   string `shape:"UserPoolNameType"`
}

// updateUserPool sets everything of a pool that is not fixed when it is made, to
// its default where the request does not name it. MFA and Policies stay as they are
// where they are not named (go-to-k/cdkd#1982 measured Policies), and MFA is never
// made mandatory here (aws-cloudformation/cloudformation-coverage-roadmap#1176):
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html
func (s *Server) updateUserPool(r request) (any, error) {
	var in updateUserPoolInput
	settings, err := readPoolRequest(r.body, &in)
	if err != nil {
		return nil, err
	}
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return nil, err
	}
	next := p.Pool
	if in.MfaConfiguration != "" && in.MfaConfiguration != p.MFA {
		if in.MfaConfiguration == MFARequired {
			return nil, invalidParameter("Cannot turn MFA functionality ON, once the user pool has been created.")
		}
		if next, err = p.withFactors(in.mfa()); err != nil {
			return nil, err
		}
	}
	if in.PoolName != "" {
		next.Name = in.PoolName
	}
	// What is fixed, and what SetUserPoolMfaConfig set.
	for _, name := range []string{"AliasAttributes", "UsernameAttributes", "UsernameConfiguration", "Schema", smsMfaConfiguration, emailMfaConfiguration} {
		if value, ok := p.Settings[name]; ok {
			settings[name] = value
		}
	}
	in.update(&next, settings)
	p.Pool, p.modified = next, s.now()
	return struct{}{}, nil
}

// mfa is what the request says of MFA, in the form of SetUserPoolMfaConfig: a pool
// with a configuration of SMS offers SMS codes.
func (in poolRequest) mfa() mfaConfig {
	config := mfaConfig{MfaConfiguration: in.MfaConfiguration}
	if len(in.SmsConfiguration) > 0 && in.MfaConfiguration != MFAOff {
		config.SmsMfaConfiguration = json.RawMessage("{}")
	}
	return config
}
