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
	policies := map[string]any{}
	if given, ok := p.Settings["Policies"]; ok {
		_ = json.Unmarshal(given, &policies) // it was read before
	}
	policies["PasswordPolicy"] = p.policy()
	first := p.FirstFactors
	if len(first) == 0 {
		first = []string{"PASSWORD"}
	}
	policies["SignInPolicy"] = map[string]any{"AllowedFirstAuthFactors": first}
	maps.Copy(d, map[string]any{
		"Arn":                    "arn:" + partitionOf(p.region()).name + ":cognito-idp:" + p.region() + ":000000000000:userpool/" + p.ID,
		"AdminCreateUserConfig":  map[string]any{"AllowAdminCreateUserOnly": p.AdminCreateUserOnly},
		"CreationDate":           epoch(p.created),
		"EstimatedNumberOfUsers": len(p.accounts),
		"Id":                     p.ID,
		"IssuerConfiguration":    map[string]any{"Type": p.IssuerType},
		"LastModifiedDate":       epoch(p.modified),
		"MfaConfiguration":       p.MFA,
		"Name":                   p.Name,
		"Policies":               policies,
		"UserPoolTier":           p.tier(),
	})
	return d
}

// tier is the pool's feature plan.
func (p *pool) tier() string {
	if p.Tier == "" {
		return "ESSENTIALS"
	}
	return p.Tier
}
