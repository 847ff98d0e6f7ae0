package enroll

import (
	"context"
	"log/slog"
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
	key := pendingKey(r.Credential)
	v, _, err := shared(ctx, s, &s.verifies, key+":"+hashed(r.Code.Reveal()), func(ctx context.Context, _ <-chan struct{}) (Verification, error) {
		v, err := s.verify(ctx, key, r)
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

func (s *Service) verify(ctx context.Context, key string, r VerifyRequest) (v Verification, err error) {
	p, found := s.pending(ctx, key)
	check := codeCheck{known: found, at: s.Now()}
	if found && r.Credential.Identity != nil {
		defer s.Store.Lock(ctx, verifying(key))()
		if now, _ := s.Store.Load(ctx, key); now.Secret == "" && now.Started.Equal(p.Started) {
			return s.verifiedMeanwhile(ctx, &check, p, r)
		}
	}
	if found {
		if err := s.checkCode(ctx, &check, p, r); err != nil {
			return Verification{}, err
		}
	}
	c := r.Credential
	if p.Session != "" {
		c.Session = p.Session // The newest of the chain; the caller may hold an older one.
	}
	err = s.within(ctx, c, verifyBudget(), func(ctx context.Context) error {
		v, err = s.submit(ctx, c, r, check, p)
		return err
	})
	return v, err
}

// submit has Cognito judge a code, and does what comes after a right one.
func (s *Service) submit(ctx context.Context, c Credential, r VerifyRequest, check codeCheck, p Pending) (Verification, error) {
	if err := s.holdStepUp(ctx, c.Identity); err != nil {
		return Verification{}, err
	}
	next, err := s.verifyCode(ctx, c, r.Code, r.DeviceName)
	if err != nil {
		return Verification{}, s.refusedCode(ctx, err, check, p)
	}
	if check.known {
		s.verified(ctx, p, c.Flow())
	}

	v := Verification{CodeReusableAt: nextCodeAt(check.at, check.offset)}
	if c.Identity != nil {
		v.Status, err = s.switchOn(ctx, *c.Identity, r.Preferred)
		return v, err
	}
	v.Session = next
	if r.SignIn != nil {
		s.completeSignIn(ctx, &v, *r.SignIn)
	}
	return v, nil
}

// verified forgets an enrollment that is over. By token it is remembered that it is
// for as long as others may wait for the lock, without its secret.
func (s *Service) verified(ctx context.Context, p Pending, flow Flow) {
	now := s.Now()
	s.Store.Delete(ctx, p)
	s.Metrics.EnrollmentTook(string(flow), now.Sub(p.Started))
	if flow == FlowToken {
		s.Store.Save(ctx, Pending{Keys: p.Keys, Started: p.Started, Expires: now.Add(s.WorkTimeout)})
	}
}

// verifiedMeanwhile answers the second click of a double click whose first was
// verified at another replica while this one waited for it. It costs a read, and
// a call of the quota only where the first could not switch TOTP on.
func (s *Service) verifiedMeanwhile(ctx context.Context, check *codeCheck, p Pending, r VerifyRequest) (v Verification, err error) {
	if check.look(p.Secret, r.Code); !check.fits {
		return v, check.mismatch("the code fits no step within one of now")
	}
	v.CodeReusableAt = nextCodeAt(check.at, check.offset)
	status, err := s.Status(ctx, *r.Credential.Identity)
	if err == nil && status.TOTP.Enabled {
		v.Status = &status
		return v, nil
	}
	v.Status, err = s.switchOn(ctx, *r.Credential.Identity, r.Preferred)
	return v, err
}

// codeCheck is what is known of a code before Cognito sees it.
type codeCheck struct {
	known  bool      // the pending secret is at hand
	fits   bool      // the code fits a step that Cognito accepts
	offset int       // the step that it fits, relative to now
	at     time.Time // when it was looked at
}

// look finds the step that a code fits, and reports whether there is one.
func (c *codeCheck) look(secret, code Secret) (found bool) {
	c.offset, found = fittingStep(secret, code, c.at)
	c.fits = found && c.offset >= -acceptedSteps && c.offset <= acceptedSteps
	return found
}

// checkCode looks at a code where the pending secret is at hand. One that fits
// no accepted step is refused here: no session burned, no quota spent, no
// lock-out. In the token flow every third one goes on to Cognito all the same,
// since another client may have replaced the secret, and there a refusal burns
// nothing.
func (s *Service) checkCode(ctx context.Context, check *codeCheck, p Pending, r VerifyRequest) error {
	tries, reset := s.Store.CountTry(ctx, p.Keys[0], tryWindow)
	if tries > maxTries {
		return &Error{Kind: TooManyRequests, Reason: "too many wrong codes", RetryAfter: reset}
	}
	if check.look(p.Secret, r.Code) {
		s.Metrics.CodeFitted(check.offset)
	}
	if check.fits || r.Credential.Identity != nil && tries%secondLook == 0 {
		return nil
	}
	s.Metrics.RejectedLocally()
	return check.mismatch("the code fits no step within one of now")
}

// mismatch is the wrong code, with the skew that explains it where one does.
func (c codeCheck) mismatch(reason string) *Error {
	return &Error{Kind: CodeMismatch, Reason: reason, ClockSkew: skewOf(c.offset)}
}

// refusedCode gives Cognito's refusal its meaning. A code that fits the secret
// at hand and is refused means that the secret is not the newest any more.
func (s *Service) refusedCode(ctx context.Context, err error, check codeCheck, p Pending) error {
	if KindOf(err) != CodeMismatch {
		return err
	}
	if check.fits {
		s.Store.Delete(ctx, p)
		return &Error{Kind: EnrollmentReplaced, Reason: "Cognito refused a code that fits the pending secret", Cause: err}
	}
	mismatch := check.mismatch("Cognito refused the code")
	mismatch.Cause = err
	return mismatch
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
func (s *Service) completeSignIn(ctx context.Context, v *Verification, c CompleteSignIn) {
	in, err := s.answer(ctx, Answer{Challenge: ChallengeMFASetup, ClientID: c.ClientID, Username: c.Username, Session: v.Session, Context: c.Context})
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
	case CodeMismatch, CodeAlreadyUsed, EnrollmentReplaced:
		return metrics.ResultWrongCode
	default:
		return metrics.ResultFailed
	}
}
