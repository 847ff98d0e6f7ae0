package enroll

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"mfa-enrollment/metrics"
)

// VerifyRequest finishes an enrollment with a code.
type VerifyRequest struct {
	Credential Credential
	Code       Secret
	DeviceName string
	Preferred  bool // token flow: make TOTP the preferred factor as well
	// SignIn completes the sign-in too (session flow). Nil: only verify.
	SignIn *CompleteSignIn
}

// CompleteSignIn is what MFA_SETUP wants to be answered with.
type CompleteSignIn struct {
	Username string
	ClientID string
	Context  SignInContext
}

// Verification is what came of a right code: the status in the token flow; in
// the session flow tokens or a challenge, or the session that answers MFA_SETUP.
type Verification struct {
	Status  *Status
	Session Secret
	SignIn  *SignIn
	// CodeReusableAt is when the app shows another code: Cognito refuses one
	// that was used once.
	CodeReusableAt time.Time
}

// Verify finishes an enrollment. Simultaneous requests with the same code count
// as one, so that a double click does not spend a session's only use twice.
func (s *Service) Verify(ctx context.Context, r VerifyRequest) (Verification, error) {
	if err := s.checkVerify(r); err != nil {
		return Verification{}, err
	}
	v, _, err := shared(ctx, s, &s.verifies, r.Credential.request("verify", r.Code.Reveal()), func(ctx context.Context, _ <-chan struct{}) (Verification, error) {
		v, err := s.verify(ctx, r)
		s.Metrics.Verified(string(r.Credential.Flow()), verifyResult(err))
		return v, err
	})
	return v, err
}

// checkVerify refuses what could only fail after the code was spent.
func (s *Service) checkVerify(r VerifyRequest) error {
	switch {
	case r.SignIn == nil:
		return nil
	case r.Credential.Identity != nil:
		return Invalid("username", "must be left out together with an access token: the sign-in is complete already")
	case r.SignIn.Username == "":
		return Invalid("username", "must be there when clientId is")
	case r.SignIn.ClientID == "":
		return Invalid("clientId", "must be there when username is")
	default:
		return s.checkClient(r.SignIn.ClientID)
	}
}

// verify holds the enrollment until everything is done, so that what runs at once
// for one enrollment, at any replica, happens one after the other.
func (s *Service) verify(ctx context.Context, r VerifyRequest) (v Verification, err error) {
	hold := s.Store.Hold(ctx, nameOf(r.Credential))
	defer hold.Release(ctx)
	p, found := hold.Pending()
	check := codeCheck{at: s.Now()}
	defer func() {
		if check.last && verifyResult(err) == metrics.ResultWrongCode {
			s.tell(TriesUsedUp, r.Credential, r.SignIn, "")
		}
	}()
	switch {
	case found && p.Done:
		if v, over, err := s.verifiedMeanwhile(ctx, p, check, r); over {
			return v, err
		}
	case found && !p.belongsTo(r.Credential):
		return Verification{}, p.overtaken(r.Credential)
	case found:
		if err := s.checkCode(&check, p, hold, r.Code); err != nil {
			return Verification{}, err
		}
	}
	err = s.within(ctx, r.Credential, verifyBudget(), func(ctx context.Context) error {
		v, err = s.submit(ctx, r, check, p, hold)
		return err
	})
	return v, err
}

// submit has Cognito judge a code, and does what comes after a right one.
func (s *Service) submit(ctx context.Context, r VerifyRequest, check codeCheck, p Pending, hold Hold) (Verification, error) {
	if err := s.holdStepUp(ctx, r.Credential); err != nil {
		return Verification{}, err
	}
	c := r.Credential
	if p.Session != "" {
		c.Session = p.Session // The newest of the chain; the caller may hold an older one.
	}
	next, err := s.verifyCode(ctx, c, r.Code, r.DeviceName)
	if err != nil {
		return Verification{}, refusedCode(err, check, s.Now(), p, hold)
	}
	if check.fits {
		s.Metrics.EnrollmentTook(string(c.Flow()), s.Now().Sub(p.Started))
	}
	hold.Save(p.verifiedBy(r.Credential, r.Code, s.Now().Add(s.WorkTimeout)), "")
	v, err := s.finish(ctx, r, next, check)
	s.tellVerified(r, p, v, err)
	return v, err
}

// finish does what comes after a right code: switching on, or completing the
// sign-in.
func (s *Service) finish(ctx context.Context, r VerifyRequest, next Secret, check codeCheck) (v Verification, err error) {
	v.CodeReusableAt = nextCodeAt(check.at, check.offset)
	if id := r.Credential.Identity; id != nil {
		v.Status, err = s.switchOn(ctx, *id, r.Preferred)
		return v, err
	}
	v.Session = next
	if r.SignIn != nil {
		s.completeSignIn(ctx, &v, *r.SignIn, r.Credential.Address)
	}
	return v, nil
}

// verifiedMeanwhile answers a code for an enrollment that was verified a moment
// ago: the second click of a double click whose first came to another replica.
// By token it costs a read, and a call of the quota only where the first could
// not switch TOTP on. By session the first has the tokens, and the session is
// spent. Another code than the one that was accepted is for Cognito to judge
// (over is false).
func (s *Service) verifiedMeanwhile(ctx context.Context, p Pending, check codeCheck, r VerifyRequest) (v Verification, over bool, err error) {
	id := r.Credential.Identity
	if id == nil {
		return v, true, &Error{Kind: SessionExpired, Reason: "the session was verified already", Cause: ErrNotAsked}
	}
	if p.Code != hashed(r.Code.Reveal()) || !p.belongsTo(r.Credential) {
		return v, false, nil
	}
	err = s.within(ctx, r.Credential, verifyBudget(), func(ctx context.Context) error {
		status, err := s.Status(ctx, *id)
		if err != nil || !status.TOTP.Enabled {
			if v, err = s.finish(ctx, r, "", check); err == nil {
				s.tell(AppSwitchedOn, r.Credential, nil, r.DeviceName)
			}
			return err
		}
		v.CodeReusableAt, v.Status = nextCodeAt(check.at, 0), &status
		return nil
	})
	return v, true, err
}

// overtaken tells a sign-in that the pending enrollment is another's. Its code is
// not looked at: whether it is right is not for it to learn.
func (p Pending) overtaken(c Credential) error {
	if p.replacedFor(c) {
		return &Error{Kind: EnrollmentReplaced, Reason: "another sign-in asked for a new secret", Cause: ErrNotAsked}
	}
	return &Error{Kind: NoPendingEnrollment, Reason: "another sign-in's enrollment is pending", Cause: ErrNotAsked}
}

// codeCheck is what is known of a code before Cognito sees it.
type codeCheck struct {
	fits   bool      // the code fits a step that Cognito accepts
	offset int       // the step that it fits, relative to now
	at     time.Time // when it was looked at
	last   bool      // no other code is looked at in this window
}

// checkCode holds a code against the newest secret. One that fits no accepted
// step is refused here: no session burned, no quota spent, no lock-out. It never
// goes to Cognito, which has been reported to accept a code of an earlier secret
// (amplify-flutter#4509): the person would then throw the old app away.
func (s *Service) checkCode(check *codeCheck, p Pending, hold Hold, code Secret) error {
	wait := p.try(check.at)
	hold.Save(p, "")
	if wait > 0 {
		return &Error{Kind: TooManyRequests, Reason: "too many wrong codes", RetryAfter: wait, Cause: ErrNotAsked}
	}
	check.last = p.Tries.Count >= maxTries
	if p.Secret == "" { // Cognito refused a code of it; the newest is not known here.
		s.Metrics.RejectedLocally()
		return &Error{Kind: EnrollmentReplaced, Reason: "the newest secret is not known here", Cause: ErrNotAsked}
	}
	offset, found := fittingStep(p.Secret, code, check.at)
	if found {
		s.Metrics.CodeFitted(offset)
	}
	sent := hashed(code.Reveal())
	if check.offset = offset; found && accepted(offset) {
		check.fits = true
		p.Code = sent
		hold.Save(p, "")
		return nil
	}
	s.Metrics.RejectedLocally()
	switch {
	case p.Code == sent: // It waited for an outage or the quota, and no clock is to blame.
		return mismatch("the code fitted when it was sent first", 0)
	case found:
		return mismatch("the code fits another time", skewOf(offset))
	case p.fitsEarlier(code, check.at):
		return &Error{Kind: SupersededCode, Reason: "the code fits an earlier secret", Cause: ErrNotAsked}
	default:
		return mismatch("the code fits no time", hoursOff(p.Secret, code, check.at))
	}
}

// fitsEarlier reports whether a code is of a secret that the person asked for
// before, also by another sign-in: a step-up comes between a QR code and its code,
// or another browser. These secrets are worth nothing any more, and only the sign-in
// that asked for the newest gets this far (overtaken).
func (p Pending) fitsEarlier(code Secret, now time.Time) bool {
	return slices.ContainsFunc(p.Earlier, func(e Earlier) bool {
		_, found := fittingStep(e.Secret, code, now)
		return found
	})
}

// mismatch is the wrong code, with the skew that explains it where one does.
func mismatch(reason string, skew time.Duration) *Error {
	return &Error{Kind: CodeMismatch, Reason: reason, ClockSkew: skew, Cause: ErrNotAsked}
}

// clockSlack is how far Cognito's clock may be from what is known of it here: the
// offset is learned from whole seconds and half of a round trip, and not corrected
// under two seconds.
const clockSlack = 3 * time.Second

// mustBeTaken reports whether Cognito had to take a code that fits, whenever it
// judged it between the look here and its answer. A code that waits for the quota, or
// whose call is repeated, may have become too old on the way.
func (c codeCheck) mustBeTaken(answered time.Time) bool {
	step := stepAt(c.at) + int64(c.offset)
	first, last := stepAt(c.at.Add(-clockSlack)), stepAt(answered.Add(clockSlack))
	return c.fits && accepted(int(step-first)) && accepted(int(step-last))
}

// refusedCode gives Cognito's refusal its meaning. A code of the secret at hand that
// had to be taken and is refused means that the secret is not the newest any more.
// So does a Cognito that knows of no secret: whoever starts again must get another.
func refusedCode(err error, check codeCheck, answered time.Time, p Pending, hold Hold) error {
	switch kind := KindOf(err); {
	case kind == CodeMismatch && check.mustBeTaken(answered):
		err = &Error{Kind: EnrollmentReplaced, Reason: "Cognito refused a code that fits the pending secret", Cause: err}
	case kind == NoPendingEnrollment && check.fits:
	default:
		return err
	}
	hold.Save(p.outdated(), "")
	return err
}

// switchOn makes TOTP asked for after its secret was verified. When that fails
// the person must not be told that the code was wrong.
func (s *Service) switchOn(ctx context.Context, id Identity, preferred bool) (*Status, error) {
	p := Preference{Enabled: true, Preferred: preferred}
	if err := s.change(ctx, id, p); err != nil {
		e := &Error{Kind: VerifiedNotEnabled, Reason: "switching on failed: " + err.Error(), RetryAfter: time.Second, Cause: err}
		return nil, e
	}
	return s.statusAfter(ctx, id, p), nil
}

// completeSignIn answers MFA_SETUP. When that does not succeed the code was
// right all the same, so the session stays in the reply and answerChallenge
// finishes, or says why not.
func (s *Service) completeSignIn(ctx context.Context, v *Verification, c CompleteSignIn, address string) {
	in, err := s.answer(ctx, Answer{Challenge: ChallengeMFASetup, ClientID: c.ClientID, Username: c.Username, Session: v.Session, Context: c.Context, Address: address})
	if err != nil {
		s.Logger.WarnContext(ctx, "verified, but the sign-in was not completed", slog.String("reason", err.Error()))
		return
	}
	v.SignIn, v.Session = &in, ""
}

func verifyResult(err error) string {
	switch KindOf(err) {
	case "", VerifiedNotEnabled:
		return metrics.ResultOK
	case CodeMismatch, SupersededCode, CodeAlreadyUsed, EnrollmentReplaced:
		return metrics.ResultWrongCode
	default:
		return metrics.ResultFailed
	}
}
