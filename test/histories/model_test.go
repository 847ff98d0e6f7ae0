package histories_test

import (
	"context"
	"encoding/base32"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pquerna/otp/totp"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
)

// cognito is a model of Cognito's own rules for authenticator apps: one secret a
// person, of which the newest counts; sessions that work once; codes of one step
// either side. It notes what no caller may do.
type cognito struct {
	mu       sync.Mutex
	rand     *rand.Rand
	accounts map[string]*account
	tokens   map[enroll.Secret]*signIn
	sessions map[enroll.Secret]*session
	secrets  []*secret
	made     int
	faults   float64 // share of calls whose answer is lost, or that never arrive
	notes    []string
	sound    time.Time // since when the store answers everybody
	calls    map[string]int
}

// account is a person in the pool.
type account struct {
	name     string
	newest   *secret // asked for last; verified or not
	verified *secret // of the working app
	enabled  bool
}

// secret is a TOTP secret, and who asked for it.
type secret struct {
	value    enroll.Secret
	askedBy  string // the sign-in, or the chain of sessions
	account  *account
	verified time.Time // zero: not yet
	lost     bool      // nobody was told that it was verified
}

// signIn is one sign-in, of which there may be several tokens.
type signIn struct {
	id      string
	account *account
	at      time.Time
	revoked bool
}

// session is a step of a sign-in that is under way.
type session struct {
	chain   string
	account *account
	born    time.Time
	kind    string // setup, verified or code
	used    time.Time
	lost    bool // nobody was told that it was used
}

// forget notes that nobody was told what became of the session.
func (s *session) forget() {
	if s != nil {
		s.lost = true
	}
}

func newCognito(r *rand.Rand) *cognito {
	return &cognito{
		rand: r, accounts: map[string]*account{}, tokens: map[enroll.Secret]*signIn{},
		sessions: map[enroll.Secret]*session{}, calls: map[string]int{},
	}
}

// note keeps what must not have happened.
func (c *cognito) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

func (c *cognito) account(name string) *account {
	if c.accounts[name] == nil {
		c.accounts[name] = &account{name: name}
	}
	return c.accounts[name]
}

// signIn signs somebody in, and gives two tokens of that sign-in.
func (c *cognito) signIn(name string) (identities [2]enroll.Identity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	s := &signIn{id: fmt.Sprintf("sign-in-%d", c.made), account: c.account(name), at: time.Now()}
	for i := range identities {
		token := enroll.Secret(fmt.Sprintf("token-%d-%d", c.made, i))
		c.tokens[token] = s
		identities[i] = enroll.Identity{
			Token: token, PoolID: "pool", ClientID: fmt.Sprint("client-", i), Subject: name, Username: name,
			SignIn: s.id, AuthTime: s.at, Expiry: s.at.Add(time.Hour),
		}
	}
	return identities
}

// challenge begins a sign-in that asks for an app to be set up.
func (c *cognito) challenge(name string) enroll.Secret {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	return c.session(&session{chain: fmt.Sprintf("chain-%d", c.made), account: c.account(name), kind: "setup"})
}

func (c *cognito) session(s *session) enroll.Secret {
	c.made++
	s.born = time.Now()
	name := enroll.Secret(fmt.Sprintf("session-%d-of-%s", c.made, s.chain))
	c.sessions[name] = s
	return name
}

// call is one call: it arrives, is done at one moment, and its answer travels
// back. A fault loses it on the way there or on the way back.
func (c *cognito) call(ctx context.Context, operation string, do func() (forget func(), err error)) error {
	travel := func() error {
		c.mu.Lock()
		pause := time.Duration(1+c.rand.IntN(300)) * time.Millisecond
		lost := c.rand.Float64() < c.faults/2
		c.mu.Unlock()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return enroll.Fail(enroll.UpstreamTimeout, "canceled")
		}
		if lost {
			return enroll.Fail(enroll.UpstreamUnavailable, "no usable answer")
		}
		return nil
	}
	if err := travel(); err != nil {
		return err
	}
	c.mu.Lock()
	c.calls[operation]++
	forget, err := do()
	c.mu.Unlock()
	if lost := travel(); lost != nil {
		if err == nil {
			c.mu.Lock()
			forget()
			c.mu.Unlock()
		}
		return lost
	}
	return err
}

// holder is whoever presents a credential; it uses a session up.
func (c *cognito) holder(cred enroll.Credential, kind string) (a *account, by string, s *session, err error) {
	if id := cred.Identity; id != nil {
		in := c.tokens[id.Token]
		if in == nil || in.revoked {
			return nil, "", nil, enroll.Fail(enroll.InvalidToken, "NotAuthorizedException")
		}
		return in.account, in.id, nil, nil
	}
	s = c.sessions[cred.Session]
	switch {
	case s == nil:
		return nil, "", nil, enroll.Fail(enroll.SessionExpired, "NotAuthorizedException")
	case !s.used.IsZero():
		// Within the time that the service remembers it (a request's), a session
		// that is used up must not be presented again.
		if time.Since(s.used) < 10*time.Second && !s.lost && s.used.After(c.sound) {
			c.note("a session was spent twice, %v apart: %s", time.Since(s.used), cred.Session.Reveal())
		}
		return nil, "", nil, enroll.Fail(enroll.SessionExpired, "NotAuthorizedException")
	case time.Since(s.born) > 3*time.Minute || s.kind != kind:
		return nil, "", nil, enroll.Fail(enroll.SessionExpired, "NotAuthorizedException")
	}
	return s.account, s.chain, s, nil
}

// Associate implements enroll.UserPool.
func (c *cognito) Associate(ctx context.Context, _ permit.Permit, cred enroll.Credential) (out enroll.Association, err error) {
	err = c.call(ctx, "Associate", func() (func(), error) {
		a, by, s, err := c.holder(cred, "setup")
		if err != nil {
			return nil, err
		}
		key := make([]byte, 20)
		for i := range key {
			key[i] = byte(c.rand.IntN(256))
		}
		a.newest = &secret{value: enroll.Secret(base32.StdEncoding.EncodeToString(key)), askedBy: by, account: a}
		c.secrets = append(c.secrets, a.newest)
		out = enroll.Association{Secret: a.newest.value}
		if s != nil {
			s.used = time.Now()
			out.Session = c.session(&session{chain: s.chain, account: a, kind: "setup"})
		}
		return s.forget, nil
	})
	return out, err
}

// Verify implements enroll.UserPool. Cognito holds a code against the newest
// secret.
func (c *cognito) Verify(ctx context.Context, _ permit.Permit, cred enroll.Credential, code enroll.Secret, _ string) (next enroll.Secret, err error) {
	err = c.call(ctx, "Verify", func() (func(), error) {
		a, _, s, err := c.holder(cred, "setup")
		if err != nil {
			return nil, err
		}
		if a.newest == nil || !fits(a.newest.value, code) {
			return nil, enroll.Fail(enroll.CodeMismatch, "EnableSoftwareTokenMFAException")
		}
		a.newest.verified, a.verified = time.Now(), a.newest
		if s != nil {
			s.used = time.Now()
			next = c.session(&session{chain: s.chain, account: a, kind: "verified"})
		}
		newest := a.newest
		return func() { newest.lost = true; s.forget() }, nil
	})
	return next, err
}

// SetTOTP implements enroll.UserPool.
func (c *cognito) SetTOTP(ctx context.Context, _ permit.Permit, token enroll.Secret, p enroll.Preference) error {
	return c.call(ctx, "SetTOTP", func() (func(), error) {
		a, _, _, err := c.holder(enroll.Credential{Identity: &enroll.Identity{Token: token}}, "")
		if err != nil {
			return nil, err
		}
		if a.verified == nil {
			return nil, enroll.Fail(enroll.NoPendingEnrollment, "InvalidParameterException")
		}
		a.enabled = p.Enabled
		return func() {}, nil
	})
}

// User implements enroll.UserPool.
func (c *cognito) User(ctx context.Context, _ permit.Permit, token enroll.Secret) (u enroll.User, err error) {
	err = c.call(ctx, "User", func() (func(), error) {
		a, _, _, err := c.holder(enroll.Credential{Identity: &enroll.Identity{Token: token}}, "")
		if err != nil {
			return nil, err
		}
		u.Username = a.name
		if a.enabled {
			u.Methods = []string{enroll.MethodTOTP}
		}
		return func() {}, nil
	})
	return u, err
}

// Answer implements enroll.UserPool.
func (c *cognito) Answer(ctx context.Context, _ permit.Permit, a enroll.Answer) (in enroll.SignIn, err error) {
	err = c.call(ctx, "Answer", func() (func(), error) {
		who, _, s, err := c.holder(enroll.Credential{Session: a.Session}, "verified")
		if err != nil {
			return nil, err
		}
		s.used, who.enabled = time.Now(), true
		in.Tokens = &enroll.Tokens{Access: "access"}
		return s.forget, nil
	})
	return in, err
}

// shown judges a secret that was shown to a sign-in, or to a chain of sessions,
// by a request that began at a time.
func (c *cognito) shown(value enroll.Secret, to string, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.secrets, func(s *secret) bool { return s.value == value })
	switch s := c.secrets[at]; {
	case s.askedBy != to:
		c.note("a secret of %s was shown to %s", s.askedBy, to)
	case s.verified.After(c.sound) && !s.lost && s.verified.Before(began.Add(-time.Second)):
		c.note("a secret was shown to %s %v after it was verified", to, began.Sub(s.verified))
	}
}

// finished judges an enrollment that a person was told to be over, with the
// secret that is in the app.
func (c *cognito) finished(inApp enroll.Secret, who string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.secrets, func(s *secret) bool { return s.value == inApp })
	if c.secrets[at].verified.IsZero() {
		c.note("%s was told that the app works, and its secret was never verified", who)
	}
}

// fits tells whether a code is of now, or one step either side.
func fits(s enroll.Secret, code enroll.Secret) bool {
	for _, off := range []time.Duration{-30 * time.Second, 0, 30 * time.Second} {
		if codeOf(s, off) == code {
			return true
		}
	}
	return false
}

func codeOf(s enroll.Secret, off time.Duration) enroll.Secret {
	code, err := totp.GenerateCode(s.Reveal(), time.Now().Add(off))
	if err != nil {
		panic(err)
	}
	return enroll.Secret(code)
}
