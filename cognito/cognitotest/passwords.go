package cognitotest

import (
	"cmp"
	"strings"
	"time"
	"unicode"
)

// PasswordPolicy is what a pool wants of its users' passwords, with the names of
// Cognito's API.
type PasswordPolicy struct {
	MinimumLength                 int `shape:"PasswordPolicyMinLengthType"`
	RequireUppercase              bool
	RequireLowercase              bool
	RequireNumbers                bool
	RequireSymbols                bool
	TemporaryPasswordValidityDays int `json:",omitempty" shape:"TemporaryPasswordValidityDaysType"` // 7 when zero
}

// DefaultPasswordPolicy is that of a pool that was made without one.
func DefaultPasswordPolicy() PasswordPolicy {
	return PasswordPolicy{MinimumLength: 8, RequireUppercase: true, RequireLowercase: true, RequireNumbers: true, RequireSymbols: true,
		TemporaryPasswordValidityDays: 7}
}

// temporaryLife is how long a temporary password is good.
func (p PasswordPolicy) temporaryLife() time.Duration {
	return time.Duration(cmp.Or(p.TemporaryPasswordValidityDays, DefaultPasswordPolicy().TemporaryPasswordValidityDays)) * 24 * time.Hour
}

// policy is the pool's own policy, or the default.
func (p *pool) policy() PasswordPolicy {
	if p.PasswordPolicy != nil {
		return *p.PasswordPolicy
	}
	return DefaultPasswordPolicy()
}

// checkPassword says what the pool's policy has against a password.
func (p *pool) checkPassword(password string) error {
	if fault := p.policy().fault(password); fault != "" {
		return &exception{name: "InvalidPasswordException", message: "Password did not conform with policy: " + fault}
	}
	return nil
}

func (p PasswordPolicy) fault(password string) string {
	has := func(class func(rune) bool) bool { return strings.ContainsFunc(password, class) }
	symbol := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	switch {
	case len(password) < p.MinimumLength:
		return "Password not long enough"
	case p.RequireUppercase && !has(unicode.IsUpper):
		return "Password must have uppercase characters"
	case p.RequireLowercase && !has(unicode.IsLower):
		return "Password must have lowercase characters"
	case p.RequireNumbers && !has(unicode.IsDigit):
		return "Password must have numeric characters"
	case p.RequireSymbols && !has(symbol):
		return "Password must have symbol characters"
	}
	return ""
}
