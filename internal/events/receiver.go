package events

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/metrics"
)

// sendTimeout is how long a receiver may take for one event: Standard Webhooks
// asks senders for 15 to 30 seconds and receivers to answer at once.
const sendTimeout = 15 * time.Second

// receiver is whom the events go to.
type receiver struct {
	url       enroll.Secret // it may hold a token
	secrets   [][]byte
	userAgent string
	client    *http.Client
	now       func() time.Time
}

func newReceiver(o Options) *receiver {
	transport := o.Transport
	if transport == nil {
		transport = &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			DialContext:     (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			MaxIdleConns:    workers, MaxIdleConnsPerHost: workers, IdleConnTimeout: 90 * time.Second,
			ForceAttemptHTTP2: true,
		}
	}
	return &receiver{
		url: o.URL, secrets: o.Secrets, userAgent: o.UserAgent, now: o.Now,
		client: &http.Client{
			Transport: transport, Timeout: sendTimeout,
			// A redirect would send the event, signed, to somebody whom the operator
			// did not name.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// send makes one attempt. The reason is in constant words or a status, since the
// texts of errors quote the URL.
func (r *receiver) send(ctx context.Context, id string, body []byte) (result, reason string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url.Reveal(), bytes.NewReader(body))
	if err != nil {
		return metrics.EventUnreachable, "the URL is not understood"
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", r.userAgent)
	sign(request.Header, r.secrets, id, r.now(), body)
	response, err := r.client.Do(request)
	if err != nil {
		return why(err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // So that the connection can be used again.
	switch {
	case response.StatusCode/100 == 2:
		return metrics.EventDelivered, ""
	case response.StatusCode == http.StatusGone:
		return metrics.EventGone, http.StatusText(response.StatusCode)
	default:
		return metrics.EventRefused, http.StatusText(response.StatusCode)
	}
}

func why(err error) (result, reason string) {
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return metrics.EventTimeout, "no answer in time"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return metrics.EventUnreachable, "its certificate is not trusted"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return metrics.EventUnreachable, "its host name cannot be resolved"
	}
	return metrics.EventUnreachable, "the connection failed"
}
