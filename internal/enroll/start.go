package enroll

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"mfa-enrollment/internal/qr"
	"mfa-enrollment/metrics"
)

// StartRequest asks for an enrollment.
type StartRequest struct {
	Credential  Credential
	AccountName string // how the app names the account; empty: the operator's choice
	Renew       bool   // a new secret even when an enrollment is pending
}

// Enrollment is what a person needs to set up an authenticator app.
type Enrollment struct {
	Secret      Secret
	URI         Secret // otpauth://…, and what the QR code says
	Issuer      string // as the app shows it
	AccountName string // as the app shows it
	Session     Secret // session flow: what verifies
	ExpiresAt   time.Time
	Resumed     bool // the enrollment that was pending already
}

// Start begins an enrollment, or returns the one that is pending: a page that
// mounts twice, a reload and a retry all get the same secret. Simultaneous
// requests make one call to Cognito between them.
//
// A pending enrollment is shown to the sign-in that asked for it. Another sign-in
// of the same person gets a new secret, as from Cognito itself, and the newest
// counts.
func (s *Service) Start(ctx context.Context, r StartRequest) (Enrollment, error) {
	flow := string(r.Credential.Flow())
	p, created, err := s.pendingFor(ctx, r)
	if err != nil {
		s.Metrics.Started(flow, metrics.ResultFailed)
		return Enrollment{}, err
	}
	e, err := s.enrollment(p, r.AccountName)
	if err != nil {
		s.Metrics.Started(flow, metrics.ResultFailed)
		return Enrollment{}, err
	}
	e.Resumed = !created
	if created {
		s.Metrics.Started(flow, metrics.ResultCreated)
	} else {
		s.Metrics.Started(flow, metrics.ResultResumed)
	}
	return e, nil
}

// Show returns the enrollment that is pending for a sign-in, and asks Cognito for
// nothing.
func (s *Service) Show(ctx context.Context, id Identity) (Enrollment, error) {
	c := Credential{Identity: &id}
	p, found := s.Store.Find(ctx, nameOf(c))
	if !found || !p.shownTo(c, s.Now()) {
		return Enrollment{}, Fail(NoPendingEnrollment, "nothing is pending for this sign-in")
	}
	e, err := s.enrollment(p, "")
	e.Resumed = true
	return e, err
}

// started is a pending enrollment, and whether it was made just now.
type started struct {
	Pending
	created bool
}

// pendingFor finds the pending enrollment or makes one.
func (s *Service) pendingFor(ctx context.Context, r StartRequest) (p Pending, created bool, err error) {
	request := "start"
	if r.Renew {
		request = "renew"
	}
	o, mine, err := shared(ctx, s, &s.starts, r.Credential.request(request), func(ctx context.Context, abandoned <-chan struct{}) (started, error) {
		r.Credential.Abandoned = abandoned
		return s.findOrCreate(ctx, r)
	})
	return o.Pending, mine && o.created, err
}

func (s *Service) findOrCreate(ctx context.Context, r StartRequest) (started, error) {
	name := nameOf(r.Credential)
	seen, hold := s.Store.Claim(ctx, name)
	if !r.Renew && seen.shownTo(r.Credential, s.Now()) {
		return started{Pending: seen}, nil
	}
	if hold == nil {
		hold = s.Store.Hold(ctx, name)
	}
	defer hold.Release(ctx)
	// Another replica, or the request before this one, may have been first: then
	// what is there is not what was there before the wait.
	now, found := hold.Pending()
	if found && now.Secret != seen.Secret && now.shownTo(r.Credential, s.Now()) {
		return started{Pending: now}, nil
	}
	fresh, err := s.create(ctx, r, now)
	if err != nil {
		return started{}, err
	}
	hold.Save(fresh, alias(fresh))
	if !hold.Release(ctx) {
		return started{}, Fail(EnrollmentReplaced, "another request took over the enrollment")
	}
	if found && now.shown(s.Now()) && !now.belongsTo(r.Credential) {
		s.tell(OtherSignIn, r.Credential, nil, "")
	}
	return started{Pending: fresh, created: true}, nil
}

// alias is the session that leads to an enrollment as well as its name does.
func alias(p Pending) string {
	if p.Session == "" {
		return ""
	}
	return sessionName(p.Session)
}

// create asks Cognito for a secret, within the limits of one start.
func (s *Service) create(ctx context.Context, r StartRequest, old Pending) (p Pending, err error) {
	if r.Credential.Identity == nil {
		if err := s.renewable(old, s.Now()); err != nil {
			return Pending{}, err
		}
	}
	err = s.within(ctx, r.Credential, startBudget(), func(ctx context.Context) error {
		p, err = s.newPending(ctx, r, old)
		return err
	})
	return p, err
}

// newPending asks Cognito for a secret. The label is looked up at the same time,
// except where the sign-in is so old that replacing a working app would be
// refused at the end: then the status is read first, and no call is spent.
func (s *Service) newPending(ctx context.Context, r StartRequest, old Pending) (Pending, error) {
	c := r.Credential
	if c.Identity == nil {
		// The session that the caller holds is spent: the newest of the chain counts.
		c.Session = cmp.Or(old.Session, c.Session)
	}
	user, err := s.statusBefore(ctx, c)
	if err != nil {
		return Pending{}, err
	}
	label := s.label(ctx, r, user)
	association, err := s.associate(ctx, c)
	if err != nil {
		return Pending{}, err
	}
	name, replaces := label()
	p := Pending{
		Name: cmp.Or(old.Name, nameOf(r.Credential)), Secret: association.Secret, Session: association.Session,
		AccountName: name, Started: s.Now(), Replaces: replaces, Earlier: old.replaced(),
	}
	if old.belongsTo(c) {
		p.Tries = old.Tries
	}
	s.setEnds(&p, c.Identity, old)
	return p, nil
}

// setEnds says until when a new secret is shown, and until when codes are held
// against it. By token it is kept twice as long as it is shown, because Cognito
// takes its codes for as long as no other secret replaced it. The end of a
// sign-in does not move by asking for another secret.
func (s *Service) setEnds(p *Pending, id *Identity, old Pending) {
	switch {
	case id == nil && old.Name != "":
		p.Ends, p.Expires, p.Renewals = old.Ends, old.Expires, old.Renewals+1
	case id == nil:
		p.Ends = p.Started.Add(s.AuthSessionValidity)
		p.Expires = p.Ends
	case s.PendingTTL == 0:
		p.Ends = id.Expiry
	default:
		p.SignIn = id.SignIn
		p.Ends = p.Started.Add(s.PendingTTL)
		p.Expires = p.Ends.Add(s.PendingTTL)
	}
}

// renewable refuses another secret for a sign-in that is over, or that asked for
// too many.
func (s *Service) renewable(old Pending, now time.Time) error {
	switch {
	case old.Done:
		return &Error{Kind: SessionExpired, Reason: "the session was verified already", Cause: ErrNotAsked}
	case old.Renewals >= maxRenewals:
		return &Error{Kind: TooManyRequests, Reason: "too many secrets for one sign-in", RetryAfter: max(time.Second, old.Ends.Sub(now)), Cause: ErrNotAsked}
	}
	return nil
}

// statusBefore reads the person's factors where a step-up may be wanted, and
// refuses early where it is. Where the status cannot be read the enrollment may
// begin: verifying it holds the step-up again.
func (s *Service) statusBefore(ctx context.Context, c Credential) (*User, error) {
	id := c.Identity
	if !s.stale(id) {
		return nil, nil
	}
	user, err := s.user(ctx, *id)
	switch {
	case err == nil && user.hasTOTP():
		return nil, s.stepUp(c)
	case err == nil:
		return &user, nil
	case unreadable(err):
		return &User{Username: id.Username}, nil
	}
	return nil, err
}

// labelPatience bounds how long the look-up of a label may hold up an
// enrollment.
const labelPatience = 2 * time.Second

// label is the account's name in the app when the request gives none, and whether
// a working app is there already, to be asked for when they are needed: a look-up
// goes on meanwhile. It never fails an enrollment: what cannot be looked up is the
// username, and in the session flow, where nobody is known yet, the issuer.
func (s *Service) label(ctx context.Context, r StartRequest, user *User) func() (name string, replaces bool) {
	id, name, replaces := r.Credential.Identity, s.Issuer, false
	// Events tell an app that was replaced from a first one.
	needless := (r.AccountName != "" || s.AccountLabel == "username") && s.Events == nil
	switch {
	case id == nil:
	case user != nil:
		name, replaces = s.labelOf(*user, id), user.hasTOTP()
	case needless:
		name = id.Username
	default:
		looked := make(chan User, 1)
		go func() { looked <- s.lookUp(ctx, id) }()
		return func() (string, bool) {
			user := <-looked
			return s.labelOf(user, id), user.hasTOTP()
		}
	}
	return func() (string, bool) { return name, replaces }
}

// lookUp reads the person's attributes and factors, as far as it can in labelPatience.
// It survives everything: it has a goroutine of its own.
func (s *Service) lookUp(ctx context.Context, id *Identity) User {
	ctx, cancel := context.WithTimeout(ctx, labelPatience)
	defer cancel()
	user, err := survived(s, func() (User, error) { return s.user(ctx, *id) })
	if err != nil {
		s.Logger.WarnContext(ctx, "the label could not be looked up; the username stands in", slog.String("reason", err.Error()))
	}
	return user
}

// labelOf is the configured attribute, or another by which a person recognises
// the account. The username comes last: in a pool whose users sign in with an
// e-mail address it is a UUID.
func (s *Service) labelOf(user User, id *Identity) string {
	if s.AccountLabel == "username" {
		return id.Username
	}
	a := user.Attributes
	return cmp.Or(a[s.AccountLabel], a["email"], a["phone_number"], a["preferred_username"], id.Username)
}

// enrollment is a pending enrollment as the person sees it. A name in the
// request counts for this reply only, so that a retry with another one is not
// stuck with the first.
func (s *Service) enrollment(p Pending, accountName string) (Enrollment, error) {
	name := cmp.Or(qr.CleanAccountName(accountName), qr.CleanAccountName(p.AccountName), s.Issuer)
	key, err := qr.NewKey(s.Issuer, name, p.Secret.Reveal())
	if err != nil {
		return Enrollment{}, &Error{Kind: Internal, Reason: "no otpauth URI can be made", Cause: err}
	}
	uri, err := key.URI()
	if err != nil {
		return Enrollment{}, &Error{Kind: Internal, Reason: "no otpauth URI can be made", Cause: err}
	}
	return Enrollment{
		Secret: p.Secret, URI: Secret(uri), Issuer: key.Issuer, AccountName: key.AccountName,
		Session: p.Session, ExpiresAt: p.Ends,
	}, nil
}
