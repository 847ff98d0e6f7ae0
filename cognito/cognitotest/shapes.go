package cognitotest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// shape is a string shape of Cognito's API model. Every one that these
// operations take is marked sensitive there, so that its value is never echoed.
type shape struct {
	min, max int
	pattern  *regexp.Regexp
}

func newShape(min, max int, pattern string) shape {
	return shape{min, max, regexp.MustCompile("^(?:" + pattern + ")$")}
}

// The shapes of the API model of 2016-04-18 that these operations use. The
// model's client IDs have no hyphen; the stand-in's may, so that the IDs of
// demonstrations and tests can be read.
var (
	accessTokenShape = newShape(0, 0, `[A-Za-z0-9-_=.]+`)
	clientIDShape    = newShape(1, 128, `[\w+-]+`)
	deviceNameShape  = newShape(0, 131072, `(?s).*`)
	sessionShape     = newShape(20, 2048, `(?s).*`)
	userCodeShape    = newShape(6, 6, `[0-9]+`)
)

// constraints collects what a request breaks, to say all of it at once in
// Cognito's words.
type constraints []string

// required checks a member that must be there.
func (c *constraints) required(name, value string, s shape) {
	if value == "" {
		*c = append(*c, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", name))
		return
	}
	c.optional(name, value, s)
}

// optional checks a member that may be missing.
func (c *constraints) optional(name, value string, s shape) {
	if value == "" {
		return
	}
	fail := func(format string, args ...any) {
		*c = append(*c, fmt.Sprintf("Value at '%s' failed to satisfy constraint: Member must ", name)+fmt.Sprintf(format, args...))
	}
	n := utf8.RuneCountInString(value)
	if n < s.min {
		fail("have length greater than or equal to %d", s.min)
	}
	if s.max > 0 && n > s.max {
		fail("have length less than or equal to %d", s.max)
	}
	if !s.pattern.MatchString(value) {
		text := strings.TrimSuffix(strings.TrimPrefix(s.pattern.String(), "^(?:"), ")$")
		fail("satisfy regular expression pattern: %s", text)
	}
}

// enum checks a required member that is one of a few words. Enums are not
// sensitive: Cognito echoes them.
func (c *constraints) enum(name, value string, words ...string) {
	switch {
	case value == "":
		*c = append(*c, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", name))
	case !slices.Contains(words, value):
		*c = append(*c, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
			value, name, strings.Join(words, ", ")))
	}
}

// err is the exception for what was collected, nil when nothing was.
func (c constraints) err() error {
	switch len(c) {
	case 0:
		return nil
	case 1:
		return invalidParameter("1 validation error detected: %s", c[0])
	default:
		return invalidParameter("%d validation errors detected: %s", len(c), strings.Join(c, "; "))
	}
}
