package cognito

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/permit"
	"mfa-enrollment/metrics"
)

// early answers before it has looked for the end of the request's body, as
// net/http does with a server that is near.
type early struct{ body io.ReadCloser }

func (e *early) RoundTrip(r *http.Request) (*http.Response, error) {
	e.body = r.Body
	if _, err := io.CopyN(io.Discard, r.Body, r.ContentLength); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(`{"SecretCode":"JBSWY3DPEHPK3PXP"}`)), Request: r,
	}, nil
}

func TestTheEndOfARequestIsFoundAfterTheAnswer(t *testing.T) {
	wire := &early{}
	c := NewClient(ClientOptions{
		Region: "us-east-1", Transport: wire, Now: time.Now,
		Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}),
	})
	by := enroll.Credential{Identity: &enroll.Identity{Token: "token"}}
	if _, err := c.Associate(context.Background(), permit.Mint(), by); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, wire.body); n != 0 || err != nil {
		t.Errorf("read %d bytes and %v after the answer, want the end of the body", n, err)
	}
}
