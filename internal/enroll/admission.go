package enroll

import (
	"context"
	"errors"
	"slices"
	"sync"

	"mfa-enrollment/internal/permit"
)

// What a call to Cognito is to the limits.
const (
	callWrite  = iota // AssociateSoftwareToken, VerifySoftwareToken, SetUserMFAPreference
	callRead          // GetUser
	callAnswer        // RespondToAuthChallenge
	callKinds
)

// budget is how many calls of each kind an operation may make.
type budget struct {
	calls [callKinds]int
	start bool // it may start an enrollment
}

// The operations' budgets. A call beyond them gets no permit, and the client
// refuses it.
func startBudget() budget {
	return budget{calls: [callKinds]int{callWrite: 1, callRead: 1}, start: true}
}
func verifyBudget() budget {
	return budget{calls: [callKinds]int{callWrite: 2, callRead: 3, callAnswer: 1}}
}
func changeBudget() budget { return budget{calls: [callKinds]int{callWrite: 1, callRead: 3}} }
func statusBudget() budget { return budget{calls: [callKinds]int{callRead: 1}} }
func answerBudget() budget { return budget{calls: [callKinds]int{callAnswer: 1}} }

// admission is what one operation of a caller may ask of Cognito, and what came
// of it. The flows hand it on in the context.
type admission struct {
	caller   Credential
	standing Standing
	taken    Taken
	reserved []Want

	mu        sync.Mutex
	left      [callKinds]int
	permitted [callKinds]int
	outages   [callKinds]int // of those that were permitted
	good      bool           // Cognito took a call
	worst     verdict
	refused   Kind     // with which Cognito refused the token
	sessions  []Secret // that Cognito handed out
}

type admissionKey struct{}

// admitted is the admission that a context carries, or nil.
func admitted(ctx context.Context) *admission {
	a, _ := ctx.Value(admissionKey{}).(*admission)
	return a
}

// within runs an operation within the limits of its caller. The tokens are
// reserved before Cognito is called, and given back when the answers are known:
// so many simultaneous requests cost no more than as many in a row. An operation
// that is part of another one is within that one's limits. Shared work settles
// while it writes the enrollment.
func (s *Service) within(ctx context.Context, c Credential, b budget, do func(context.Context) error) error {
	if admitted(ctx) != nil {
		return do(ctx)
	}
	a, err := s.admit(ctx, c, b)
	if err != nil {
		return err
	}
	defer s.meanwhile(ctx, func() { s.settle(context.WithoutCancel(ctx), a) })
	return do(context.WithValue(ctx, admissionKey{}, a))
}

// ask makes one call to Cognito, with a permit of the operation's admission.
func ask[T any](ctx context.Context, kind int, call func(permit.Permit) (T, error)) (T, error) {
	a := admitted(ctx)
	answer, err := call(a.permit(kind))
	a.note(kind, err)
	return answer, err
}

// permit mints one as long as the budget lasts.
func (a *admission) permit(kind int) permit.Permit {
	if a == nil {
		return permit.Permit{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left[kind] == 0 {
		return permit.Permit{}
	}
	a.left[kind]--
	a.permitted[kind]++
	return permit.Mint()
}

// note enters what Cognito answered.
func (a *admission) note(kind int, err error) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := verdictOf(err)
	a.worst = max(a.worst, v)
	switch v {
	case verdictGood:
		a.good = true
	case verdictNone:
		a.outages[kind]++
	}
	if v != verdictNone && slices.Contains(rememberedRefusals, KindOf(err)) {
		a.refused = KindOf(err)
	}
}

// answered is how many calls of a kind count against the caller.
func (a *admission) answered(kind int) int { return a.permitted[kind] - a.outages[kind] }

// handed notes a session that Cognito handed out. Whoever comes back with it is
// no stranger.
func (a *admission) handed(session Secret) {
	if a == nil || session == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = append(a.sessions, session)
}

// verdict is what an answer of Cognito's says of the caller, the worse the higher.
type verdict int

const (
	verdictNone    verdict = iota // nothing: an outage
	verdictGood                   // the token or session is good
	verdictWrong                  // refused, for a reason that a made-up session does not reach
	verdictRefused                // what a made-up session would get too
)

// verdictOf judges an answer. Outages count against nobody: no answer, an answer
// that was lost, Cognito's own faults, the account's quota, and what this service
// refused itself.
func verdictOf(err error) verdict {
	if err == nil {
		return verdictGood
	}
	if errors.Is(err, ErrNotAsked) {
		return verdictNone
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		e, ok := cause.(*Error) //nolint:errorlint // Each error of the chain is looked at by itself.
		if !ok {
			break
		}
		if e.Kind == UpstreamTimeout || e.Kind == UpstreamUnavailable || e.OfAccount {
			return verdictNone
		}
	}
	switch KindOf(err) {
	case SessionExpired, InvalidRequest, UserNotFound, TooManyRequests:
		return verdictRefused
	default:
		return verdictWrong
	}
}

// admit reserves what an operation needs, or says when it can.
func (s *Service) admit(ctx context.Context, c Credential, b budget) (*admission, error) {
	a := &admission{caller: c, left: b.calls}
	if c.Identity != nil {
		return a, s.admitToken(ctx, a, b)
	}
	return a, s.admitSession(ctx, a, b)
}

func (s *Service) admitToken(ctx context.Context, a *admission, b budget) error {
	cases := s.guards.tokenCases(*a.caller.Identity, b)
	a.taken = s.Limiter.Take(ctx, cases...)
	if a.taken.Wait > 0 {
		return s.limited(a.taken)
	}
	if a.taken.Case < len(rememberedRefusals) {
		return &Error{Kind: rememberedRefusals[a.taken.Case], Reason: "Cognito refused this token lately", Cause: ErrNotAsked}
	}
	a.reserved = cases[a.taken.Case].Wants
	return nil
}

func (s *Service) admitSession(ctx context.Context, a *admission, b budget) error {
	all := s.guards.strangers
	if b.calls[callWrite] == 0 {
		all = s.guards.signIns
	}
	session, address := hashed(a.caller.Session.Reveal()), a.caller.Address
	cases := s.guards.sessionCases(session, address, all)
	waiting, cancel := context.WithTimeout(ctx, doorPatience)
	defer cancel()
	for {
		a.taken = s.Limiter.Take(ctx, cases...)
		if a.taken.Case != caseSeen && s.waited.ended(address, session) {
			if a.taken.Wait == 0 {
				s.Limiter.Settle(ctx, cases[a.taken.Case].Wants, nil)
			}
			return &Error{Kind: SessionExpired, Reason: "the session waited here for longer than it lives", Cause: ErrNotAsked}
		}
		if a.taken.Wait == 0 {
			break
		}
		if a.taken.Met.Name != s.guards.address.Name || !s.door.wait(waiting, address) {
			s.waited.note(address, session)
			s.askBack(ctx, a.taken, cases[caseNewcomer])
			return s.limited(a.taken)
		}
	}
	for _, w := range cases[a.taken.Case].Wants {
		if w.OfMark {
			w.Of, w.OfMark = a.taken.Value, false
		}
		a.reserved = append(a.reserved, w)
	}
	a.standing = standingOf(a.taken.Case, b)
	if a.taken.Case != caseSeen {
		s.door.enter(address)
	}
	return nil
}

// askBack remembers the session of a new address that met a limit, so that it has
// the same right when it comes back.
func (s *Service) askBack(ctx context.Context, t Taken, newcomer Case) {
	if t.Case != caseStranger {
		return
	}
	var fresh []Want
	for _, w := range newcomer.Wants {
		if w.Guard == s.guards.newcomer || w.Guard == s.guards.newSite || w.Guard == s.guards.newNetwork {
			fresh = append(fresh, w)
		}
	}
	s.Limiter.Take(ctx, Case{Wants: fresh, Sets: newcomer.Sets})
}

// standingOf is how a session ranks in the line for the write quota. Only a start
// can come with a session that nobody here has seen and be honest.
func standingOf(decided int, b budget) Standing {
	switch {
	case decided == caseSeen, decided == caseKnown && b.start:
		return Known
	case b.start && decided != caseStranger:
		return Unknown
	default:
		return Stranger
	}
}

func (s *Service) limited(t Taken) error {
	s.Metrics.RateLimited(t.Met.Name)
	return &Error{Kind: TooManyRequests, Reason: "limit " + t.Met.Name, RetryAfter: t.Wait, Limit: &t.Met, Cause: ErrNotAsked}
}

// settle gives back what was not spent, and remembers what was learned.
func (s *Service) settle(ctx context.Context, a *admission) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var back []Want
	var marks []Mark
	if a.caller.Identity != nil {
		back, marks = s.guards.afterToken(a)
	} else {
		back, marks = s.guards.afterSession(a, s.AuthSessionValidity)
	}
	if len(back)+len(marks) > 0 {
		s.Limiter.Settle(ctx, back, marks)
	}
	if a.caller.Identity == nil && a.taken.Case != caseSeen {
		if a.worst == verdictNone {
			s.waited.note(a.caller.Address, hashed(a.caller.Session.Reveal()))
		}
		gaveBack := false
		for _, w := range back {
			gaveBack = gaveBack || w.Guard == s.guards.address
		}
		s.door.leave(a.caller.Address, gaveBack)
	}
}
