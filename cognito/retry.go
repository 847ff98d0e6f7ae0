package cognito

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"mfa-enrollment/internal/enroll"
)

const (
	// maxAttempts bounds how often one call is made.
	maxAttempts = 3
	// maxSlow bounds how often a call is made whose time ran out: the person
	// waits for all of them.
	maxSlow = 2
	// firstPause is the longest pause before the second attempt; it doubles.
	firstPause = 50 * time.Millisecond
)

// repeatable tells whether a call whose answer was lost can be made again
// without harm: a read; SetUserMFAPreference, which says how things shall be;
// AssociateSoftwareToken, since nobody has seen the secret that was lost; and
// VerifySoftwareToken by token, where a refusal burns nothing, so that asking
// again is how the truth is found. With a session only AssociateSoftwareToken
// is, whose second answer tells what became of the first.
func (c call) repeatable() bool { return !c.session || c.operation == opAssociate }

// again tells whether a failed call may be made once more. What Cognito
// answered stands, refusals by quota above all; what failed on the way, or
// inside Cognito, may pass.
func (c call) again(failure *enroll.Error, attempt int) bool {
	switch {
	case attempt >= maxAttempts:
		return false
	case unsent(failure):
		return true
	case failure.Kind == enroll.UpstreamTimeout:
		return c.repeatable() && attempt < maxSlow
	default:
		return c.repeatable() && passing(failure)
	}
}

// meaning is what a failure comes to when there is no other attempt. Where the
// answer to the one use of a session was lost, nobody can tell what became of
// it, and signing in again is the way on.
func (c call) meaning(failure *enroll.Error, spent bool) error {
	if unanswered := failure.Kind == enroll.UpstreamUnavailable || failure.Kind == enroll.UpstreamTimeout; c.session && spent && unanswered {
		return &enroll.Error{Kind: enroll.SessionExpired, Reason: "the answer was lost: " + failure.Reason, Cause: failure}
	}
	return failure
}

// status is the HTTP status of the answer, or 0 where there was none.
func status(err error) int {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// lost tells whether the work may have been done and its answer was lost: cut
// off, too late, or not to be read.
func lost(failure *enroll.Error) bool {
	switch failure.Kind {
	case enroll.UpstreamTimeout:
		return true
	case enroll.UpstreamUnavailable:
		// A redirect and a status of 400 or more refuse the call: nothing was done.
		return failure.Reason == reasonNoAnswer && !unsent(failure) && status(failure) < http.StatusMultipleChoices
	default:
		return false
	}
}

// passing tells whether a failure is one of the way or of Cognito's inside, and
// so may not happen again. That a firewall said no will.
func passing(failure *enroll.Error) bool {
	return failure.Kind == enroll.UpstreamUnavailable && (lost(failure) || status(failure) >= http.StatusInternalServerError)
}

// mayBeDone tells whether the work of a call that failed may have been done.
func mayBeDone(failure *enroll.Error) bool {
	return failure.Kind == enroll.UpstreamTimeout || passing(failure)
}

// unsent tells whether a call certainly never arrived: no name, no connection,
// no TLS.
func unsent(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// pause waits before another attempt, for a random time, so that callers who
// failed together do not come back together. It reports false when ctx ended.
func pause(ctx context.Context, attempt int) bool {
	longest := firstPause << (attempt - 1)
	timer := time.NewTimer(rand.N(longest)) //nolint:gosec // It spreads load and guards nothing.
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
