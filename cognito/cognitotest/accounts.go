package cognitotest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// User describes a user and the state to start in.
type User struct {
	Username   string
	Password   string
	Attributes map[string]string
	// Federated users sign in with another identity provider: they have no
	// password here and Cognito never challenges them. They are in a group that is
	// named after the pool and the provider.
	Federated bool
	// Groups are the groups that the user is in.
	Groups []string
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
	// Factors are further second factors that are on: SMS, EmailOTP. They count
	// while the pool offers them (Pool.Factors).
	Factors []Factor
	// AppOff keeps the authenticator app of TOTPSecret set up and off.
	AppOff bool
	// PendingSecret is the secret of an AssociateSoftwareToken whose code was
	// not sent yet.
	PendingSecret string
	// AppName is the FriendlyDeviceName of the app.
	AppName string
	// Subject is the user's sub; random when empty.
	Subject string
	// Preferred is the factor to ask for first, where there are several.
	Preferred Factor
	// UsedSteps are the steps of 30 seconds since 1970 whose code of TOTPSecret was
	// taken already.
	UsedSteps []int64 `json:",omitempty"`
	// SignIns are the event_id of sign-ins that were not signed out of: signing out
	// revokes their access tokens.
	SignIns []string `json:",omitempty"`
	// PasswordSet is when the password was set, from when a temporary one lives; now
	// when zero.
	PasswordSet time.Time `json:",omitzero"`
	// Created and Modified are UserCreateDate and UserLastModifiedDate in Cognito's
	// API; now when zero.
	Created, Modified time.Time `json:",omitzero"`
}

// account is a user in service.
type account struct {
	User
	sub       string
	factors   map[Factor]bool
	preferred Factor
	totp      softwareToken
	// sent are the codes that were sent by SMS or e-mail and were not used, the last
	// one for each purpose, the latest at the end.
	sent    []sentCode
	lockout lockout
	devices map[string]*device // by key
	// attempts are the latest calls of operations that Cognito limits for each user.
	attempts map[string]attempts
	// created and modified are when the user was made and changed last.
	created, modified time.Time
}

func (s *Server) newAccount(u User) *account {
	u.Attributes, u.SignIns = maps.Clone(u.Attributes), slices.Clone(u.SignIns)
	u.PasswordSet = cmp.Or(u.PasswordSet, s.now())
	a := &account{
		User: u, sub: u.Subject, preferred: u.Preferred,
		factors: map[Factor]bool{}, devices: map[string]*device{}, attempts: map[string]attempts{},
		created: cmp.Or(u.Created, s.now()), modified: cmp.Or(u.Modified, u.Created, s.now()),
	}
	if a.sub == "" {
		a.sub = s.uuid()
	}
	for _, at := range u.UsedSteps {
		a.totp.use(at)
	}
	a.totp.pending, a.totp.device = u.PendingSecret, u.AppName
	for _, f := range u.Factors {
		a.factors[f] = true
	}
	if u.TOTPSecret != "" {
		a.totp.verified = u.TOTPSecret
		if !u.AppOff {
			a.factors[SoftwareToken] = true
		}
	}
	return a
}

// add puts an account into the pool; with force it takes an alias from whoever has
// it. Where users sign in with an attribute, what was given as the username is that
// attribute, and the subject is the username.
func (p *pool) add(a *account, force bool) error {
	if p.taken(a.Username) {
		return errDuplicate
	}
	if len(p.UsernameAttributes) > 0 && a.Username != a.sub {
		attribute := attributeOf(a.Username)
		if slices.Contains(p.UsernameAttributes, attribute) {
			a.set(attribute, a.Username)
		}
		a.Username = a.sub
	}
	if err := p.claim(a, force); err != nil {
		return err
	}
	p.accounts[a.Username] = a
	p.know(a)
	return nil
}

// taken says whether somebody has that name.
func (p *pool) taken(name string) bool {
	if p.CaseInsensitive || len(p.UsernameAttributes) > 0 {
		return p.byName(name) != nil
	}
	return p.accounts[name] != nil
}

// attributeOf is the attribute that an address is of.
func attributeOf(address string) string {
	if strings.Contains(address, "@") {
		return "email"
	}
	return "phone_number"
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
	for _, a := range p.named[folded(name)] {
		if a.sub == name || p.same(a.Username, name) || p.hasAlias(a, name) {
			return a
		}
	}
	return nil
}

// names are all that byName may find an account by, whether or not it counts now.
func (a *account) names() []string {
	return []string{a.Username, a.sub, a.Attributes["email"], a.Attributes["phone_number"], a.Attributes["preferred_username"]}
}

// know lets byName find an account by the names that it has now.
func (p *pool) know(a *account) {
	for _, name := range a.names() {
		if key := folded(name); name != "" && !slices.Contains(p.named[key], a) {
			p.named[key] = append(p.named[key], a)
		}
	}
}

// forget is the opposite of know.
func (p *pool) forget(a *account) {
	for _, name := range a.names() {
		key := folded(name)
		p.named[key] = slices.DeleteFunc(p.named[key], func(known *account) bool { return known == a })
		if len(p.named[key]) == 0 {
			delete(p.named, key)
		}
	}
}

// folded is the same for names that differ in case alone.
func folded(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// same compares names as the pool does.
func (p *pool) same(a, b string) bool {
	return a == b || p.CaseInsensitive && strings.EqualFold(a, b)
}

// hasAlias says whether the user signs in with that attribute.
func (p *pool) hasAlias(a *account, value string) bool {
	signsIn := func(name string) bool { return p.signsInWith(a, name) && p.same(a.Attributes[name], value) }
	return slices.ContainsFunc(p.UsernameAttributes, signsIn) || slices.ContainsFunc(p.AliasAttributes, signsIn)
}

// signsInWith says whether the user signs in with the attribute of that name, one
// of the pool's: an alias counts once it is verified.
func (p *pool) signsInWith(a *account, name string) bool {
	return a.Attributes[name] != "" &&
		(name == "preferred_username" || a.Attributes[name+"_verified"] == "true" || slices.Contains(p.UsernameAttributes, name))
}

// claim says that somebody else signs in with one of the user's aliases already.
// With force it takes a verified address from whoever that is, which is then
// unverified there.
func (p *pool) claim(a *account, force bool) error {
	var take []func()
	for _, name := range slices.Concat(p.UsernameAttributes, p.AliasAttributes) {
		if !p.signsInWith(a, name) {
			continue
		}
		for _, other := range p.named[folded(a.Attributes[name])] {
			switch {
			case other.sub == a.sub || !p.same(other.Attributes[name], a.Attributes[name]) || !p.signsInWith(other, name):
			case force && slices.Contains(p.AliasAttributes, name) && isAddress(name):
				take = append(take, func() { other.set(name+"_verified", "false") })
			default:
				return aliasExists(name)
			}
		}
	}
	for _, f := range take {
		f()
	}
	return nil
}

// factors are what GetUser calls UserMFASettingList: the user's factors that are
// on and that the pool offers, in a stable order.
func (p *pool) factors(a *account) []Factor {
	return slices.DeleteFunc(p.offered(), func(f Factor) bool { return !a.factors[f] })
}

// preference is what GetUser calls PreferredMfaSetting. Where the pool requires
// MFA the only factor of a user counts as preferred (seen in Amplify Flutter's
// mfa_sms_totp_required_test).
func (p *pool) preference(a *account) Factor {
	on := p.factors(a)
	switch {
	case slices.Contains(on, a.preferred):
		return a.preferred
	case len(on) == 1 && p.MFA == MFARequired:
		return on[0]
	}
	return ""
}

// groups are the groups of a token.
func (a *account) groups(poolID string) []string {
	if !a.Federated {
		return a.Groups
	}
	return append(slices.Clone(a.Groups), poolID+"_IdP")
}

// status is what Cognito calls UserStatus.
func (a *account) status() string {
	switch {
	case a.Federated:
		return "EXTERNAL_PROVIDER"
	case a.Unconfirmed:
		return "UNCONFIRMED"
	case a.ForceNewPassword:
		return "FORCE_CHANGE_PASSWORD"
	case a.ResetRequired:
		return "RESET_REQUIRED"
	default:
		return "CONFIRMED"
	}
}

// attributes are the user's attributes as the API gives them, sub first.
func (a *account) attributes() []attribute {
	list := []attribute{{Name: "sub", Value: a.sub}}
	for _, name := range slices.Sorted(maps.Keys(a.Attributes)) {
		list = append(list, attribute{Name: name, Value: a.Attributes[name]})
	}
	return list
}
