package cognitotest

import (
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
	UserPoolID                 string `json:"UserPoolId"`
	ClientName                 string
	GenerateSecret             bool
	ClientSecret               string
	ExplicitAuthFlows          []string
	PreventUserExistenceErrors string
	EnableTokenRevocation      *bool
	AuthSessionValidity        int
	AccessTokenValidity        int
	IDTokenValidity            int `json:"IdTokenValidity"`
	RefreshTokenValidity       int
	TokenValidityUnits         struct {
		AccessToken, RefreshToken string
		IDToken                   string `json:"IdToken"`
	}
}

// createUserPoolClient makes an app client:
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
func (s *Server) createUserPoolClient(body []byte) (any, error) {
	var in clientRequest
	settings := map[string]json.RawMessage{}
	if err := errors.Join(unmarshal(body, &in), unmarshal(body, &settings)); err != nil {
		return nil, err
	}
	var c constraints
	c.required("userPoolId", in.UserPoolID, userPoolIDShape)
	c.required("clientName", in.ClientName, poolNameShape)
	if err := c.err(); err != nil {
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
	flows := in.ExplicitAuthFlows
	allows := func(flow string) bool { return strings.HasPrefix(flow, "ALLOW_") }
	switch {
	case in.AuthSessionValidity != 0 && in.AuthSessionValidity < 3:
		return invalidParameter("1 validation error detected: Value '%d' at 'authSessionValidity' failed to satisfy constraint: "+
			"Member must have value greater than or equal to 3", in.AuthSessionValidity)
	case in.AuthSessionValidity > 15:
		return invalidParameter("1 validation error detected: Value '%d' at 'authSessionValidity' failed to satisfy constraint: "+
			"Member must have value less than or equal to 15", in.AuthSessionValidity)
	case slices.ContainsFunc(flows, allows) && !slices.Contains(flows, "ALLOW_REFRESH_TOKEN_AUTH"):
		// aws/aws-cdk#7625
		return invalidParameter("REFRESH_TOKEN_AUTH should always be allowed.")
	}
	return nil
}

// validity is how long a token lives: n units, of this length where none is named.
func validity(n int, unit string, other time.Duration) time.Duration {
	units := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}
	if d, ok := units[unit]; ok {
		other = d
	}
	return time.Duration(n) * other
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
		"ClientName":            c.Name,
		"CreationDate":          epoch(c.created),
		"EnableTokenRevocation": !c.RevocationDisabled,
		"ExplicitAuthFlows":     c.AuthFlows,
		"LastModifiedDate":      epoch(c.created),
		"UserPoolId":            c.pool.ID,
	})
	if _, given := d["RefreshTokenValidity"]; !given {
		d["RefreshTokenValidity"] = int(c.RefreshTokenValidity / (24 * time.Hour))
	}
	if c.Secret != "" {
		d["ClientSecret"] = c.Secret
	}
	return d
}
