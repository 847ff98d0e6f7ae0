package enroll

import (
	"context"
	"log/slog"

	"mfa-enrollment/metrics"
)

// Status is which second factors a person has on.
type Status struct {
	TOTP      Preference
	Methods   []string // by Cognito's names
	Preferred string   // the factor that is asked for first, or empty
	// Next is what a front end should do about a second factor.
	Next Next
}

// Status reads a person's factors.
func (s *Service) Status(ctx context.Context, id Identity) (Status, error) {
	user, err := s.user(ctx, id)
	if err != nil {
		return Status{}, err
	}
	return s.statusOf(id, user), nil
}

func (s *Service) statusOf(id Identity, u User) Status {
	return Status{
		TOTP:      Preference{Enabled: u.hasTOTP(), Preferred: u.Preferred == MethodTOTP},
		Methods:   u.Methods,
		Preferred: u.Preferred,
		Next:      s.Policy.next(id, u.Methods, s.Now()),
	}
}

// SetPreference switches TOTP on or off and makes it the preferred factor or
// not. What weakens a working one, switching it off or no longer preferring it,
// wants a recent sign-in.
func (s *Service) SetPreference(ctx context.Context, c Credential, p Preference) (status Status, err error) {
	if p.Preferred && !p.Enabled {
		return Status{}, Invalid("preferred", "must be false or left out when enabled is false")
	}
	err = s.within(ctx, c, changeBudget(), func(ctx context.Context) error {
		status, err = s.setPreference(ctx, c, p)
		return err
	})
	return status, err
}

func (s *Service) setPreference(ctx context.Context, c Credential, p Preference) (Status, error) {
	id := *c.Identity
	if !p.Enabled || !p.Preferred {
		if err := s.holdStepUp(ctx, c); err != nil {
			return Status{}, err
		}
	}
	if err := s.change(ctx, id, p); err != nil {
		if !p.Enabled {
			return s.refusedOff(ctx, id, err)
		}
		return Status{}, err
	}
	status := s.statusAfter(ctx, id, p)
	if !p.Enabled && status.TOTP.Enabled {
		// A required pool was seen to let people switch off everything (Amplify
		// Flutter, mfa_totp_required_test). One that says yes and does nothing is
		// not documented, nor excluded.
		return Status{}, Fail(MFARequiredByPool, "still on after it was switched off")
	}
	if p.Enabled {
		s.tell(AppSwitchedOn, c, nil, "")
	} else {
		s.tell(AppSwitchedOff, c, nil, "")
	}
	return *status, nil
}

// refusedOff answers where Cognito refused to switch TOTP off. It does so, too,
// where an app was never set up; then all is as the person wants it. What the pool
// requires cannot be told from such a refusal, only from one that says so.
func (s *Service) refusedOff(ctx context.Context, id Identity, refusal error) (Status, error) {
	switch KindOf(refusal) {
	case NoPendingEnrollment, RefusedByPool:
	default:
		return Status{}, refusal
	}
	user, err := s.user(ctx, id)
	if err != nil || user.hasTOTP() {
		return Status{}, &Error{Kind: RefusedByPool, Reason: "switching off was refused: " + refusal.Error(), Cause: refusal}
	}
	return s.statusOf(id, user), nil
}

func (s *Service) change(ctx context.Context, id Identity, p Preference) error {
	err := s.setTOTP(ctx, id, p)
	change, result := metrics.ChangeOff, metrics.ResultOK
	if p.Enabled {
		change = metrics.ChangeOn
	}
	if err != nil {
		result = metrics.ResultFailed
	}
	s.Metrics.PreferenceChanged(change, result)
	return err
}

// statusAfter reads the status after a change that succeeded. When that cannot
// be read, what was just set is told: the change must not look like a failure.
func (s *Service) statusAfter(ctx context.Context, id Identity, p Preference) *Status {
	user, err := s.user(ctx, id)
	if err == nil {
		status := s.statusOf(id, user)
		return &status
	}
	s.Logger.WarnContext(ctx, "the status after a change could not be read; what was set is told", slog.String("reason", err.Error()))
	// Which other factors are on is not known, so nothing is asked for.
	status := Status{TOTP: p, Next: NextNone}
	if p.Enabled {
		status.Methods = []string{MethodTOTP}
	}
	if p.Preferred {
		status.Preferred = MethodTOTP
	}
	return &status
}
