package enroll

import (
	"context"
	"errors"
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
	// Left tells how many there are, and takes none.
	Left(ctx context.Context, g Guard, caller string) int
	// GiveBack returns one that was taken.
	GiveBack(ctx context.Context, g Guard, caller string)
}

// guards are the limits of what may reach Cognito, so that a stranger with
// made-up sessions cannot spend the account's quota. A start that is answered
// from a pending enrollment, and a code that is refused here, cost nothing.
//
// By session only what Cognito refuses counts: a whole company may enroll from
// one address on one morning. An address is known for an hour after a session
// from there was good. One that is not has one call under way; what is beyond
// that, and all of it for a while after a refusal, makes it a stranger.
// Strangers share a fifth of the quota, however many they are.
type guards struct {
	subject, address, strangers Guard
	known, suspect              Guard // spent by what makes an address so
}

func guardsFor(quota float64) guards {
	each := time.Duration(float64(time.Second) * 5 / quota)
	return guards{
		subject:   Guard{Name: "subject", Burst: 20, Interval: 6 * time.Second},
		address:   Guard{Name: "address", Burst: 20, Interval: 6 * time.Second},
		strangers: Guard{Name: "strangers", Burst: int(2 * quota), Interval: each},
		known:     Guard{Name: "known", Burst: 1, Interval: time.Hour},
		suspect:   Guard{Name: "suspect", Burst: 1, Interval: 15 * time.Minute},
	}
}

// guarded makes a call to Cognito within the limits of its caller.
func (s *Service) guarded(ctx context.Context, c Credential, call func(Credential) error) error {
	switch {
	case c.Identity != nil:
		if _, err := s.take(ctx, s.guards.subject, hashed(c.Identity.PoolID, c.Identity.Subject)); err != nil {
			return err
		}
		return call(c)
	case s.is(ctx, s.guards.known, c.Address):
		return s.guardedKnown(ctx, c, call)
	}
	c.Standing = Unknown
	left, err := s.take(ctx, s.guards.address, c.Address)
	if err != nil {
		return err
	}
	if left < s.guards.address.Burst-1 || s.is(ctx, s.guards.suspect, c.Address) {
		c.Standing = Stranger
		if _, err := s.take(ctx, s.guards.strangers, ""); err != nil {
			s.Limiter.GiveBack(ctx, s.guards.address, c.Address)
			return err
		}
	}
	err = call(c)
	if costly(err) {
		s.Limiter.Take(ctx, s.guards.suspect, hashed(c.Address))
		return err
	}
	s.Limiter.GiveBack(ctx, s.guards.address, c.Address)
	if c.Standing == Stranger {
		s.Limiter.GiveBack(ctx, s.guards.strangers, "")
	}
	if err == nil {
		s.Limiter.Take(ctx, s.guards.known, hashed(c.Address))
	}
	return err
}

// guardedKnown counts what was refused when it was.
func (s *Service) guardedKnown(ctx context.Context, c Credential, call func(Credential) error) error {
	if s.Limiter.Left(ctx, s.guards.address, c.Address) == 0 {
		if _, err := s.take(ctx, s.guards.address, c.Address); err != nil {
			return err
		}
		s.Limiter.GiveBack(ctx, s.guards.address, c.Address)
	}
	err := call(c)
	if costly(err) {
		s.Limiter.Take(ctx, s.guards.address, c.Address)
	}
	return err
}

// is tells whether an address is known, or suspect.
func (s *Service) is(ctx context.Context, g Guard, address string) bool {
	return s.Limiter.Left(ctx, g, hashed(address)) == 0
}

// costly tells whether an answer of Cognito's is one that a stranger would get.
func costly(err error) bool {
	if errors.Is(err, ErrNotAsked) {
		return false
	}
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
