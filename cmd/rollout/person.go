package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // What TOTP is made of (RFC 6238).
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// page is the front end that a person has before them, and what is behind it.
type page interface {
	// begin asks for a QR code.
	begin(ctx context.Context) (secret string, r result)
	// verify sends a code.
	verify(ctx context.Context, code string) result
	// signIn gives the page a new sign-in.
	signIn()
}

// result is what a page knows afterwards.
type result struct {
	outcome outcome
	wait    time.Duration // comeBack
}

type outcome int

const (
	done       outcome = iota
	wrongCode          // shown as such
	startAgain         // the QR code is worth nothing any more
	signInAgain
	comeBack // told when
	failed   // an error, and nothing said about it
)

// person is one of the crowd. All chance in it comes from rand.
type person struct {
	options
	page    page
	rand    *rand.Rand
	arrived time.Time
	now     func() time.Time
	life    life
}

// life is what became of a person.
type life struct {
	qr, code, finished time.Duration // since the beginning; 0 is never
	arrived            time.Duration
	abandoned          bool
}

// enroll takes a person from arriving to the end.
func (p *person) enroll(ctx context.Context, begin time.Time) {
	p.life.arrived = p.arrived.Sub(begin)
	for ctx.Err() == nil && p.life.finished == 0 {
		secret, ok := p.start(ctx)
		if !ok {
			return
		}
		if p.life.qr == 0 {
			p.life.qr = time.Since(begin)
		}
		if p.chance(p.abandon) {
			p.life.abandoned = true
			return
		}
		if !p.finish(ctx, secret, begin) {
			return
		}
	}
}

// start shows a QR code. It reports false when the person has given up.
func (p *person) start(ctx context.Context) (secret string, ok bool) {
	for failures := 0; p.stays(ctx, failures); {
		again := p.chance(p.double)
		secret, r := twice(again, func() (string, result) { return p.page.begin(ctx) })
		if r.outcome == done {
			return secret, true
		}
		failures = p.react(ctx, r, failures)
	}
	return "", false
}

// finish scans, and sends codes until one is taken. It reports false when the
// person has given up; the page may have to start again.
func (p *person) finish(ctx context.Context, shown string, begin time.Time) bool {
	inApp := shown
	p.scanCode(ctx)
	if p.chance(p.reload) {
		secret, ok := p.start(ctx)
		if !ok {
			return false
		}
		if shown = secret; p.chance(.5) { // Half of those have not scanned yet.
			inApp = secret
			p.sleep(ctx, 5*time.Second)
		}
	}
	mistyped := p.chance(p.mistype)
	for failures, wrong := 0, 0; p.stays(ctx, failures); {
		code := codeAt(inApp, p.now())
		if mistyped {
			code = fmt.Sprintf("%06d", (atoi(code)+111111)%1000000)
		} else if p.life.code == 0 {
			p.life.code = time.Since(begin)
		}
		mistyped = false
		_, r := twice(p.chance(p.double), func() (string, result) { return "", p.page.verify(ctx, code) })
		switch r.outcome {
		case done:
			p.life.finished = time.Since(begin)
			return true
		case wrongCode:
			p.sleep(ctx, p.moment(5))
			if wrong++; wrong%2 == 0 { // It was not the typing: scan what the page shows.
				inApp = shown
				p.scanCode(ctx)
			}
			if wrong > p.clicks {
				return false
			}
		case startAgain:
			return true
		case signInAgain:
			p.page.signIn()
			return true
		default:
			failures = p.react(ctx, r, failures)
		}
	}
	return false
}

// react does what a person does who sees an error, or is told to come back. It
// returns how many failures there were now in a row.
func (p *person) react(ctx context.Context, r result, failures int) int {
	switch r.outcome {
	case comeBack:
		p.sleep(ctx, r.wait+p.moment(1))
		return 0
	case signInAgain:
		p.page.signIn()
		p.sleep(ctx, p.moment(5))
		return failures
	default:
		p.sleep(ctx, p.moment(4)) // They click again.
		return failures + 1
	}
}

func (p *person) stays(ctx context.Context, failures int) bool {
	return ctx.Err() == nil && failures < p.clicks && time.Since(p.arrived) < p.patience
}

func (p *person) chance(share float64) bool { return p.rand.Float64() < share }

// moment is about so many seconds.
func (p *person) moment(seconds float64) time.Duration {
	return time.Duration(seconds * (.5 + p.rand.Float64()) * float64(time.Second))
}

// scanCode takes most people about as long as options.scan, and some much
// longer.
func (p *person) scanCode(ctx context.Context) {
	p.sleep(ctx, time.Duration(float64(p.scan)*math.Exp(.5*p.rand.NormFloat64())))
}

func (p *person) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// twice does what a double click does: two requests at once. The page shows the
// reply that comes last, unless it is an error and the other is none.
func twice(really bool, request func() (string, result)) (string, result) {
	if !really {
		return request()
	}
	type reply struct {
		secret string
		result
	}
	replies := make(chan reply, 2)
	for range 2 {
		go func() {
			secret, r := request()
			replies <- reply{secret, r}
		}()
	}
	first, last := <-replies, <-replies
	if last.outcome != done && first.outcome == done {
		last = first
	}
	return last.secret, last.result
}

// codeAt is what an authenticator app shows (RFC 6238 with its defaults).
func codeAt(secret string, now time.Time) string {
	key, _ := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(now.Unix()/30))) //nolint:gosec // Positive since 1970.
	sum := mac.Sum(nil)
	value := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", value%1_000_000)
}

func atoi(digits string) (n int) {
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}
