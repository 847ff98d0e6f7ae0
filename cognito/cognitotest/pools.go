package cognitotest

import (
	"cmp"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// MFA says whether a pool asks for a second factor.
type MFA string

// The MFA settings of a user pool, with the names of Cognito's API.
const (
	MFAOff      MFA = "OFF"
	MFAOptional MFA = "OPTIONAL"
	MFARequired MFA = "ON"
)

// Factor is a second factor, with Cognito's name for it.
type Factor string

// The second factors of a user pool.
const (
	SoftwareToken Factor = "SOFTWARE_TOKEN_MFA"
	SMS           Factor = "SMS_MFA"
	EmailOTP      Factor = "EMAIL_OTP"
)

// Pool describes a user pool.
type Pool struct {
	// ID is the pool's region, an underscore and letters or digits.
	ID string
	// Name is the pool's name for people, PoolName in Cognito's API.
	Name string
	// MFA is MFAOff when empty.
	MFA MFA
	// SoftwareTokenDisabled switches authenticator apps off in this pool: every
	// operation on them answers SoftwareTokenMFANotFoundException.
	SoftwareTokenDisabled bool
	// Factors are what the pool offers beside authenticator apps: SMS, EmailOTP.
	// A user's factors count where the pool offers them, and no others.
	// They are in MFAS_CAN_SETUP, and where the pool requires MFA Cognito turns
	// one on by itself for a user with a phone number or an e-mail address and
	// no other factor (seen in Amplify Flutter's mfa_sms_totp_required_test).
	Factors []Factor
	// SecondaryReplica makes the pool that of a secondary region, where
	// operations on authenticator apps answer OperationNotEnabledException.
	SecondaryReplica bool
	// IssuerType is IssuerOriginal when empty. See [Server.SetIssuerType].
	IssuerType IssuerType
	// AliasAttributes are attributes with which users sign in beside their
	// username, once they are verified: email, phone_number,
	// preferred_username.
	AliasAttributes []string
	// UsernameAttributes are attributes with which users sign in instead of a
	// username: email, phone_number. The username is then the user's subject.
	UsernameAttributes []string
	// CaseInsensitive takes usernames and aliases in any case.
	CaseInsensitive bool
	// AutoVerifiedAttributes are verified by the code of a sign-up: email,
	// phone_number. Without one no code is sent.
	AutoVerifiedAttributes []string
	// AdminCreateUserOnly refuses sign-ups.
	AdminCreateUserOnly bool
	// PasswordPolicy is [DefaultPasswordPolicy] when nil.
	PasswordPolicy *PasswordPolicy
	// Tier is LITE, ESSENTIALS or PLUS; ESSENTIALS when empty. LITE has neither
	// e-mail codes nor the flow USER_AUTH.
	Tier string
	// FirstFactors are what the flow USER_AUTH offers to begin with: PASSWORD,
	// EMAIL_OTP, SMS_OTP; PASSWORD when empty.
	FirstFactors []string
	// Devices makes the pool remember devices; it remembers none when nil.
	Devices *DeviceConfiguration
	// Created and Modified are CreationDate and LastModifiedDate in Cognito's API;
	// now when zero.
	Created, Modified time.Time `json:",omitzero"`
	Clients           []Client
	Users             []User
	// Settings are further members of CreateUserPool's request, which
	// DescribeUserPool gives back and the stand-in does not look at.
	Settings map[string]json.RawMessage `json:",omitempty"`
	// Key signs the pool's tokens; generated when nil. Tests that need many
	// servers can share one.
	Key *rsa.PrivateKey `json:"-"`
}

// Client describes an app client. Its ID is unique across all pools of a server,
// as it is in a region.
type Client struct {
	ID   string
	Name string
	// Secret makes SECRET_HASH mandatory when it is not empty.
	Secret string
	// AuthSessionValidity is how long a session of a challenge lives; 3 minutes
	// when zero. Cognito allows 3 to 15 minutes, the stand-in any duration.
	AuthSessionValidity time.Duration
	// AccessTokenValidity and IDTokenValidity are how long these tokens live;
	// 1 hour when zero.
	AccessTokenValidity, IDTokenValidity time.Duration
	// RefreshTokenValidity is how long refresh tokens live; 30 days when zero.
	RefreshTokenValidity time.Duration
	// RevealUnknownUsers answers UserNotFoundException for an unknown user, as a
	// client with PreventUserExistenceErrors set to LEGACY does.
	RevealUnknownUsers bool
	// RevocationDisabled leaves origin_jti out of the client's tokens, as in
	// clients that were made before Cognito could revoke tokens.
	RevocationDisabled bool
	// AuthFlows are the flows that the client allows, with the names of
	// ExplicitAuthFlows in Cognito's API; all of them when empty.
	AuthFlows []string
	// Created is CreationDate in Cognito's API; now when zero.
	Created time.Time `json:",omitzero"`
	// Settings are further members of CreateUserPoolClient's request, which
	// DescribeUserPoolClient gives back and the stand-in does not look at.
	Settings map[string]json.RawMessage `json:",omitempty"`
}

// DemoPools returns the pools of the demonstration: us-east-1_Optional (client
// demo-optional) and us-east-1_Required (client demo-required with the secret
// demo-secret, client demo-required-web without one), each with the users ada,
// grace and linus and the password Correct-Horse-1.
func DemoPools() []Pool {
	users := func() []User {
		var us []User
		for _, name := range []string{"ada", "grace", "linus"} {
			us = append(us, User{
				Username: name,
				Password: "Correct-Horse-1",
				Attributes: map[string]string{
					"email":          name + "@example.com",
					"email_verified": "true",
				},
			})
		}
		return us
	}
	return []Pool{
		{ID: "us-east-1_Optional", MFA: MFAOptional, Clients: []Client{{ID: "demo-optional"}}, Users: users()},
		{ID: "us-east-1_Required", MFA: MFARequired, Clients: []Client{
			{ID: "demo-required", Secret: "demo-secret"}, {ID: "demo-required-web"},
		}, Users: users()},
	}
}

// pool is a user pool in service.
type pool struct {
	Pool
	issuers  map[IssuerType]string
	keys     []*signingKey // the last one signs; the others still verify
	accounts map[string]*account
	// named are the accounts by what they may be called, see byName.
	named map[string][]*account
	// created and modified are when CreateUserPool and the latest change were.
	created, modified time.Time
}

// client is an app client in service, with its defaults filled in.
type client struct {
	Client
	pool    *pool
	created time.Time
}

// addPool puts p into service, all but its key. New calls it, before the server
// is shared.
func (s *Server) addPool(p Pool) error {
	if !regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`).MatchString(p.ID) {
		return fmt.Errorf("pool ID %q: want a region, _ and letters or digits", p.ID)
	}
	if s.pools[p.ID] != nil {
		return fmt.Errorf("pool %s: %w", p.ID, errDuplicate)
	}
	if err := p.check().in("pool %s", p.ID); err != nil {
		return err
	}
	p.MFA = cmp.Or(p.MFA, MFAOff)
	served := &pool{
		Pool:     p,
		accounts: map[string]*account{},
		named:    map[string][]*account{},
		created:  cmp.Or(p.Created, s.now()),
		modified: cmp.Or(p.Modified, p.Created, s.now()),
	}
	served.setIssuers()
	s.pools[p.ID] = served
	for _, c := range p.Clients {
		if err := s.addClient(served, c); err != nil {
			return err
		}
	}
	for _, u := range p.Users {
		if u.Username == "" || served.taken(u.Username) {
			return fmt.Errorf("user %q of pool %s: empty or %w", u.Username, p.ID, errDuplicate)
		}
		if err := u.check().in("user %q of pool %s", u.Username, p.ID); err != nil {
			return err
		}
		if err := served.add(s.newAccount(u), false); err != nil {
			return fmt.Errorf("user %q of pool %s: %w", u.Username, p.ID, err)
		}
	}
	return nil
}

func (s *Server) addClient(p *pool, c Client) error {
	if c.ID == "" || s.clients[c.ID] != nil {
		return fmt.Errorf("client %q of pool %s: empty or %w", c.ID, p.ID, errDuplicate)
	}
	if err := c.check().in("client %s of pool %s", c.ID, p.ID); err != nil {
		return err
	}
	c.AuthSessionValidity = cmp.Or(c.AuthSessionValidity, 3*time.Minute)
	c.AccessTokenValidity = cmp.Or(c.AccessTokenValidity, time.Hour)
	c.IDTokenValidity = cmp.Or(c.IDTokenValidity, time.Hour)
	c.RefreshTokenValidity = cmp.Or(c.RefreshTokenValidity, 30*24*time.Hour)
	s.clients[c.ID] = &client{Client: c, pool: p, created: cmp.Or(c.Created, s.now())}
	return nil
}
