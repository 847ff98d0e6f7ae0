package cognito

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/metrics"
)

// refusing is a transport that counts what would have been sent.
type refusing struct{ sent int }

func (r *refusing) RoundTrip(*http.Request) (*http.Response, error) {
	r.sent++
	return nil, errors.New("nothing is sent from here")
}

func TestNoCallIsSentWithoutAPermitOfItsOwn(t *testing.T) {
	wire := &refusing{}
	c := NewClient(ClientOptions{
		Region: "us-east-1", Transport: wire, Now: time.Now,
		Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}),
	})
	by := enroll.Credential{Identity: &enroll.Identity{Token: "token"}}
	calls := map[string]func(context.Context, permit.Permit) error{
		"Associate": func(ctx context.Context, p permit.Permit) error { _, err := c.Associate(ctx, p, by); return err },
		"Verify": func(ctx context.Context, p permit.Permit) error {
			_, err := c.Verify(ctx, p, by, "123456", "")
			return err
		},
		"SetTOTP": func(ctx context.Context, p permit.Permit) error {
			return c.SetTOTP(ctx, p, "token", enroll.Preference{})
		},
		"User": func(ctx context.Context, p permit.Permit) error { _, err := c.User(ctx, p, "token"); return err },
		"Answer": func(ctx context.Context, p permit.Permit) error {
			_, err := c.Answer(ctx, p, enroll.Answer{Challenge: enroll.MethodTOTP})
			return err
		},
	}
	spent := permit.Mint()
	spent.Use()
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			before := wire.sent
			for _, p := range []permit.Permit{{}, spent} {
				if err := call(t.Context(), p); enroll.KindOf(err) != enroll.Internal || wire.sent != before {
					t.Errorf("%v, %d requests sent", err, wire.sent-before)
				}
			}
			p := permit.Mint()
			if _ = call(t.Context(), p); wire.sent == before {
				t.Error("with a permit nothing was sent either")
			}
			if p.Use() {
				t.Error("the permit is as good as new")
			}
		})
	}
}
