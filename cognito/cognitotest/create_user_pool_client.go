package cognitotest

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// clientRequest are the members of CreateUserPoolClient that change what the
// stand-in does.
type clientRequest struct {
	UserPoolID                 string `json:"UserPoolId" shape:"UserPoolIdType,required"`
	ClientName                 string `shape:"ClientNameType,required"`
	GenerateSecret             bool
	ClientSecret               string   `shape:"ClientSecretType"`
	ExplicitAuthFlows          []string `shape:"enum"`
	PreventUserExistenceErrors string   `shape:"enum"`
	EnableTokenRevocation      *bool
	AuthSessionValidity        int `shape:"AuthSessionValidityType"`
	AccessTokenValidity        int `shape:"AccessTokenValidityType"`
	IDTokenValidity            int `json:"IdTokenValidity" shape:"IdTokenValidityType"`
	RefreshTokenValidity       int `shape:"RefreshTokenValidityType"`
	TokenValidityUnits         struct {
		AccessToken  string `shape:"enum"`
		RefreshToken string `shape:"enum"`
		IDToken      string `json:"IdToken" shape:"enum"`
	}
}

// createUserPoolClient makes an app client:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
func (s *Server) createUserPoolClient(r request) (any, error) {
	var in clientRequest
	settings := map[string]json.RawMessage{}
	if err := errors.Join(unmarshal(r.body, &in), unmarshal(r.body, &settings)); err != nil {
		return nil, err
	}
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	delete(settings, "GenerateSecret")
	made := Client{
		ID: s.alphanumeric(26), Name: in.ClientName, Secret: in.ClientSecret,
		AuthSessionValidity:  time.Duration(in.AuthSessionValidity) * time.Minute,
		AccessTokenValidity:  validity(in.AccessTokenValidity, in.TokenValidityUnits.AccessToken, time.Hour),
		IDTokenValidity:      validity(in.IDTokenValidity, in.TokenValidityUnits.IDToken, time.Hour),
		RefreshTokenValidity: validity(in.RefreshTokenValidity, in.TokenValidityUnits.RefreshToken, 24*time.Hour),
		RevealUnknownUsers:   in.PreventUserExistenceErrors != "ENABLED",
		RevocationDisabled:   in.EnableTokenRevocation != nil && !*in.EnableTokenRevocation,
		AuthFlows:            in.ExplicitAuthFlows,
		Settings:             settings,
	}
	if len(made.AuthFlows) == 0 {
		made.AuthFlows = []string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"}
	}
	if in.GenerateSecret {
		made.Secret = s.alphanumeric(51)
	}
	if err := s.addClient(p, made); err != nil {
		return nil, err
	}
	return map[string]any{"UserPoolClient": s.clients[made.ID].describe()}, nil
}

// check says what cannot be asked of a client.
func (in clientRequest) check() error {
	flows, units := in.ExplicitAuthFlows, in.TokenValidityUnits
	allows := func(flow string) bool { return strings.HasPrefix(flow, "ALLOW_") }
	tooLong := func(n int, unit string, other, limit time.Duration) bool { return n > int(limit/unitOf(unit, other)) }
	const day = 24 * time.Hour
	switch {
	case mixesFlows(flows):
		return invalidParameter(mixedFlows)
	case slices.ContainsFunc(flows, allows) && !slices.Contains(flows, "ALLOW_REFRESH_TOKEN_AUTH"):
		// aws/aws-cdk#7625
		return invalidParameter("REFRESH_TOKEN_AUTH should always be allowed.")
	case tooLong(in.AccessTokenValidity, units.AccessToken, time.Hour, day),
		tooLong(in.IDTokenValidity, units.IDToken, time.Hour, day),
		tooLong(in.RefreshTokenValidity, units.RefreshToken, day, 3650*day):
		// awsdocs/aws-cloudformation-user-guide#828
		return invalidParameter("Invalid range for token validity.")
	}
	return nil
}

// validity is how long a token lives: n units, of this length where none is named.
func validity(n int, unit string, other time.Duration) time.Duration {
	return time.Duration(n) * unitOf(unit, other)
}

// unitOf is the length of a unit.
func unitOf(name string, other time.Duration) time.Duration {
	units := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}
	return cmp.Or(units[name], other)
}

// describe is the client as the API gives it.
func (c *client) describe() map[string]any {
	d := map[string]any{}
	for name, value := range c.Settings {
		d[name] = value
	}
	maps.Copy(d, map[string]any{
		"AuthSessionValidity":   int(c.AuthSessionValidity / time.Minute),
		"ClientId":              c.ID,
		"CreationDate":          epoch(c.created),
		"EnableTokenRevocation": !c.RevocationDisabled,
		"LastModifiedDate":      epoch(c.created),
		"UserPoolId":            c.pool.ID,
	})
	if _, given := d["RefreshTokenValidity"]; !given {
		d["RefreshTokenValidity"] = int(c.RefreshTokenValidity / (24 * time.Hour))
	}
	if c.Name != "" {
		d["ClientName"] = c.Name
	}
	if len(c.AuthFlows) > 0 {
		d["ExplicitAuthFlows"] = c.AuthFlows
	}
	if !c.RevealUnknownUsers {
		d["PreventUserExistenceErrors"] = "ENABLED"
	}
	if c.Secret != "" {
		d["ClientSecret"] = c.Secret
	}
	return d
}
