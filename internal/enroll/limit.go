package enroll

import (
	"context"
	"time"
)

// Guard is a limit at the door: so many at once, and one more each interval.
type Guard struct {
	Name     string
	Burst    int
	Interval time.Duration
}

// Limiter keeps the allowances of callers. Package limit has one in memory and
// one in Redis.
type Limiter interface {
	// Take takes one from a caller's allowance and tells how many are left, or
	// how long it takes until there is one.
	Take(ctx context.Context, g Guard, caller string) (left int, wait time.Duration)
	// GiveBack returns one that was taken.
	GiveBack(ctx context.Context, g Guard, caller string)
}

// guards are the limits of what may reach Cognito, so that a stranger with
// made-up sessions cannot spend the account's quota. A start that is answered
// from a pending enrolment, and a code that is refused here, cost nothing.
//
// By session only what Cognito refuses counts: a whole company may enrol from
// one address on one morning. Addresses of which something was refused lately,
// or is under way, share the strangers' limit, a fifth of the quota, however many
// they are; people at addresses with a clean slate are not touched by it.
type guards struct {
	subject, address, strangers Guard
}

func guardsFor(quota float64) guards {
	each := time.Duration(float64(time.Second) * 5 / quota)
	return guards{
		subject:   Guard{Name: "subject", Burst: 20, Interval: 6 * time.Second},
		address:   Guard{Name: "address", Burst: 20, Interval: 6 * time.Second},
		strangers: Guard{Name: "strangers", Burst: int(2 * quota), Interval: each},
	}
}

// guarded makes a call to Cognito within the limits of its caller.
func (s *Service) guarded(ctx context.Context, c Credential, call func() error) error {
	if id := c.Identity; id != nil {
		if _, err := s.take(ctx, s.guards.subject, hashed(id.Issuer, id.Subject)); err != nil {
			return err
		}
		return call()
	}
	left, err := s.take(ctx, s.guards.address, c.Address)
	if err != nil {
		return err
	}
	stranger := left < s.guards.address.Burst-1
	if stranger {
		if _, err := s.take(ctx, s.guards.strangers, ""); err != nil {
			s.Limiter.GiveBack(ctx, s.guards.address, c.Address)
			return err
		}
	}
	err = call()
	if !costly(err) {
		s.Limiter.GiveBack(ctx, s.guards.address, c.Address)
		if stranger {
			s.Limiter.GiveBack(ctx, s.guards.strangers, "")
		}
	}
	return err
}

// costly tells whether an answer is one that a stranger would get.
func costly(err error) bool {
	switch KindOf(err) {
	case SessionExpired, InvalidRequest, UserNotFound, CodeMismatch, CodeAlreadyUsed, TooManyRequests:
		return true
	default:
		return false
	}
}

func (s *Service) take(ctx context.Context, g Guard, caller string) (left int, err error) {
	left, wait := s.Limiter.Take(ctx, g, caller)
	if wait == 0 {
		return left, nil
	}
	s.Metrics.RateLimited(g.Name)
	return 0, &Error{Kind: TooManyRequests, Reason: "limit " + g.Name, RetryAfter: wait, Limit: &g}
}
