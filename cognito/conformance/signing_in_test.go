package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/internal/enroll"
)

func (p *person) isAskedForCode(ctx context.Context) error {
	_, err := p.challenged(ctx, challengeCode)
	return err
}

func (p *person) isToldDevice(ctx context.Context) error {
	c, err := p.challenged(ctx, challengeCode)
	if err == nil && c.Parameters["FRIENDLY_DEVICE_NAME"] != deviceName {
		err = errors.New("the challenge does not name the device")
	}
	return err
}

func (p *person) answersWithMadeUpSession(ctx context.Context) error {
	code, err := p.phone.wrong()
	if err != nil {
		return err
	}
	_, err = p.answers(ctx, challengeCode, madeUpSession(), code)
	return refused(err, enroll.SessionExpired)
}

func (p *person) answersWithWrongCode(ctx context.Context) error {
	c, err := p.challenged(ctx, challengeCode)
	if err != nil {
		return err
	}
	p.session = c.Session
	return p.answersWronglyAgain(ctx, enroll.CodeMismatch)
}

// answersWronglyAgain uses the session of before.
func (p *person) answersWronglyAgain(ctx context.Context, want enroll.Kind) error {
	code, err := p.phone.wrong()
	if err != nil {
		return err
	}
	_, err = p.answers(ctx, challengeCode, p.session, code)
	return refused(err, want)
}

func (p *person) answersAfterWrongCode(ctx context.Context) error {
	code, err := p.phone.code()
	if err != nil {
		return err
	}
	return p.finishes(ctx, challengeCode, p.session, code)
}

func (p *person) hasAllTokens(context.Context) error {
	t := p.tokens
	if t.ID == "" || t.Refresh == "" || t.ExpiresIn == 0 || t.Type != "Bearer" {
		return fmt.Errorf("the answer has an ID token: %t; a refresh token: %t; lives %s, type %q", t.ID != "", t.Refresh != "", t.ExpiresIn, t.Type)
	}
	return nil
}

// answersWithUsedSession sends a wrong code, so that it is not the code that was
// used already.
func (p *person) answersWithUsedSession(ctx context.Context) error {
	return p.answersWronglyAgain(ctx, enroll.SessionExpired)
}

func (p *person) sendsUsedCode(ctx context.Context) error {
	return refused(p.sendsCode(ctx, p.code), enroll.CodeAlreadyUsed)
}

func (p *person) sendsCodeOfPhone(ctx context.Context) error {
	if p.phone == nil {
		return errors.New("no phone is set up")
	}
	code, err := p.phone.code()
	if err != nil {
		return err
	}
	return p.sendsCode(ctx, code)
}

func (p *person) sendsCodeOfNewPhone(ctx context.Context) error {
	code, err := foreignCode(p.next, p.phone)
	if err != nil {
		return err
	}
	return refused(p.sendsCode(ctx, code), enroll.CodeMismatch)
}

func (p *person) sendsCodeOfOldPhone(ctx context.Context) error {
	code, err := foreignCode(p.old, p.phone)
	if err != nil {
		return err
	}
	return refused(p.sendsCode(ctx, code), enroll.CodeMismatch)
}

// signsInWithHash is refused, as the hash is missing or wrong.
func signsInWithHash(hash string) do {
	return func(p *person, ctx context.Context) error {
		_, err := p.sendPassword(ctx, hash)
		return notAuthorized(err)
	}
}

// notAuthorized tells whether a call was refused by that exception.
func notAuthorized(err error) error {
	if err == nil {
		return errors.New("it is not refused")
	}
	if _, ok := errors.AsType[*types.NotAuthorizedException](err); !ok {
		return fmt.Errorf("it is refused otherwise: %w; want a NotAuthorizedException", err)
	}
	return nil
}

func (p *person) answersWithoutHash(ctx context.Context) error {
	return refused(p.answersKnowing(ctx, nil), enroll.Internal)
}

// answersWithWrongHash answers as a service does that was told another secret.
// Cognito's refusal is that of an alias in the username's place, too, so the
// username is named; signing in again is no help.
func (p *person) answersWithWrongHash(ctx context.Context) error {
	err := p.answersKnowing(ctx, map[string]enroll.Secret{p.client: "another secret"})
	return refused(err, enroll.InvalidRequest)
}

// answersKnowing answers through a client that knows these secrets. The code is
// wrong as well, so that none is spent where the hash is not looked at.
func (p *person) answersKnowing(ctx context.Context, secrets map[string]enroll.Secret) error {
	c, err := p.challenged(ctx, challengeCode)
	if err != nil {
		return err
	}
	code, err := p.phone.wrong()
	if err != nil {
		return err
	}
	_, err = newClient(p.on, secrets).Answer(ctx, enroll.Answer{
		Challenge: challengeCode, ClientID: p.client, Username: p.username, Session: c.Session, Code: code,
	})
	return err
}

func (p *person) switchesOnSMS(ctx context.Context) error {
	_, err := p.sdk.SetUserMFAPreference(ctx, &idp.SetUserMFAPreferenceInput{
		AccessToken:    aws.String(p.tokens.Access.Reveal()),
		SMSMfaSettings: &types.SMSMfaSettingsType{Enabled: true},
	})
	if err != nil {
		return err
	}
	return p.has(ctx, "", methodSMS, enroll.MethodTOTP)
}

func (p *person) isAskedWhich(ctx context.Context) error {
	c, err := p.challenged(ctx, enroll.ChallengeSelectMFA)
	if err != nil {
		return err
	}
	return listed(c.Parameters["MFAS_CAN_CHOOSE"], methodSMS, enroll.MethodTOTP)
}

// chooses answers SELECT_MFA_TYPE.
func (p *person) chooses(ctx context.Context, method string) (enroll.SignIn, error) {
	c, err := p.challenged(ctx, enroll.ChallengeSelectMFA)
	if err != nil {
		return enroll.SignIn{}, err
	}
	return p.pool.Answer(ctx, enroll.Answer{
		Challenge: enroll.ChallengeSelectMFA, ClientID: p.client, Username: p.username, Session: c.Session, Method: method,
	})
}

func (p *person) choosesForeignFactor(ctx context.Context) error {
	_, err := p.chooses(ctx, "EMAIL_OTP")
	return refused(err, enroll.NoPendingEnrollment)
}

func (p *person) choosesApp(ctx context.Context) error {
	in, err := p.chooses(ctx, enroll.MethodTOTP)
	switch {
	case err != nil:
		return err
	case in.Challenge == nil || in.Challenge.Name != challengeCode:
		return errors.New("the choice does not lead to the app's challenge")
	}
	code, err := p.phone.code()
	if err != nil {
		return err
	}
	return p.finishes(ctx, challengeCode, in.Challenge.Session, code)
}

func (p *person) isAskedForPreferred(ctx context.Context) error {
	if err := p.sets(ctx, true, true); err != nil {
		return err
	}
	return p.isAskedForCode(ctx)
}

// guesses sends wrong codes until Cognito has enough of it. Ten is twice what
// its guide allows; each lock-out is longer than the one before, so that a slow
// machine meets one of them.
func (p *person) guesses(ctx context.Context) error {
	c, err := p.challenged(ctx, challengeCode)
	if err != nil {
		return err
	}
	code, err := p.phone.wrong()
	if err != nil {
		return err
	}
	for range 10 {
		_, err := p.answers(ctx, challengeCode, c.Session, code)
		if enroll.KindOf(err) != enroll.CodeMismatch {
			return refused(err, enroll.TooManyRequests)
		}
	}
	return errors.New("ten wrong codes are refused one by one")
}

func (p *person) waitsForLockOut(ctx context.Context) error {
	if err := p.waits(time.Minute); err != nil {
		return err
	}
	return p.sendsCodeOfPhone(ctx)
}
