package cognitotest

import (
	"encoding/json"
	"maps"
)

type poolInput struct {
	UserPoolID string `json:"UserPoolId" shape:"UserPoolIdType,required"`
}

// onPool makes an operation's work of a function on the pool it names.
func (s *Server) onPool(do func(*pool) (any, error)) func(request) (any, error) {
	return decode(func(in *poolInput) (any, error) {
		p, err := s.pool(in.UserPoolID)
		if err != nil {
			return nil, err
		}
		return do(p)
	})
}

// describeUserPool gives a pool's settings:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_DescribeUserPool.html
func (s *Server) describeUserPool(p *pool) (any, error) {
	return map[string]any{"UserPool": p.describe()}, nil
}

// describe is the pool as the API gives it: what the request that made it said,
// and over that what the stand-in knows.
func (p *pool) describe() map[string]any {
	d := map[string]any{}
	for name, value := range p.Settings {
		d[name] = value
	}
	if schema, ok := d["Schema"]; ok {
		d["SchemaAttributes"] = schema
		delete(d, "Schema")
	}
	// What SetUserPoolMfaConfig set is not described here.
	delete(d, smsMfaConfiguration)
	delete(d, emailMfaConfiguration)
	first := p.FirstFactors
	if len(first) == 0 {
		first = []string{"PASSWORD"}
	}
	maps.Copy(d, map[string]any{
		"Arn":                    "arn:" + partitionOf(p.region()).name + ":cognito-idp:" + p.region() + ":000000000000:userpool/" + p.ID,
		"AdminCreateUserConfig":  over(d["AdminCreateUserConfig"], map[string]any{"AllowAdminCreateUserOnly": p.AdminCreateUserOnly}),
		"CreationDate":           epoch(p.created),
		"EstimatedNumberOfUsers": len(p.accounts),
		"Id":                     p.ID,
		"IssuerConfiguration":    map[string]any{"Type": p.IssuerType},
		"LastModifiedDate":       epoch(p.modified),
		"MfaConfiguration":       p.MFA,
		"Policies": over(d["Policies"], map[string]any{
			"PasswordPolicy": p.policy(), "SignInPolicy": map[string]any{"AllowedFirstAuthFactors": first},
		}),
		"UserPoolTier": p.tier(),
	})
	p.describeChoices(d)
	return d
}

// describeChoices adds what a pool need not have. That of a file has no settings
// that say so.
func (p *pool) describeChoices(d map[string]any) {
	if p.Name != "" {
		d["Name"] = p.Name
	}
	for name, list := range map[string][]string{
		"AliasAttributes": p.AliasAttributes, "AutoVerifiedAttributes": p.AutoVerifiedAttributes, "UsernameAttributes": p.UsernameAttributes,
	} {
		if len(list) > 0 {
			d[name] = list
		}
	}
	if p.CaseInsensitive {
		d["UsernameConfiguration"] = map[string]bool{"CaseSensitive": false}
	}
	if p.Devices != nil {
		d["DeviceConfiguration"] = p.Devices
	}
}

// over is what a request said, nil for nothing, with what the stand-in knows laid
// over it.
func over(said, known any) any {
	object := map[string]any{}
	for _, part := range []any{said, known} {
		text, _ := json.Marshal(part)
		var members map[string]any
		_ = json.Unmarshal(text, &members) // both are objects, or nothing
		for name, value := range members {
			if _, structure := value.(map[string]any); structure {
				value = over(object[name], value)
			}
			object[name] = value
		}
	}
	return object
}

// tier is the pool's feature plan.
func (p *pool) tier() string {
	if p.Tier == "" {
		return "ESSENTIALS"
	}
	return p.Tier
}
