package cognito

import (
	"io"
	"net/http"
)

// PlainBodies is a transport over Next that lets net/http copy the body of a request with
// Read alone.
//
// The SDK closes the body as soon as it has the head of the answer, and WriteTo of
// its closed body returns io.EOF, which no WriteTo should (smithy-go v1.28.9,
// transport/http/internal/io/safe.go). When net/http has not yet looked for the
// body's end at that moment, it takes this for a failure and closes the
// connection: what is not yet read of the answer, all beyond 4 kB, is lost with
// it, after Cognito did what it was asked.
type PlainBodies struct{ Next http.RoundTripper }

// RoundTrip makes one call.
func (t PlainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		plain := *r
		plain.Body = struct{ io.ReadCloser }{r.Body}
		r = &plain
	}
	return t.Next.RoundTrip(r)
}
