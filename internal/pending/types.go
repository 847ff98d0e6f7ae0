package pending

import (
	"context"
	"time"

	"mfa-enrollment/internal/enroll"
)

// What package enroll declares with its next version. Then this file is:
//
//	type (
//		enrollment = enroll.Pending
//		earlier    = enroll.Earlier
//		tries      = enroll.Tries
//		hold       = enroll.Hold
//	)
//
// and package oldpending goes, with its import in app/store.go.
type (
	enrollment struct {
		Name, SignIn    string
		Secret, Session enroll.Secret
		AccountName     string
		Started, Ends   time.Time
		Expires         time.Time
		Renewals        int
		Tries           tries
		Earlier         []earlier
		Done            bool
		Code            string
	}
	earlier struct {
		Secret enroll.Secret
		SignIn string
	}
	tries struct {
		Count int
		Ends  time.Time
	}
	hold interface {
		Pending() (enrollment, bool)
		Save(p enrollment, alias string)
		Delete()
		Release(ctx context.Context) bool
	}
	store interface {
		Find(ctx context.Context, name string) (enrollment, bool)
		Hold(ctx context.Context, name string) hold
	}
)
