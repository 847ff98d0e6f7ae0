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

// started is a pending enrollment, and whether it was made just now.
type started struct {
	Pending
	created bool
}

// pendingFor finds the pending enrollment or makes one.
func (s *Service) pendingFor(ctx context.Context, r StartRequest) (p Pending, created bool, err error) {
	key := pendingKey(r.Credential)
	seen, found := s.pending(ctx, key)
	if found && !r.Renew {
		return seen, false, nil
	}
	flight := key
	if r.Renew {
		flight = "renew:" + key
	}
	o, mine, err := shared(ctx, s, &s.starts, flight, func(ctx context.Context, abandoned <-chan struct{}) (started, error) {
		unlock := s.Store.Lock(ctx, key)
		defer unlock()
		// Another replica, or the request before this one, may have been first:
		// then what is there is not what was there before the wait.
		now, found := s.pending(ctx, key)
		if found && now.Secret != seen.Secret {
			return started{Pending: now}, nil
		}
		r.Credential.Abandoned = abandoned
		fresh, err := s.create(ctx, r, now)
		return started{Pending: fresh, created: true}, err
	})
	return o.Pending, mine && o.created, err
}

// create asks Cognito for a secret, within the limits of one start.
func (s *Service) create(ctx context.Context, r StartRequest, old Pending) (p Pending, err error) {
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
	user, err := s.statusBefore(ctx, r.Credential.Identity)
	if err != nil {
		return Pending{}, err
	}
	label := s.label(ctx, r, user)
	c := r.Credential
	if old.Session != "" {
		c.Session = old.Session // The session that the caller holds is spent.
	}
	association, err := s.associate(ctx, c)
	if err != nil {
		return Pending{}, err
	}
	p := Pending{
		Keys:        []string{pendingKey(r.Credential)},
		Secret:      association.Secret,
		Session:     association.Session,
		AccountName: label(),
		Started:     s.Now(),
	}
	if len(old.Keys) > 0 {
		p.Keys = old.Keys
	}
	p.Expires = p.Started.Add(s.PendingTTL)
	switch {
	case c.Identity == nil:
		p.Keys = append(p.Keys, sessionKey(association.Session))
		p.Expires = p.Started.Add(s.AuthSessionValidity)
	case s.PendingTTL == 0:
		p.Expires = c.Identity.Expiry
	}
	s.Store.Save(ctx, p)
	return p, nil
}

// statusBefore reads the person's factors where a step-up may be wanted, and
// refuses early where it is. A status that cannot be read is held against
// nobody yet: verify does that.
func (s *Service) statusBefore(ctx context.Context, id *Identity) (*User, error) {
	if !s.stale(id) {
		return nil, nil
	}
	user, err := s.user(ctx, *id)
	switch {
	case err == nil && user.hasTOTP():
		return nil, s.stepUp()
	case err == nil:
		return &user, nil
	case KindOf(err) == InvalidToken:
		return nil, err
	}
	return &User{Username: id.Username}, nil
}

// labelPatience bounds how long the look-up of a label may hold up an
// enrollment.
const labelPatience = 2 * time.Second

// label is the account's name in the app when the request gives none, to be
// asked for when it is needed: a look-up goes on meanwhile. It never fails an
// enrollment: what cannot be looked up is the username, and in the session flow,
// where nobody is known yet, the issuer.
func (s *Service) label(ctx context.Context, r StartRequest, user *User) func() string {
	id, name := r.Credential.Identity, s.Issuer
	switch {
	case id == nil:
	case r.AccountName != "" || s.AccountLabel == "username":
		name = id.Username
	case user != nil:
		name = s.labelOf(*user, id)
	default:
		looked := make(chan string, 1)
		go func() { looked <- s.lookUpLabel(ctx, id) }()
		return func() string { return <-looked }
	}
	return func() string { return name }
}

// lookUpLabel survives everything: it has a goroutine of its own.
func (s *Service) lookUpLabel(ctx context.Context, id *Identity) string {
	ctx, cancel := context.WithTimeout(ctx, labelPatience)
	defer cancel()
	user, err := survived(s, func() (User, error) { return s.user(ctx, *id) })
	if err != nil {
		s.Logger.WarnContext(ctx, "the label could not be looked up; the username stands in", slog.String("reason", err.Error()))
	}
	return s.labelOf(user, id)
}

func (s *Service) labelOf(user User, id *Identity) string {
	return cmp.Or(user.Attributes[s.AccountLabel], id.Username)
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
		Session: p.Session, ExpiresAt: p.Expires,
	}, nil
}
