package cognitotest

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"strings"
)

type createUserPoolInput struct {
	poolRequest
	PoolName string `shape:"UserPoolNameType,required"`
}

// poolRequest are the members of CreateUserPool and UpdateUserPool that change
// what the stand-in does.
type poolRequest struct {
	MfaConfiguration       MFA      `shape:"enum"`
	AliasAttributes        []string `shape:"enum"`
	UsernameAttributes     []string `shape:"enum"`
	AutoVerifiedAttributes []string `shape:"enum"`
	DeviceConfiguration    *DeviceConfiguration
	UserPoolTier           string `shape:"enum"`
	AdminCreateUserConfig  struct{ AllowAdminCreateUserOnly bool }
	UsernameConfiguration  struct {
		CaseSensitive *bool `shape:",required"`
	}
	IssuerConfiguration struct {
		Type IssuerType `shape:"enum"`
	}
	SmsConfiguration json.RawMessage
	Policies         struct {
		PasswordPolicy *PasswordPolicy
		SignInPolicy   struct {
			AllowedFirstAuthFactors []string `shape:"AllowedFirstAuthFactorsListType"`
		}
	}
}

// createUserPool makes a pool:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html
func (s *Server) createUserPool(r request) (any, error) {
	var in createUserPoolInput
	settings, err := readPoolRequest(r.body, &in)
	if err != nil {
		return nil, err
	}
	sms := len(in.SmsConfiguration) > 0
	switch {
	case len(in.AliasAttributes) > 0 && len(in.UsernameAttributes) > 0:
		return nil, invalidParameter(aliasesAndUsernames)
	case in.MfaConfiguration != "" && in.MfaConfiguration != MFAOff && !sms:
		return nil, invalidParameter("SMS configuration and Auto verification for phone_number are required when MFA is required/optional")
	}
	p := Pool{
		ID: cmp.Or(r.region, s.region) + "_" + s.alphanumeric(9), Name: in.PoolName, MFA: in.MfaConfiguration,
		// Authenticator apps are switched on by SetUserPoolMfaConfig alone.
		SoftwareTokenDisabled: true,
		AliasAttributes:       in.AliasAttributes,
		UsernameAttributes:    in.UsernameAttributes,
		CaseInsensitive:       in.UsernameConfiguration.CaseSensitive != nil && !*in.UsernameConfiguration.CaseSensitive,
		Key:                   s.sharedKey(),
	}
	if sms && p.MFA != "" && p.MFA != MFAOff {
		p.Factors = []Factor{SMS}
	}
	in.update(&p, settings)
	if err := s.addPool(p); err != nil {
		return nil, invalidParameter("%s", err)
	}
	created := s.pools[p.ID]
	created.keys = []*signingKey{newSigningKey(p.Key)}
	return map[string]any{"UserPool": created.describe()}, nil
}

// readPoolRequest reads a request twice: what the stand-in looks at, and the rest.
func readPoolRequest(body []byte, in any) (map[string]json.RawMessage, error) {
	settings := map[string]json.RawMessage{}
	if err := errors.Join(unmarshal(body, in), unmarshal(body, &settings)); err != nil {
		return nil, err
	}
	maps.DeleteFunc(settings, func(name string, _ json.RawMessage) bool {
		return strings.HasPrefix(name, "UserPoolId") || name == "PoolName" || name == "MfaConfiguration"
	})
	return settings, nil
}

// update sets what both CreateUserPool and UpdateUserPool can set.
func (in poolRequest) update(p *Pool, settings map[string]json.RawMessage) {
	p.AutoVerifiedAttributes = in.AutoVerifiedAttributes
	p.AdminCreateUserOnly = in.AdminCreateUserConfig.AllowAdminCreateUserOnly
	if in.Policies.PasswordPolicy != nil {
		p.PasswordPolicy = in.Policies.PasswordPolicy
	}
	if in.Policies.SignInPolicy.AllowedFirstAuthFactors != nil {
		p.FirstFactors = in.Policies.SignInPolicy.AllowedFirstAuthFactors
	}
	p.Tier = in.UserPoolTier
	p.Devices = in.DeviceConfiguration
	if in.IssuerConfiguration.Type != "" {
		p.IssuerType = in.IssuerConfiguration.Type
	}
	p.Settings = settings
}

// alphanumeric makes the random part of an ID. The caller holds s.mu.
func (s *Server) alphanumeric(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := s.random(n)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}
