package enroll_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/limit"
	"mfa-enrollment/internal/pending"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/metrics"
	"mfa-enrollment/test/standin"
)

// step is how long each step of the store and of the limits takes here.
const step = time.Second

type slowStore struct{ enroll.Store }

func (s slowStore) Find(ctx context.Context, name string) (enroll.Pending, bool) {
	time.Sleep(step)
	return s.Store.Find(ctx, name)
}

func (s slowStore) Claim(ctx context.Context, name string) (enroll.Pending, enroll.Hold) {
	time.Sleep(step)
	p, hold := s.Store.Claim(ctx, name)
	if hold != nil {
		hold = &slowHold{Hold: hold}
	}
	return p, hold
}

func (s slowStore) Hold(ctx context.Context, name string) enroll.Hold {
	time.Sleep(step)
	return &slowHold{Hold: s.Store.Hold(ctx, name)}
}

type slowHold struct {
	enroll.Hold
	over bool
}

func (h *slowHold) Release(ctx context.Context) bool {
	if !h.over {
		time.Sleep(step)
	}
	h.over = true
	return h.Hold.Release(ctx)
}

type slowLimiter struct{ enroll.Limiter }

func (l slowLimiter) Take(ctx context.Context, cases ...enroll.Case) enroll.Taken {
	time.Sleep(step)
	return l.Limiter.Take(ctx, cases...)
}

func (l slowLimiter) Settle(ctx context.Context, back []enroll.Want, marks []enroll.Mark) {
	time.Sleep(step)
	l.Limiter.Settle(ctx, back, marks)
}

// atOnce is a Cognito that answers at once.
type atOnce struct{ enroll.UserPool }

const itsSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

func (atOnce) Associate(_ context.Context, _ permit.Permit, c enroll.Credential) (enroll.Association, error) {
	a := enroll.Association{Secret: itsSecret}
	if c.Identity == nil {
		a.Session = c.Session + "+"
	}
	return a, nil
}

func (atOnce) Verify(_ context.Context, _ permit.Permit, c enroll.Credential, _ enroll.Secret, _ string) (enroll.Secret, error) {
	return c.Session, nil
}

func (atOnce) SetTOTP(context.Context, permit.Permit, enroll.Secret, enroll.Preference) error {
	return nil
}

func (atOnce) User(context.Context, permit.Permit, enroll.Secret) (enroll.User, error) {
	return enroll.User{Username: "ada"}, nil
}

func (atOnce) Answer(context.Context, permit.Permit, enroll.Answer) (enroll.SignIn, error) {
	return enroll.SignIn{Tokens: &enroll.Tokens{}}, nil
}

// bubble is the domain by the clock of a synctest bubble, which is the test's: a
// network has no place there, so Cognito is one that answers at once.
func bubble(t *testing.T, change func(*enroll.Options)) *enroll.Service {
	t.Helper()
	store, err := pending.NewMemory(pending.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	o := enroll.Options{
		Pool: atOnce{}, Store: store, Limiter: limit.NewMemory(time.Now), Now: time.Now,
		Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}), Logger: slog.New(slog.DiscardHandler),
		Issuer: "Example", AccountLabel: "email", ClientIDs: []string{standin.RequiredClient},
		PendingTTL: 15 * time.Minute, AuthSessionValidity: 3 * time.Minute, WriteRPS: 25, WorkTimeout: time.Minute,
	}
	change(&o)
	return enroll.New(o)
}

// A request waits for each step of the store and of the limits that depends on the
// one before, and for no other: what is learned of the caller is written beside
// the enrollment.
func TestNoStepWaitsForOneThatItDoesNotNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, func(o *enroll.Options) { o.Store, o.Limiter = slowStore{o.Store}, slowLimiter{o.Limiter} })
		signedIn := enroll.Credential{Identity: &enroll.Identity{
			PoolID: standin.Optional, Subject: "ada", SignIn: "first", Token: "token", AuthTime: time.Now(), Expiry: time.Now().Add(time.Hour),
		}}
		signingIn := enroll.Credential{Session: "session", Address: "192.0.2.1"}
		code := func() enroll.Secret {
			code, err := totp.GenerateCode(itsSecret, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return enroll.Secret(code)
		}
		for _, test := range []struct {
			request string
			steps   int // one after the other
			do      func() error
		}{
			// claim, take, release beside settle
			{"a start by token", 3, func() error { _, err := s.Start(t.Context(), enroll.StartRequest{Credential: signedIn}); return err }},
			{"the same again", 1, func() error { _, err := s.Start(t.Context(), enroll.StartRequest{Credential: signedIn}); return err }},
			// hold, release
			{"a wrong code", 2, func() error {
				_, err := s.Verify(t.Context(), enroll.VerifyRequest{Credential: signedIn, Code: "000000"})
				if enroll.KindOf(err) == enroll.CodeMismatch {
					return nil
				}
				return err
			}},
			// hold, take, release beside settle
			{"a right code", 3, func() error {
				_, err := s.Verify(t.Context(), enroll.VerifyRequest{Credential: signedIn, Code: code()})
				return err
			}},
			{"a start by session", 3, func() error {
				_, err := s.Start(t.Context(), enroll.StartRequest{Credential: signingIn})
				return err
			}},
			// claim finds one, hold, take, release beside settle
			{"a renewal by session", 4, func() error {
				_, err := s.Start(t.Context(), enroll.StartRequest{Credential: signingIn, Renew: true})
				return err
			}},
			{"a right code by session", 3, func() error {
				_, err := s.Verify(t.Context(), enroll.VerifyRequest{Credential: signingIn, Code: code()})
				return err
			}},
			{"an answered challenge", 3, func() error {
				_, err := s.Answer(t.Context(), enroll.Answer{Challenge: "SOFTWARE_TOKEN_MFA", ClientID: standin.RequiredClient, Session: "another", Code: "123456"})
				return err
			}},
			// take, settle
			{"the status", 2, func() error { _, err := s.Status(t.Context(), *signedIn.Identity); return err }},
		} {
			begin := time.Now()
			if err := test.do(); err != nil {
				t.Fatalf("%s: %v", test.request, err)
			}
			if took := time.Since(begin); took != time.Duration(test.steps)*step {
				t.Errorf("%s takes %d steps one after the other, want %d", test.request, took/step, test.steps)
			}
		}
	})
}
