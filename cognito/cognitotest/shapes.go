package cognitotest

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// shape is a string shape of Cognito's API model of 2016-04-18. All but the name
// of a device are marked sensitive there, so that Cognito does not echo their
// values; the stand-in echoes none.
type shape int

const (
	accessTokenShape shape = iota
	clientIDShape
	deviceKeyShape
	deviceNameShape
	nameShape
	poolNameShape
	sessionShape
	userCodeShape
	userPoolIDShape
	usernameShape
)

// rules are a shape's length in characters, where a maximum of 0 is none, and
// its pattern with the characters that the pattern allows.
func (s shape) rules() (minLen, maxLen int, pattern, allowed string) {
	const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	switch s {
	case accessTokenShape:
		return 0, 0, `[A-Za-z0-9-_=.]+`, alphanumeric + "-_=."
	case clientIDShape:
		// The model's client IDs have no hyphen. The stand-in's may, so that the
		// IDs of demonstrations and tests can be read.
		return 1, 128, `[\w+-]+`, alphanumeric + "_+-"
	case deviceKeyShape:
		return 1, 55, `[\w-]+_[0-9a-f-]+`, alphanumeric + "_-"
	case deviceNameShape:
		return 0, 131072, "", ""
	case nameShape:
		return 1, 1024, "", ""
	case poolNameShape:
		return 1, 128, `[\w\s+=,.@-]+`, alphanumeric + "_ \t+=,.@-"
	case sessionShape:
		// The model says 2048, and Cognito's own error says 8192
		// (aws-amplify/amplify-js#14411).
		return 20, 8192, "", ""
	case userCodeShape:
		return 6, 6, `[0-9]+`, "0123456789"
	case userPoolIDShape:
		return 1, 55, `[\w-]+_[0-9a-zA-Z]+`, alphanumeric + "_-"
	case usernameShape:
		return 1, 128, "", ""
	default:
		panic(fmt.Sprintf("cognitotest: no shape %d", s))
	}
}

// constraints collects what a request breaks, to say all of it at once in
// Cognito's words.
type constraints []string

// required checks a member that must be there.
func (c *constraints) required(name, value string, s shape) {
	if value == "" {
		c.null(name)
		return
	}
	c.optional(name, value, s)
}

// given checks that a member is there, whatever it is.
func (c *constraints) given(name, value string) {
	if value == "" {
		c.null(name)
	}
}

// attributes checks a list that must be there, and that each attribute has a name.
func (c *constraints) attributes(name string, list []attribute) {
	if list == nil {
		c.null(name)
	}
	for i, at := range list {
		c.given(fmt.Sprintf("%s.%d.member.name", name, i+1), at.Name)
	}
}

// optional checks a member that may be missing.
func (c *constraints) optional(name, value string, s shape) {
	if value == "" {
		return
	}
	fail := func(format string, args ...any) {
		*c = append(*c, fmt.Sprintf("Value at '%s' failed to satisfy constraint: Member must ", name)+fmt.Sprintf(format, args...))
	}
	minLen, maxLen, pattern, allowed := s.rules()
	n := utf8.RuneCountInString(value)
	if n < minLen {
		fail("have length greater than or equal to %d", minLen)
	}
	if maxLen > 0 && n > maxLen {
		fail("have length less than or equal to %d", maxLen)
	}
	other := func(r rune) bool { return !strings.ContainsRune(allowed, r) }
	if pattern != "" && strings.ContainsFunc(value, other) {
		fail("satisfy regular expression pattern: %s", pattern)
	}
}

func (c *constraints) null(name string) {
	*c = append(*c, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", name))
}

// err is the exception for what was collected, nil when nothing was.
func (c *constraints) err() error {
	switch len(*c) {
	case 0:
		return nil
	case 1:
		return invalidParameter("1 validation error detected: %s", (*c)[0])
	default:
		return invalidParameter("%d validation errors detected: %s", len(*c), strings.Join(*c, "; "))
	}
}
