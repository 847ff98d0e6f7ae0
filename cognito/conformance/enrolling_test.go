package conformance

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/internal/enroll"
)

// takes makes the phone that a secret was given to.
func (p *person) takes(secret enroll.Secret) error {
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret.Reveal()); err != nil || len(secret) < 16 {
		return errors.New("the secret is not 16 characters of base32, or more")
	}
	if p.next != nil && p.next.secret == secret || p.phone != nil && p.phone.secret == secret {
		return errors.New("the secret is the one of before")
	}
	if p.next != nil {
		p.old = p.next
	}
	p.next = &phone{secret: secret, now: p.on.now}
	return nil
}

func (p *person) associates(ctx context.Context) error {
	a, err := p.pool.Associate(ctx, p.bearer())
	switch {
	case err != nil:
		return err
	case a.Session != "":
		return errors.New("the secret comes with a session")
	}
	return p.takes(a.Secret)
}

// hasLongSecret holds what Cognito gives: 52 characters, base32 of 32 bytes.
func (p *person) hasLongSecret(context.Context) error {
	if n := len(p.next.secret); n != 52 {
		return fmt.Errorf("the secret has %d characters", n)
	}
	return nil
}

func (p *person) sendsWrongCodeToVerify(ctx context.Context) error {
	return refused(p.verifiesWrongly(ctx, p.bearer()), enroll.CodeMismatch)
}

func (p *person) isToldEnableException(ctx context.Context) error {
	err := p.verifiesWrongly(ctx, p.bearer())
	if _, ok := errors.AsType[*types.EnableSoftwareTokenMFAException](err); !ok {
		return fmt.Errorf("it is another exception: %w", err)
	}
	return nil
}

func (p *person) verifiesWrongly(ctx context.Context, by enroll.Credential) error {
	code, err := p.next.wrong()
	if err != nil {
		return err
	}
	_, err = p.pool.Verify(ctx, by, code, "")
	return err
}

// verifies sends a right code, with which the phone counts.
func (p *person) verifies(ctx context.Context) error {
	session, err := p.verifiesBy(ctx, p.bearer())
	if err == nil && session != "" {
		err = errors.New("verifying by token gives a session")
	}
	return err
}

func (p *person) verifiesBy(ctx context.Context, by enroll.Credential) (enroll.Secret, error) {
	code, err := p.next.code()
	if err != nil {
		return "", err
	}
	session, err := p.pool.Verify(ctx, by, code, deviceName)
	if err != nil {
		return "", err
	}
	if p.phone != nil {
		p.old = p.phone
	}
	p.phone, p.next, p.code = p.next, nil, code
	return session, nil
}

// enrolled goes through everything up to a factor that is on.
func (p *person) enrolled(ctx context.Context) error {
	for _, do := range []do{(*person).signsIn, (*person).associates, (*person).verifies, (*person).switchesOn} {
		if err := do(p, ctx); err != nil {
			return err
		}
	}
	return nil
}

// replaces sets a new phone up.
func (p *person) replaces(ctx context.Context) error {
	if err := p.associates(ctx); err != nil {
		return err
	}
	return p.verifies(ctx)
}

func (p *person) sendsCodeOfFirstSecret(ctx context.Context) error {
	code, err := foreignCode(p.old, p.next)
	if err != nil {
		return err
	}
	_, err = p.pool.Verify(ctx, p.bearer(), code, "")
	return refused(err, enroll.CodeMismatch)
}

// foreignCode is a code of one phone that is not by chance good on the other.
func foreignCode(of, not *phone) (enroll.Secret, error) {
	good, err := not.around()
	if err != nil {
		return "", err
	}
	for step := of.step(); ; step++ {
		code, err := of.at(step)
		if err != nil || !slices.Contains(good, code) {
			return code, err
		}
	}
}

// atStep sends the code of a step that is so far from the present one, with a
// secret of its own.
func atStep(away int64, taken bool) do {
	return func(p *person, ctx context.Context) error {
		// The clock may go over to the next step during a call. That is rare and
		// proves nothing, so that the call is made again.
		for range 5 {
			if err := p.associates(ctx); err != nil {
				return err
			}
			before := p.next.step()
			code, err := p.next.at(before + away)
			if err != nil {
				return err
			}
			_, err = p.pool.Verify(ctx, p.bearer(), code, "")
			if p.next.step() != before {
				continue
			}
			if taken {
				return err
			}
			return refused(err, enroll.CodeMismatch)
		}
		return errors.New("no call ended in the step in which it began")
	}
}

func (p *person) hasNoFactor(ctx context.Context) error { return p.has(ctx, "") }

// hasFactor says nothing of the preference.
func (p *person) hasFactor(ctx context.Context) error {
	u, err := p.pool.User(ctx, p.tokens.Access)
	if err == nil && !slices.Contains(u.Methods, enroll.MethodTOTP) {
		err = fmt.Errorf("the factors are %q", u.Methods)
	}
	return err
}

func (p *person) hasPreferredFactor(ctx context.Context) error {
	return p.has(ctx, enroll.MethodTOTP, enroll.MethodTOTP)
}

// has holds what GetUser tells to exactly these factors.
func (p *person) has(ctx context.Context, preferred string, methods ...string) error {
	u, err := p.pool.User(ctx, p.tokens.Access)
	if err != nil {
		return err
	}
	slices.Sort(u.Methods)
	if u.Preferred != preferred || !slices.Equal(u.Methods, methods) {
		return fmt.Errorf("the factors are %q, preferred %q; want %q, preferred %q", u.Methods, u.Preferred, methods, preferred)
	}
	if u.Attributes["sub"] == "" || u.Username != p.username {
		return errors.New("GetUser does not say who this is")
	}
	return nil
}

func (p *person) sets(ctx context.Context, enabled, preferred bool) error {
	return p.pool.SetTOTP(ctx, p.tokens.Access, enroll.Preference{Enabled: enabled, Preferred: preferred})
}

func (p *person) cannotSwitchOn(ctx context.Context) error {
	return refused(p.sets(ctx, true, true), enroll.NoPendingEnrollment)
}

func (p *person) switchesOn(ctx context.Context) error {
	if err := p.sets(ctx, true, true); err != nil {
		return err
	}
	return p.hasPreferredFactor(ctx)
}

func (p *person) prefersNothing(ctx context.Context) error {
	if err := p.sets(ctx, true, false); err != nil {
		return err
	}
	return p.has(ctx, "", enroll.MethodTOTP)
}

func (p *person) switchesOff(ctx context.Context) error {
	if err := p.sets(ctx, false, false); err != nil {
		return err
	}
	return p.hasNoFactor(ctx)
}
