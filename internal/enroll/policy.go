package enroll

import (
	"slices"
	"strings"
	"time"
)

// Next is what a front end should do about a person's second factor. It is advice:
// which factors a sign-in asks for is for the user pool alone to say.
type Next string

// What to do, from the least to the most.
const (
	NextNone    Next = "none"    // nothing
	NextOffer   Next = "offer"   // ask the person to set one up, who may say no
	NextRequire Next = "require" // do not let the person go on without one
)

// Policy says what people without a second factor are asked to do. Of the rules
// that apply to a person the strictest counts, so their order does not matter.
type Policy []Rule

// Rule asks some people to do something from some moment on.
type Rule struct {
	Next   Next      // NextOffer or NextRequire
	From   time.Time // zero: always
	Groups []string  // one of which the person must be in; empty: everybody
}

// next is what a person is asked to do. Cognito never asks a federated person for
// a factor, so setting one up would change nothing; somebody who has one, whichever
// it is, needs no other.
func (p Policy) next(id Identity, methods []string, now time.Time) Next {
	next := NextNone
	if len(methods) > 0 || id.federated() {
		return next
	}
	for _, r := range p {
		if r.appliesTo(id, now) && next != NextRequire {
			next = r.Next
		}
	}
	return next
}

func (r Rule) appliesTo(id Identity, now time.Time) bool {
	if now.Before(r.From) {
		return false
	}
	return len(r.Groups) == 0 || slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(id.Groups, g) })
}

// federated reports whether a person signed in with another identity provider.
// Cognito puts such people into a group that it names after the pool and the
// provider, POOL_PROVIDER ("Adding groups to a user pool", Cognito's developer
// guide).
func (id Identity) federated() bool {
	return slices.ContainsFunc(id.Groups, func(g string) bool { return strings.HasPrefix(g, id.PoolID+"_") })
}
