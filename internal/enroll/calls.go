package enroll

import (
	"context"

	"mfa-enrollment/internal/permit"
)

// This file is the only place that calls Cognito. Each call is within the limits
// of its caller (admission.go): an operation's, or where it is the only one of
// its operation, its own.

func (s *Service) associate(ctx context.Context, c Credential) (a Association, err error) {
	err = s.within(ctx, c, budget{calls: [callKinds]int{callWrite: 1}, start: true}, func(ctx context.Context) error {
		a, err = ask(ctx, callWrite, func(p permit.Permit) (Association, error) { return s.Pool.Associate(ctx, p, ranked(ctx, c)) })
		admitted(ctx).handed(a.Session)
		return err
	})
	return a, err
}

func (s *Service) verifyCode(ctx context.Context, c Credential, code Secret, deviceName string) (next Secret, err error) {
	err = s.within(ctx, c, budget{calls: [callKinds]int{callWrite: 1}}, func(ctx context.Context) error {
		next, err = ask(ctx, callWrite, func(p permit.Permit) (Secret, error) {
			return s.Pool.Verify(ctx, p, ranked(ctx, c), code, deviceName)
		})
		admitted(ctx).handed(next)
		return err
	})
	return next, err
}

func (s *Service) setTOTP(ctx context.Context, id Identity, change Preference) error {
	return s.within(ctx, Credential{Identity: &id}, changeBudget(), func(ctx context.Context) error {
		_, err := ask(ctx, callWrite, func(p permit.Permit) (struct{}, error) { return struct{}{}, s.Pool.SetTOTP(ctx, p, id.Token, change) })
		return err
	})
}

func (s *Service) user(ctx context.Context, id Identity) (u User, err error) {
	err = s.within(ctx, Credential{Identity: &id}, statusBudget(), func(ctx context.Context) error {
		u, err = ask(ctx, callRead, func(p permit.Permit) (User, error) { return s.Pool.User(ctx, p, id.Token) })
		return err
	})
	return u, err
}

func (s *Service) respond(ctx context.Context, a Answer) (in SignIn, err error) {
	err = s.within(ctx, Credential{Session: a.Session, Address: a.Address}, answerBudget(), func(ctx context.Context) error {
		in, err = ask(ctx, callAnswer, func(p permit.Permit) (SignIn, error) { return s.Pool.Answer(ctx, p, a) })
		if in.Challenge != nil {
			admitted(ctx).handed(in.Challenge.Session)
		}
		return err
	})
	return in, err
}

// ranked is a credential with the standing that the limits found.
func ranked(ctx context.Context, c Credential) Credential {
	c.Standing = admitted(ctx).standing
	return c
}
