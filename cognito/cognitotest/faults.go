package cognitotest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"time"
)

// JWKS is the name by which [Server.Fail] knows fetches of a pool's keys, which
// are no operation of the API.
const JWKS = "JWKS"

// Fault is what goes wrong with one call. Its parts can be combined; the zero
// value lets a call through, so that a script can fail the third one.
type Fault struct {
	// Delay comes before everything else. It is real time, whatever Options.Now
	// says. A caller that gives up meanwhile does not stop the work: AWS does not
	// notice either.
	Delay time.Duration
	// Exception and Message are answered in place of the work, with the status
	// that Cognito gives that exception unless Status says another.
	Exception string
	Message   string
	// Status alone, without Exception, answers that status with a page of HTML
	// and no exception, as something between here and Cognito would.
	Status int
	// StatusError answers 200 with Status ERROR in place of the work, as the
	// model of VerifySoftwareToken allows.
	StatusError bool
	// CutBefore closes the connection before the work, CutAfter after it.
	CutBefore, CutAfter bool
	// Truncate does the work and sends half of the reply.
	Truncate bool
}

// Fail plans the next calls of an operation: each call takes the first fault
// that is left. The operation "" is any call of the API that has no plan of its
// own, and [JWKS] any fetch of keys. Fail adds to what was planned before. It
// panics when there is no such operation, or a fault cannot be.
func (s *Server) Fail(operation string, faults ...Fault) {
	mustBe(plan{s, operation, faults})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[operation] = append(s.faults[operation], faults...)
}

// plan is what [Server.Fail] is asked for.
type plan struct {
	s         *Server
	operation string
	faults    []Fault
}

func (p plan) check() error {
	if _, known := p.s.operations[p.operation]; !known && p.operation != "" && p.operation != JWKS {
		return fmt.Errorf("no operation %s", p.operation)
	}
	for _, f := range p.faults {
		switch {
		case f.Delay < 0:
			return fmt.Errorf("fault with Delay %s: want none or more", f.Delay)
		case f.Status != 0 && (f.Status < 200 || f.Status > 599):
			return fmt.Errorf("fault with Status %d: want 200 to 599, or 0", f.Status)
		}
	}
	return nil
}

// planned takes the next fault for an operation. The caller holds s.mu.
func (s *Server) planned(operation string) Fault {
	names := []string{operation, ""}
	if operation == JWKS {
		names = names[:1]
	}
	for _, name := range names {
		if script := s.faults[name]; len(script) > 0 {
			s.faults[name] = script[1:]
			return script[0]
		}
	}
	return Fault{}
}

// before does what a fault does ahead of the work. It says whether the call ends
// there, and with which exception if it is not cut.
func (f Fault) before(ctx context.Context, latency time.Duration) error {
	pause(ctx, latency+f.Delay)
	switch {
	case f.CutBefore:
		panic(http.ErrAbortHandler)
	case f.Exception != "" || f.Status != 0:
		return &exception{name: f.Exception, message: f.Message, status: f.Status}
	}
	return nil
}

// write sends a reply, or as much of it as the fault lets through.
func (f Fault) write(w http.ResponseWriter, status int, body []byte) {
	if f.CutAfter {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	if !f.Truncate {
		_, _ = w.Write(body) // an error means that the client has gone
		return
	}
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush() // so that the half arrives before the connection goes
	panic(http.ErrAbortHandler)
}

// pause waits, but not for a caller who has gone.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Latency is how long each call takes beyond the work: something from Min to
// Max, or Min where Max is not above it. It is real time, whatever Options.Now
// says.
type Latency struct {
	Min, Max time.Duration
}

func (l Latency) check() error {
	if l.Min < 0 || l.Max < 0 {
		return fmt.Errorf("latency of Min %s, Max %s: want none or more", l.Min, l.Max)
	}
	return nil
}

// SetLatency changes the latency from the next call on. It panics when it is
// negative.
func (s *Server) SetLatency(l Latency) {
	mustBe(l)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = l
}

// pick draws a latency. The caller holds s.mu.
func (l Latency) pick(s *Server) time.Duration {
	if l.Max <= l.Min {
		return l.Min
	}
	share := float64(binary.BigEndian.Uint32(s.random(4))) / math.MaxUint32
	return l.Min + time.Duration(share*float64(l.Max-l.Min))
}
