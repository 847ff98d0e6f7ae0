package app

import (
	"errors"
	"strings"
	"time"

	"mfa-enrollment/internal/enroll"
)

// MFAPolicy is MFA_POLICY: rules with a semicolon between them, each of the form
//
//	offer|require [from DATE] [for GROUP, …]
//
// such as "offer; require for admins; require from 2027-03-01 for staff, support".
type MFAPolicy enroll.Policy

var errPolicy = errors.New("wants rules such as: offer; require from 2027-03-01 for staff, support")

// UnmarshalText reads the rules. No group's name can hold a space (Cognito's
// GroupNameType), so words tell the parts apart.
func (p *MFAPolicy) UnmarshalText(text []byte) error {
	*p = nil
	for rule := range strings.SplitSeq(string(text), ";") {
		r, err := parseRule(rule)
		if err != nil {
			return err
		}
		*p = append(*p, r)
	}
	return nil
}

func parseRule(text string) (r enroll.Rule, err error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return r, errPolicy
	}
	switch r.Next = enroll.Next(words[0]); r.Next {
	case enroll.NextOffer, enroll.NextRequire:
		words = words[1:]
	default:
		return r, errPolicy
	}
	if len(words) >= 2 && words[0] == "from" {
		if r.From, err = parseDate(words[1]); err != nil {
			return r, errPolicy
		}
		words = words[2:]
	}
	if len(words) == 0 {
		return r, nil
	}
	if words[0] != "for" {
		return r, errPolicy
	}
	for group := range strings.SplitSeq(strings.Join(words[1:], " "), ",") {
		group = strings.TrimSpace(group)
		if group == "" || strings.Contains(group, " ") {
			return r, errPolicy
		}
		r.Groups = append(r.Groups, group)
	}
	return r, nil
}

// parseDate reads a day, which begins at midnight UTC, or a moment of RFC 3339.
func parseDate(s string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return day, nil
	}
	return time.Parse(time.RFC3339, s)
}
