package cognitotest

import (
	"crypto/rsa"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
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
	// ID is the region, an underscore and letters or digits.
	ID string
	// MFA is MFAOff when empty.
	MFA MFA
	// SoftwareTokenDisabled switches authenticator apps off in this pool: every
	// operation on them answers SoftwareTokenMFANotFoundException.
	SoftwareTokenDisabled bool
	// Factors are what the pool offers beside authenticator apps: SMS, EmailOTP.
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
	// Devices makes the pool remember devices; it remembers none when nil.
	Devices *DeviceConfiguration
	Clients []Client
	Users   []User
	// Key signs the pool's tokens; generated when nil. Tests that need many
	// servers can share one.
	Key *rsa.PrivateKey
}

// Client describes an app client. Its ID is unique across all pools of a server,
// as it is in a region.
type Client struct {
	ID string
	// Secret makes SECRET_HASH mandatory when it is not empty.
	Secret string
	// AuthSessionValidity is how long a session of a challenge lives; 3 minutes
	// when zero. Cognito allows 3 to 15 minutes, the stand-in any duration.
	AuthSessionValidity time.Duration
	// AccessTokenValidity is how long access and ID tokens live; 1 hour when
	// zero.
	AccessTokenValidity time.Duration
	// RefreshTokenValidity is how long refresh tokens live; 30 days when zero.
	RefreshTokenValidity time.Duration
	// RevealUnknownUsers answers UserNotFoundException for an unknown user, as a
	// client with PreventUserExistenceErrors set to LEGACY does.
	RevealUnknownUsers bool
	// RevocationDisabled leaves origin_jti out of the client's tokens, as in
	// clients that were made before Cognito could revoke tokens.
	RevocationDisabled bool
}

// User describes a user and the state to start in.
type User struct {
	Username   string
	Password   string
	Attributes map[string]string
	// Federated users sign in with another identity provider: they have no
	// password here and Cognito never challenges them.
	Federated bool
	// Unconfirmed users have not confirmed their sign-up.
	Unconfirmed bool
	// ResetRequired users were told by an administrator to reset their password.
	ResetRequired bool
	// ForceNewPassword users were made by an administrator and must choose a
	// password at their first sign-in.
	ForceNewPassword bool
	// Disabled users can do nothing.
	Disabled bool
	// TOTPSecret, in base32, is an authenticator app that is set up and on.
	TOTPSecret string
	// Factors are further second factors that are on: SMS, EmailOTP.
	Factors []Factor
	// Preferred is the factor to ask for first, where there are several.
	Preferred Factor
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
}

// client is an app client in service, with its defaults filled in.
type client struct {
	Client
	pool *pool
}

// account is a user in service.
type account struct {
	User
	sub       string
	factors   map[Factor]bool
	preferred Factor
	totp      softwareToken
	// sent is the code that was sent by SMS or e-mail last, until it is used.
	sent    string
	lockout lockout
	devices map[string]*device // by key
}

// addPool puts p into service, all but its key. New calls it, before the server
// is shared.
func (s *Server) addPool(p Pool) error {
	if !regexp.MustCompile(`^[\w-]+_[0-9a-zA-Z]+$`).MatchString(p.ID) || !strings.HasPrefix(p.ID, s.region+"_") {
		return fmt.Errorf("pool ID %q: want %s_ and letters or digits", p.ID, s.region)
	}
	if s.pools[p.ID] != nil {
		return fmt.Errorf("pool %s: %w", p.ID, errDuplicate)
	}
	switch p.MFA {
	case "":
		p.MFA = MFAOff
	case MFAOff, MFAOptional, MFARequired:
	default:
		return fmt.Errorf("pool %s: MFA %q: want OFF, OPTIONAL or ON", p.ID, p.MFA)
	}
	served := &pool{
		Pool:     p,
		accounts: map[string]*account{},
	}
	if err := served.setIssuers(s.region); err != nil {
		return err
	}
	s.pools[p.ID] = served
	for _, c := range p.Clients {
		if err := s.addClient(served, c); err != nil {
			return err
		}
	}
	for _, u := range p.Users {
		if u.Username == "" || served.accounts[u.Username] != nil {
			return fmt.Errorf("user %q of pool %s: empty or %w", u.Username, p.ID, errDuplicate)
		}
		if _, err := decodeSecret(u.TOTPSecret); err != nil {
			return fmt.Errorf("user %q of pool %s: the TOTP secret is not base32", u.Username, p.ID)
		}
		served.add(s.newAccount(u))
	}
	return nil
}

func (s *Server) addClient(p *pool, c Client) error {
	if c.ID == "" || s.clients[c.ID] != nil {
		return fmt.Errorf("client %q of pool %s: empty or %w", c.ID, p.ID, errDuplicate)
	}
	if c.AuthSessionValidity == 0 {
		c.AuthSessionValidity = 3 * time.Minute
	}
	if c.AccessTokenValidity == 0 {
		c.AccessTokenValidity = time.Hour
	}
	if c.RefreshTokenValidity == 0 {
		c.RefreshTokenValidity = 30 * 24 * time.Hour
	}
	s.clients[c.ID] = &client{Client: c, pool: p}
	return nil
}

func (s *Server) newAccount(u User) *account {
	u.Attributes = maps.Clone(u.Attributes)
	a := &account{
		User: u, sub: s.uuid(), preferred: u.Preferred,
		factors: map[Factor]bool{}, devices: map[string]*device{},
	}
	for _, f := range u.Factors {
		a.factors[f] = true
	}
	if u.TOTPSecret != "" {
		a.totp.verified = u.TOTPSecret
		a.factors[SoftwareToken] = true
	}
	return a
}

// add puts an account into the pool. Where users sign in with an attribute, what
// was given as the username is that attribute, and the subject is the username.
func (p *pool) add(a *account) {
	if len(p.UsernameAttributes) > 0 {
		attribute := "phone_number"
		if strings.Contains(a.Username, "@") {
			attribute = "email"
		}
		if slices.Contains(p.UsernameAttributes, attribute) {
			a.set(attribute, a.Username)
		}
		a.Username = a.sub
	}
	p.accounts[a.Username] = a
}

// set sets an attribute.
func (a *account) set(name, value string) {
	if a.Attributes == nil {
		a.Attributes = map[string]string{}
	}
	a.Attributes[name] = value
}

// byName finds an account by what Cognito takes as USERNAME: its username, its
// subject, or an attribute that the pool takes instead.
func (p *pool) byName(name string) *account {
	if a := p.accounts[name]; a != nil {
		return a
	}
	for _, a := range p.accounts {
		if a.sub == name || p.hasAlias(a, name) {
			return a
		}
	}
	return nil
}

// hasAlias says whether the user signs in with that attribute.
func (p *pool) hasAlias(a *account, value string) bool {
	if value == "" {
		return false
	}
	for _, name := range p.UsernameAttributes {
		if a.Attributes[name] == value {
			return true
		}
	}
	for _, name := range p.AliasAttributes {
		verified := name == "preferred_username" || a.Attributes[name+"_verified"] == "true"
		if verified && a.Attributes[name] == value {
			return true
		}
	}
	return false
}

// mfaList is what GetUser calls UserMFASettingList: the factors that are on, in
// a stable order.
func (a *account) mfaList() []Factor {
	return slices.Sorted(maps.Keys(a.factors))
}

// preference is what GetUser calls PreferredMfaSetting. Where the pool requires
// MFA the only factor of a user counts as preferred (seen in Amplify Flutter's
// mfa_sms_totp_required_test).
func (p *pool) preference(a *account) Factor {
	if a.factors[a.preferred] {
		return a.preferred
	}
	if on := a.mfaList(); len(on) == 1 && p.MFA == MFARequired {
		return on[0]
	}
	return ""
}
