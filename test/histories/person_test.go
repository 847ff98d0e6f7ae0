package histories_test

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"mfa-enrollment/internal/enroll"
)

// person is somebody with a phone: signed in, with two tokens of one sign-in, or
// in the middle of a sign-in. Several may be the same user of the pool.
type person struct {
	w    *world
	user string
	name string

	tokens [2]enroll.Identity // signed in

	bySession bool
	chain     string

	mu       sync.Mutex
	session  enroll.Secret // the newest that a reply gave
	first    enroll.Secret // the one that Cognito gave
	verified enroll.Secret // what answers MFA_SETUP
	app, old enroll.Secret // the secret in the app, and the one before it
	done     bool
}

func (w *world) newPerson(user string, bySession bool) *person {
	p := &person{w: w, user: user, name: fmt.Sprintf("%s/%d", user, len(w.people)), bySession: bySession}
	p.signIn()
	return p
}

// signIn begins anew.
func (p *person) signIn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session, p.verified, p.app, p.old = "", "", "", ""
	p.w.note(p.user, start{other: true})
	if !p.bySession {
		p.tokens = p.w.cognito.signIn(p.user)
		return
	}
	p.first = p.w.cognito.challenge(p.user)
	p.chain = p.w.cognito.sessions[p.first].chain
}

// asked is the sign-in, as the model calls it.
func (p *person) asked() string {
	if p.bySession {
		return p.chain
	}
	return p.tokens[0].SignIn
}

// credential is what a page has: the newest session, or the first when it was
// mounted again; one of two tokens.
func (p *person) credential() enroll.Credential {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.bySession {
		id := p.tokens[p.w.chance(2)]
		return enroll.Credential{Identity: &id}
	}
	if p.session == "" || p.w.chance(3) == 0 {
		return enroll.Credential{Session: p.first, Address: p.user}
	}
	return enroll.Credential{Session: p.session, Address: p.user}
}

// choose picks what the person does next.
func (p *person) choose() func() {
	switch n := p.w.rand.IntN(16); {
	case n < 4:
		return func() { _ = p.start(false) }
	case n < 6:
		return func() { p.twice(func() { _ = p.start(false) }) }
	case n < 7:
		return func() { _ = p.start(true) }
	case n < 8:
		return func() { p.twice(func() { _ = p.start(true) }) }
	case n < 10:
		return func() { _ = p.verify(p.rightCode) }
	case n < 12:
		return func() { code := p.rightCode(); p.twice(func() { _ = p.verify(func() enroll.Secret { return code }) }) }
	case n < 13:
		return func() { _ = p.verify(p.oldCode) }
	case n < 14:
		return func() { _ = p.verify(func() enroll.Secret { return "000000" }) }
	case n < 15:
		return func() { p.twice(p.answer) }
	default:
		return p.signIn
	}
}

// twice is a double click, or two tabs.
func (p *person) twice(do func()) {
	var both sync.WaitGroup
	both.Go(do)
	both.Go(func() {
		time.Sleep(time.Duration(p.w.chance(30)) * time.Millisecond)
		do()
	})
	both.Wait()
}

func (p *person) start(renew bool) error {
	ctx, cancel := p.w.context()
	defer cancel()
	began, to := time.Now(), p.asked()
	e, err := p.w.anyReplica().Start(ctx, enroll.StartRequest{Credential: p.credential(), Renew: renew})
	p.w.tell("%s starts (renew %t): resumed %t, %v", p.name, renew, e.Resumed, err)
	did := start{by: to, other: renew}
	if err == nil && !e.Resumed {
		did.fresh = e.Secret
	}
	p.w.note(p.user, did)
	if err != nil {
		return err
	}
	p.w.cognito.shown(e.Secret, to, began)
	p.mu.Lock()
	defer p.mu.Unlock()
	if to != p.asked() {
		return nil // signed in anew meanwhile
	}
	if p.session = e.Session; e.Secret != p.app {
		p.app, p.old = e.Secret, p.app
	}
	return nil
}

func (p *person) rightCode() enroll.Secret {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.app == "" {
		return "111111"
	}
	return codeOf(p.app, 0)
}

func (p *person) oldCode() enroll.Secret {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.old == "" {
		return "222222"
	}
	return codeOf(p.old, 0)
}

func (p *person) verify(code func() enroll.Secret) error {
	ctx, cancel := p.w.context()
	defer cancel()
	p.mu.Lock()
	inApp, to := p.app, p.asked()
	p.mu.Unlock()
	c := code()
	v, err := p.w.anyReplica().Verify(ctx, enroll.VerifyRequest{Credential: p.credential(), Code: c, Preferred: true})
	p.w.tell("%s verifies: %v", p.name, err)
	p.w.note(p.user, start{by: to, other: true})
	if err != nil && enroll.KindOf(err) != enroll.VerifiedNotEnabled {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if inApp != "" && fits(inApp, c) {
		p.w.cognito.finished(inApp, p.name)
	}
	if to == p.asked() {
		p.verified, p.done = v.Session, v.Session == "" && err == nil
	}
	return err
}

// answer finishes a sign-in.
func (p *person) answer() { _ = p.complete() }

func (p *person) complete() error {
	p.mu.Lock()
	session := p.verified
	p.mu.Unlock()
	if session == "" {
		return errors.New("nothing is verified yet")
	}
	ctx, cancel := p.w.context()
	defer cancel()
	_, err := p.w.anyReplica().Answer(ctx, enroll.Answer{Challenge: enroll.ChallengeMFASetup, ClientID: "client", Username: p.user, Session: session, Address: p.user})
	p.w.tell("%s completes the sign-in: %v", p.name, err)
	if err == nil {
		p.mu.Lock()
		p.done = true
		p.mu.Unlock()
	}
	return err
}

// finish does what the replies say, as a person would, until the app works.
func (p *person) finish() {
	p.done = false
	for range 12 {
		err := p.next()
		if err == nil && p.done {
			return
		}
		for i := 0; err != nil && i < 3; i++ {
			err = p.obey(err)
		}
		time.Sleep(31 * time.Second)
	}
	p.w.t.Errorf("%s did what the replies said, and is not done", p.name)
}

// obey does what a problem asks for.
func (p *person) obey(err error) error {
	switch enroll.KindOf(err) {
	case enroll.SessionExpired, enroll.InvalidToken, enroll.StepUpRequired:
		p.signIn()
	case enroll.EnrollmentReplaced, enroll.NoPendingEnrollment:
		return p.start(false)
	case enroll.CodeMismatch, enroll.SupersededCode:
		return p.start(true)
	default:
		time.Sleep(wait(err))
	}
	return nil
}

// next is the next thing to do.
func (p *person) next() error {
	switch {
	case p.verified != "":
		err := p.complete()
		if err != nil {
			p.verified = ""
		}
		return err
	case p.app == "":
		return p.start(false)
	default:
		return p.verify(p.rightCode)
	}
}

func wait(err error) time.Duration {
	if e, ok := errors.AsType[*enroll.Error](err); ok {
		return max(time.Second, e.RetryAfter)
	}
	return time.Second
}
