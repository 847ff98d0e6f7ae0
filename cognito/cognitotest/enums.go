package cognitotest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// enums are the words of the API's model of 2016-04-18, by the member that takes
// them as Cognito's messages call it. Requests and files of pools are held to the
// same ones; factors and preferred are members of files alone.
var enums = map[string][]string{
	"aliasAttributes": {"phone_number", "email", "preferred_username"},
	"authFlow": {
		"USER_SRP_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", "CUSTOM_AUTH",
		"ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "USER_AUTH",
	},
	"autoVerifiedAttributes": {"phone_number", "email"},
	"challengeName": {
		"SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE", "MFA_SETUP", "PASSWORD_VERIFIER",
		"CUSTOM_CHALLENGE", "SELECT_CHALLENGE", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER",
		"ADMIN_NO_SRP_AUTH", "NEW_PASSWORD_REQUIRED", "SMS_OTP", "PASSWORD", "WEB_AUTHN", "PASSWORD_SRP",
	},
	"desiredDeliveryMediums": {"SMS", "EMAIL"},
	"explicitAuthFlows": {
		"ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH",
		"ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH",
	},
	"factors":                  {"SMS_MFA", "EMAIL_OTP"},
	"issuerConfiguration.type": {"UPDATED", "ORIGINAL"},
	"messageAction":            {"RESEND", "SUPPRESS"},
	"mfaConfiguration":         {"OPTIONAL", "OFF", "ON"},
	"policies.signInPolicy.allowedFirstAuthFactors": {"PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"},
	"preferred":                       {"SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA"},
	"preventUserExistenceErrors":      {"LEGACY", "ENABLED"},
	"tokenValidityUnits.accessToken":  {"seconds", "minutes", "hours", "days"},
	"tokenValidityUnits.idToken":      {"seconds", "minutes", "hours", "days"},
	"tokenValidityUnits.refreshToken": {"seconds", "minutes", "hours", "days"},
	"userPoolTier":                    {"LITE", "ESSENTIALS", "PLUS"},
	"usernameAttributes":              {"phone_number", "email"},
}

// word checks a member that is one of a few words. They are not sensitive: Cognito
// shows them (rosberglinhares/CloudFormationCognitoCustomResources#1 has the message).
func (c *constraints) word(name, value string) {
	if !slices.Contains(enums[name], value) {
		*c = append(*c, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
			value, name, strings.Join(enums[name], ", ")))
	}
}

// wordIfAny checks a word of a file of pools, where "" is none.
func (c *constraints) wordIfAny(name, value string) {
	if value != "" {
		c.word(name, value)
	}
}

// list checks a list of words (aws-solutions/media-insights-on-aws#199 has the
// message).
func list[T ~string](c *constraints, name string, values []T) {
	var given []string
	for _, value := range values {
		given = append(given, string(value))
	}
	if slices.ContainsFunc(given, func(value string) bool { return !slices.Contains(enums[name], value) }) {
		*c = append(*c, fmt.Sprintf("Value '[%s]' at '%s' failed to satisfy constraint: "+
			"Member must satisfy constraint: [Member must satisfy enum value set: [%s]]",
			strings.Join(given, ", "), name, strings.Join(enums[name], ", ")))
	}
}

// in is the error of a file of pools for what was collected, nil when nothing was.
func (c *constraints) in(format string, args ...any) error {
	if len(*c) == 0 {
		return nil
	}
	return fmt.Errorf(format+": %s", append(args, strings.Join(*c, "; "))...)
}

// check collects what is wrong with a pool of a file.
func (p Pool) check() *constraints {
	c := &constraints{}
	c.wordIfAny("mfaConfiguration", string(p.MFA))
	c.wordIfAny("issuerConfiguration.type", string(p.IssuerType))
	c.wordIfAny("userPoolTier", p.Tier)
	list(c, "factors", p.Factors)
	list(c, "aliasAttributes", p.AliasAttributes)
	list(c, "usernameAttributes", p.UsernameAttributes)
	list(c, "autoVerifiedAttributes", p.AutoVerifiedAttributes)
	list(c, "policies.signInPolicy.allowedFirstAuthFactors", p.FirstFactors)
	if len(p.AliasAttributes) > 0 && len(p.UsernameAttributes) > 0 {
		*c = append(*c, aliasesAndUsernames)
	}
	return c
}

// check collects what is wrong with a client of a file.
func (c Client) check() *constraints {
	wrong := &constraints{}
	list(wrong, "explicitAuthFlows", c.AuthFlows)
	if mixesFlows(c.AuthFlows) {
		*wrong = append(*wrong, mixedFlows)
	}
	for name, d := range map[string]time.Duration{
		"AuthSessionValidity": c.AuthSessionValidity, "AccessTokenValidity": c.AccessTokenValidity,
		"IDTokenValidity": c.IDTokenValidity, "RefreshTokenValidity": c.RefreshTokenValidity,
	} {
		if d < 0 {
			*wrong = append(*wrong, fmt.Sprintf("%s %s: want none or more", name, d))
		}
	}
	return wrong
}

// aliasesAndUsernames is what CreateUserPool says of a pool with both.
const aliasesAndUsernames = "Only one of the aliasAttributes or usernameAttributes can be set in a user pool."

// mixedFlows is what CreateUserPoolClient's page says; the words are ours.
const mixedFlows = "ExplicitAuthFlows cannot hold both names that begin with ALLOW_ and names that do not."

// mixesFlows says whether flows have names of before 2019 and later ones.
func mixesFlows(flows []string) bool {
	later := func(flow string) bool { return strings.HasPrefix(flow, "ALLOW_") }
	return slices.ContainsFunc(flows, later) && slices.ContainsFunc(flows, func(flow string) bool { return !later(flow) })
}

// check collects what is wrong with a user of a file.
func (u User) check() *constraints {
	c := &constraints{}
	c.wordIfAny("preferred", string(u.Preferred))
	list(c, "factors", u.Factors)
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		if fault := (attribute{Name: name, Value: u.Attributes[name]}).fault(creating); fault != "" {
			*c = append(*c, strings.TrimSpace(fault))
		}
	}
	for _, secret := range []string{u.TOTPSecret, u.PendingSecret} {
		if _, err := decodeSecret(secret); err != nil {
			*c = append(*c, "the TOTP secret is not base32")
		}
	}
	return c
}
