// Package enroll holds the flows: starting an enrollment, finishing it, and what
// comes after. It is plain Go and knows neither HTTP nor the AWS SDK; what it
// needs of Cognito and of the store it declares as interfaces.
package enroll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"mfa-enrollment/metrics"
)

// Options configures a Service.
type Options struct {
	Pool    UserPool
	Store   Store // NoStore{} to keep nothing
	Limiter Limiter
	Metrics *metrics.Metrics
	Logger  *slog.Logger
	Now     func() time.Time

	// Issuer is the name that the authenticator app shows.
	Issuer string
	// AccountLabel is the attribute that names the account in the app: email,
	// phone_number, preferred_username or username.
	AccountLabel string
	// ClientIDs are the app clients whose challenges may be answered.
	ClientIDs []string
	// PendingTTL is how long an enrollment by token may take. Zero: nothing is
	// kept.
	PendingTTL time.Duration
	// AuthSessionValidity is how long a session lives, as the app client is
	// set to.
	AuthSessionValidity time.Duration
	// StepUpMaxAge is how old a sign-in may be that replaces or switches off a
	// working authenticator app. Zero: any age.
	StepUpMaxAge time.Duration
	// WriteRPS is the account's quota of calls a second that start and finish
	// enrollments.
	WriteRPS float64
	// Events is told what happened to people's factors. Nil: nobody is told.
	Events Events
	// Identify names the bearer of an access token that Cognito has just given.
	// Nil: who signed in stays unknown.
	Identify func(ctx context.Context, accessToken string) (Identity, error)
	// Policy says who is asked to set up a second factor, and from when.
	Policy Policy
	// WorkTimeout bounds work that goes on when its caller has left, because
	// others wait for it or because Cognito works once only.
	WorkTimeout time.Duration
}

// Service carries people through an enrollment. It is safe for concurrent use.
type Service struct {
	Options
	guards   guards
	door     door
	waited   *waited
	starts   flights[started]
	verifies flights[Verification]
	answers  flights[SignIn]
}

// New makes a Service.
func New(o Options) *Service {
	return &Service{Options: o, guards: guardsFor(o.WriteRPS), waited: newWaited(o.AuthSessionValidity, o.Now)}
}

// shared runs do once for all simultaneous callers with the same key, and gives
// its answer to all of them. It goes on when they have left, since Cognito's
// sessions work once and so the answer must be kept; abandoned is closed then, for
// what need not be begun any more. mine reports whether this caller's do was the
// one that ran.
func shared[T any](ctx context.Context, s *Service, f *flights[T], key string, do func(ctx context.Context, abandoned <-chan struct{}) (T, error)) (value T, mine bool, err error) {
	return f.do(ctx, key, func(abandoned <-chan struct{}) (T, error) {
		work, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.WorkTimeout)
		defer cancel()
		var rest sync.WaitGroup
		defer rest.Wait()
		work = context.WithValue(work, restKey{}, &rest)
		return survived(s, func() (T, error) { return do(work, abandoned) })
	})
}

// restKey is for what shared work does besides, and waits for before it answers.
type restKey struct{}

// meanwhile does something besides the shared work of a context, or at once
// where there is none.
func (s *Service) meanwhile(ctx context.Context, do func()) {
	rest, ok := ctx.Value(restKey{}).(*sync.WaitGroup)
	if !ok {
		do()
		return
	}
	rest.Go(func() {
		if _, err := survived(s, func() (struct{}, error) { do(); return struct{}{}, nil }); err != nil {
			s.Logger.ErrorContext(ctx, "work besides a request failed", slog.String("reason", err.Error()))
		}
	})
}

// survived turns a panic into an error: those who share the work must get an
// answer, and on a goroutine of its own a panic would end the process for
// everybody. Its value is not told, since it may hold what was submitted.
func survived[T any](s *Service, do func() (T, error)) (value T, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.Metrics.Panicked()
			err = &Error{Kind: Internal, Reason: fmt.Sprintf("panic of type %T at %s", v, debug.Stack())}
		}
	}()
	return do()
}

// holdStepUp refuses an old sign-in where it would replace or weaken a working
// authenticator app (RFC 9470). A fresh one needs no look-up. Where the status
// cannot be read nobody knows whether there is a working app, so the person is
// asked to repeat the request: neither a pass nor a sign-in for nothing.
func (s *Service) holdStepUp(ctx context.Context, c Credential) error {
	if !s.stale(c.Identity) {
		return nil
	}
	user, err := s.user(ctx, *c.Identity)
	switch {
	case err == nil && user.hasTOTP():
		return s.stepUp(c)
	case unreadable(err):
		return &Error{Kind: Busy, Reason: "the status could not be read: " + err.Error(), RetryAfter: time.Second, Cause: err}
	}
	return err
}

// unreadable reports whether a status could not be read for a reason that is not
// the caller's: an outage, or a throttle of the whole account.
func unreadable(err error) bool {
	switch KindOf(err) {
	case UpstreamUnavailable, UpstreamTimeout, Internal, Busy:
		return true
	}
	e, ok := errors.AsType[*Error](err)
	return ok && e.OfAccount
}

func (s *Service) stepUp(c Credential) error {
	s.tell(StepUpRefused, c, nil, "")
	return &Error{Kind: StepUpRequired, Reason: "auth_time is too old", MaxAge: s.StepUpMaxAge}
}

// stale reports whether the sign-in is older than a step-up allows.
func (s *Service) stale(id *Identity) bool {
	return id != nil && s.StepUpMaxAge > 0 && s.Now().Sub(id.AuthTime) > s.StepUpMaxAge
}

func (u User) hasTOTP() bool { return slices.Contains(u.Methods, MethodTOTP) }
