package enroll

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"
)

// Pending is an enrollment that was started and not verified yet, or, for a
// moment, one that was verified just now (Done). A person who is signed in has
// one; so has each sign-in that is under way.
type Pending struct {
	// Name is what the store keeps it under: personName, or sessionName of the
	// first session of a sign-in.
	Name string
	// SignIn is the sign-in that asked for the newest secret (Identity.SignIn).
	// Empty in the session flow.
	SignIn      string
	Secret      Secret // the newest; empty where it is known that another one replaced it
	Session     Secret // the newest of the sign-in; empty in the token flow
	AccountName string
	Started     time.Time // when the newest secret was asked for
	// Ends is until when the newest secret is shown again.
	Ends time.Time
	// Expires is until when the store keeps the entry. Codes are held against it
	// for longer than it is shown, because a person may have scanned it.
	Expires time.Time
	// Renewals counts the secrets of a sign-in after the first.
	Renewals int
	// Replaces says that a working authenticator app was there when the newest
	// secret was asked for, as far as the status was read.
	Replaces bool
	Tries    Tries
	// Earlier are the secrets that the newest one replaced, the latest first.
	Earlier []Earlier
	// Done says that it was verified. All that is left is Code, so that a double
	// click counts once.
	Done bool
	// Code is the hash of the code that was accepted or, before that, of the newest
	// one that fitted when it was looked at.
	Code string
}

// Earlier is a secret that was replaced, and the sign-in that asked for it.
type Earlier struct {
	Secret Secret
	SignIn string
}

// Tries counts the codes that were tried against an enrollment in the running
// window, which ends at Ends.
type Tries struct {
	Count int
	Ends  time.Time
}

const (
	// maxTries a tryWindow is enough for a person with a phone and far too few
	// to guess one of three codes in a million.
	maxTries  = 10
	tryWindow = time.Minute
	// maxEarlier bounds the secrets that an enrollment remembers.
	maxEarlier = 3
	// maxRenewals bounds the secrets that one sign-in may ask for, and with them
	// the sessions that lead to its entry.
	maxRenewals = 10
)

// nameOf names the enrollment of a credential.
func nameOf(c Credential) string {
	if c.Identity != nil {
		return personName(*c.Identity)
	}
	return sessionName(c.Session)
}

// personName names a person: the pool and the subject. The issuer is no part of
// it, since a pool can change its issuer while people hold tokens; nor is the app
// client, since Cognito keeps one secret a user.
func personName(id Identity) string { return "person:" + hashed(id.PoolID, id.Subject) }

// sessionName names a session. Hashing keeps it out of the store's keys; it has
// far more entropy than a hash could lose.
func sessionName(s Secret) string { return "session:" + hashed(s.Reveal()) }

// hashed joins the parts so that no two different lists give the same hash.
func hashed(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// belongsTo reports whether the newest secret was asked for by the sign-in of a
// credential. Nobody else is shown it, and nobody else's codes are held against
// it.
func (p Pending) belongsTo(c Credential) bool {
	return c.Identity == nil || p.SignIn == c.Identity.SignIn
}

// replacedFor reports whether the sign-in of a credential asked for one of the
// earlier secrets.
func (p Pending) replacedFor(c Credential) bool {
	return slices.ContainsFunc(p.Earlier, func(e Earlier) bool { return e.SignIn == c.Identity.SignIn })
}

// shownTo reports whether a credential is shown the newest secret again.
func (p Pending) shownTo(c Credential, now time.Time) bool {
	return p.shown(now) && p.belongsTo(c)
}

// shown reports whether the newest secret is shown to anybody.
func (p Pending) shown(now time.Time) bool {
	return !p.Done && p.Secret != "" && now.Before(p.Ends)
}

// replaced is what a new enrollment remembers of the one that it replaces.
func (p Pending) replaced() []Earlier {
	if p.Secret == "" {
		return p.Earlier
	}
	all := append([]Earlier{{Secret: p.Secret, SignIn: p.SignIn}}, p.Earlier...)
	return all[:min(len(all), maxEarlier)]
}

// outdated is an enrollment whose newest secret was replaced, by nobody knows
// whom: its codes are known again, and it is not shown any more.
func (p Pending) outdated() Pending {
	p.Earlier, p.Secret = p.replaced(), ""
	return p
}

// verifiedBy is what is kept of an enrollment after Cognito took the code of a
// credential, also where the enrollment itself is not known here.
func (p Pending) verifiedBy(c Credential, code Secret, until time.Time) Pending {
	done := Pending{Name: cmp.Or(p.Name, nameOf(c)), Expires: until, Done: true, Code: hashed(code.Reveal())}
	if c.Identity != nil {
		done.SignIn = c.Identity.SignIn
	}
	return done
}

// try counts one try, and reports when the next window begins where there were
// too many in this one.
func (p *Pending) try(now time.Time) (wait time.Duration) {
	// A window that lies ahead is from before the clock was put right.
	if left := p.Tries.Ends.Sub(now); left <= 0 || left > tryWindow {
		p.Tries = Tries{Ends: now.Add(tryWindow)}
	}
	if p.Tries.Count >= maxTries {
		return p.Tries.Ends.Sub(now)
	}
	p.Tries.Count++
	return 0
}
