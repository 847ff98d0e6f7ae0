package enroll

import (
	"context"
	"slices"

	"mfa-enrollment/metrics"
)

// Answer answers a challenge of a sign-in, for a configured app client. A session
// works once, so simultaneous answers with one session make one call, and an
// answer that comes to another replica at the same time is told that the session
// is spent.
func (s *Service) Answer(ctx context.Context, a Answer) (SignIn, error) {
	if err := s.checkAnswer(a); err != nil {
		return SignIn{}, err
	}
	c := Credential{Session: a.Session}
	in, _, err := shared(ctx, s, &s.answers, c.request("answer", a.Challenge, a.ClientID, a.Username, a.Code.Reveal(), a.Method), func(ctx context.Context, _ <-chan struct{}) (SignIn, error) {
		hold := s.Store.Hold(ctx, nameOf(c))
		defer hold.Release(ctx)
		p, found := hold.Pending()
		if found && p.Done {
			return SignIn{}, &Error{Kind: SessionExpired, Reason: "the session was answered already", Cause: ErrNotAsked}
		}
		in, err := s.answer(ctx, a)
		if err == nil {
			if a.Challenge == ChallengeMFASetup {
				s.tellSignIn(Credential{ClientIP: a.Context.ClientIP}, &CompleteSignIn{Username: a.Username, ClientID: a.ClientID}, &in, "")
			}
			hold.Save(p.verifiedBy(c, a.Code, s.Now().Add(s.WorkTimeout)), "")
		}
		return in, err
	})
	return in, err
}

func (s *Service) checkAnswer(a Answer) error {
	switch {
	case slices.Contains(codeChallenges, a.Challenge) && a.Code == "":
		return Invalid("code", "must be there for "+a.Challenge)
	case a.Challenge == ChallengeSelectMFA && a.Method == "":
		return Invalid("answer", "must be there for SELECT_MFA_TYPE")
	default:
		return s.checkClient(a.ClientID)
	}
}

// codeChallenges are the challenges that a code answers.
var codeChallenges = []string{MethodTOTP, ChallengeSMS, ChallengeEmail}

// checkClient keeps the service from answering for app clients that its
// operator did not name.
func (s *Service) checkClient(id string) error {
	if slices.Contains(s.ClientIDs, id) {
		return nil
	}
	return Invalid("clientId", "must be an app client that this service is set up for")
}

func (s *Service) answer(ctx context.Context, a Answer) (SignIn, error) {
	in, err := s.respond(ctx, a)
	s.identify(ctx, &in)
	s.Metrics.ChallengeAnswered(a.Challenge, answerResult(in, err))
	return in, err
}

func answerResult(in SignIn, err error) string {
	switch KindOf(err) {
	case CodeMismatch, CodeAlreadyUsed:
		return metrics.ResultWrongCode
	case "":
		if in.Tokens == nil {
			return metrics.ResultChallenge
		}
		return metrics.ResultOK
	default:
		return metrics.ResultFailed
	}
}
