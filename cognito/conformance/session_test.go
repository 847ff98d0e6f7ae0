package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mfa-enrollment/internal/enroll"
)

// madeUpSession has the shape of a session, and nobody gave it.
func madeUpSession() enroll.Secret { return enroll.Secret(strings.Repeat("AYABeA", 100)) }

func (p *person) isAskedToSetUp(ctx context.Context) error {
	c, err := p.challenged(ctx, enroll.ChallengeMFASetup)
	if err != nil {
		return err
	}
	return listed(c.Parameters["MFAS_CAN_SETUP"], enroll.MethodTOTP)
}

// listed reads a list as challenge parameters hold it, a JSON array inside a
// string, and looks for the names.
func listed(list string, names ...string) error {
	var have []string
	if err := json.Unmarshal([]byte(list), &have); err != nil {
		return fmt.Errorf("the list is not a JSON array in a string: %w", err)
	}
	for _, name := range names {
		if !slices.Contains(have, name) {
			return fmt.Errorf("the list is %q and lacks %s", have, name)
		}
	}
	return nil
}

// inSetUp signs in up to MFA_SETUP and gives the session.
func (p *person) inSetUp(ctx context.Context) (enroll.Credential, error) {
	c, err := p.challenged(ctx, enroll.ChallengeMFASetup)
	if err != nil {
		return enroll.Credential{}, err
	}
	return enroll.Credential{Session: c.Session}, nil
}

func (p *person) associatesBySession(ctx context.Context) error {
	by, err := p.inSetUp(ctx)
	if err != nil {
		return err
	}
	a, err := p.pool.Associate(ctx, by)
	switch {
	case err != nil:
		return err
	case a.Session == by.Session:
		return errors.New("the next session is the one of before")
	}
	p.session = a.Session
	return p.takes(a.Secret)
}

func (p *person) associatesByMadeUpSession(ctx context.Context) error {
	if _, err := p.inSetUp(ctx); err != nil {
		return err // A refusal says something only where a session would be taken.
	}
	_, err := p.pool.Associate(ctx, enroll.Credential{Session: madeUpSession()})
	return refused(err, enroll.SessionExpired)
}

func (p *person) associatesTwiceBySession(ctx context.Context) error {
	by, err := p.inSetUp(ctx)
	if err != nil {
		return err
	}
	if _, err := p.pool.Associate(ctx, by); err != nil {
		return err
	}
	_, err = p.pool.Associate(ctx, by)
	return refused(err, enroll.SessionExpired)
}

// verifiesByFirstSession takes the sign-in's own session to Verify, as people do
// (aws-amplify/amplify-js#6461).
func (p *person) verifiesByFirstSession(ctx context.Context) error {
	by, err := p.inSetUp(ctx)
	if err != nil {
		return err
	}
	_, err = p.pool.Verify(ctx, by, "123456", "")
	return refused(err, enroll.SessionExpired)
}

// answersWithoutApp holds that no tokens are given. What Cognito says then is
// not documented.
func (p *person) answersWithoutApp(ctx context.Context) error {
	by, err := p.inSetUp(ctx)
	if err != nil {
		return err
	}
	_, err = p.answers(ctx, enroll.ChallengeMFASetup, by.Session, "")
	return refused(err, enroll.InvalidRequest, enroll.SessionExpired, enroll.NoPendingEnrollment, enroll.TOTPNotEnabled)
}

func (p *person) sendsWrongCodeBySession(ctx context.Context) error {
	if err := p.associatesBySession(ctx); err != nil {
		return err
	}
	return refused(p.verifiesWrongly(ctx, enroll.Credential{Session: p.session}), enroll.CodeMismatch)
}

// sendsWrongCodeAgain holds what AWS's own clients build on: a wrong code does not
// cost the session (Amplify Android, mfasetup_with_incorrect_otp).
func (p *person) sendsWrongCodeAgain(ctx context.Context) error {
	if err := p.sendsWrongCodeBySession(ctx); err != nil {
		return err
	}
	return refused(p.verifiesWrongly(ctx, enroll.Credential{Session: p.session}), enroll.CodeMismatch)
}

func (p *person) associatesByOldSession(ctx context.Context) error {
	young, err := p.inSetUp(ctx)
	if err != nil {
		return err
	}
	old, err := p.inSetUp(ctx)
	if err != nil {
		return err
	}
	const life = 3 * time.Minute
	if err := p.waits(life - time.Second); err != nil {
		return err
	}
	if _, err := p.pool.Associate(ctx, young); err != nil {
		return fmt.Errorf("the session is lost too early: %w", err)
	}
	if err := p.waits(time.Second); err != nil {
		return err
	}
	_, err = p.pool.Associate(ctx, old)
	return refused(err, enroll.SessionExpired)
}

// waits moves the clock on, where it can be moved. No test waits for minutes.
func (p *person) waits(d time.Duration) error {
	if p.on.advance == nil {
		return errors.New("the clock cannot be set")
	}
	p.on.advance(d)
	return nil
}

func (p *person) verifiesBySession(ctx context.Context) error {
	if err := p.sendsWrongCodeBySession(ctx); err != nil {
		return err
	}
	next, err := p.verifiesBy(ctx, enroll.Credential{Session: p.session})
	switch {
	case err != nil:
		return err
	case next == "" || next == p.session:
		return errors.New("verifying gives no session, or the one of before")
	}
	p.session = next
	return nil
}

func (p *person) answersSetUp(ctx context.Context) error {
	return p.finishes(ctx, enroll.ChallengeMFASetup, p.session, "")
}
