// Package crowd plays people who enroll: they arrive, scan a QR code, mistype,
// click twice, reload the page, and do what Retry-After tells them. The rollout
// simulator and the tests of the quota use it. It runs on the real clock; tests
// put it into a synctest bubble.
package crowd

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/pquerna/otp/totp"
)

// Page is the front end that a person uses, and what is behind it.
type Page interface {
	// Begin asks for a QR code.
	Begin(ctx context.Context) (secret string, r Result)
	// Verify sends a code.
	Verify(ctx context.Context, code string) Result
	// SignIn gives the page a new sign-in.
	SignIn()
}

// Result is what a page knows after a request.
type Result struct {
	Outcome Outcome
	Wait    time.Duration // for ComeBack: what Retry-After said
}

// Outcome tells a person what to do next.
type Outcome int

// The outcomes.
const (
	Done        Outcome = iota
	WrongCode           // the code was wrong, and the page says so
	StartAgain          // the QR code is of no use any more
	SignInAgain         // the sign-in is of no use any more
	ComeBack            // later; the page says when
	Failed              // the page shows an error and says nothing else
)

// Behavior says what people do. A share is between 0 and 1.
type Behavior struct {
	Over        time.Duration // they arrive within this time
	Scan        time.Duration // half of them have scanned the QR code after this time
	Spread      float64       // of that time: sigma of its log-normal distribution; 0: all take the same
	Mistype     float64       // share whose first code is wrong
	DoubleClick float64       // share of the clicks that are double
	Reload      float64       // share who reload the page while they scan
	Abandon     float64       // share who start and never finish
	React       time.Duration // until they do something about an error
	Clicks      int           // failures in a row after which they give up
	Patience    time.Duration // after which they give up in any case
}

// Life is what became of a person. Times count from the beginning; 0 is never.
type Life struct {
	Arrived, Started, Code, Finished time.Duration

	Returns   int           // how often the person was told to come back before the start
	Longest   time.Duration // the longest request that sent a code
	Abandoned bool          // the person never meant to finish
}

// HasFinished tells of a person who has finished.
func (l Life) HasFinished() bool { return l.Finished > 0 }

// IsLost tells of a person who got a QR code, wanted to finish and did not.
func (l Life) IsLost() bool { return l.Started > 0 && l.Finished == 0 && !l.Abandoned }

// Play lets so many people arrive, each with a page of their own, and returns
// when the last is gone. The same seed makes the same people.
func Play(ctx context.Context, people int, b Behavior, seed uint64, pageOf func(i int) Page) []Life {
	begin, lives := time.Now(), make([]Life, people)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // A simulation must be repeatable.
	var all sync.WaitGroup
	for i := range lives {
		arrival := time.Duration(random.Float64() * float64(b.Over))
		p := &person{Behavior: b, rand: rand.New(rand.NewPCG(random.Uint64(), random.Uint64())), begin: begin, life: &lives[i]} //nolint:gosec // As above.
		all.Go(func() {
			sleep(ctx, arrival)
			if ctx.Err() != nil {
				return
			}
			p.arrived, p.page = time.Now(), pageOf(i)
			p.enroll(ctx)
		})
	}
	all.Wait()
	return lives
}

// person is one of the crowd. All chance comes from rand.
type person struct {
	Behavior
	page           Page
	rand           *rand.Rand
	begin, arrived time.Time
	life           *Life
}

// enroll takes a person from arriving to the end.
func (p *person) enroll(ctx context.Context) {
	p.life.Arrived = p.arrived.Sub(p.begin)
	for ctx.Err() == nil && p.life.Finished == 0 {
		secret, ok := p.start(ctx)
		if !ok {
			return
		}
		if p.life.Started == 0 {
			p.life.Started = time.Since(p.begin)
		}
		if p.chance(p.Abandon) {
			p.life.Abandoned = true
			return
		}
		if !p.finish(ctx, secret) {
			return
		}
	}
}

// start shows a QR code. It reports false when the person has given up.
func (p *person) start(ctx context.Context) (secret string, ok bool) {
	for failures := 0; p.stays(ctx, failures); {
		secret, r := twice(p.chance(p.DoubleClick), func() (string, Result) { return p.page.Begin(ctx) })
		if r.Outcome == Done {
			return secret, true
		}
		if p.life.Started == 0 && r.Outcome == ComeBack {
			p.life.Returns++
		}
		failures = p.react(ctx, r, failures)
	}
	return "", false
}

// finish scans, and sends codes until one is accepted. It reports false when the
// person has given up; otherwise the person has finished or must start again.
func (p *person) finish(ctx context.Context, shown string) bool {
	inApp := shown
	p.scan(ctx)
	if p.chance(p.Reload) {
		secret, ok := p.start(ctx)
		if !ok {
			return false
		}
		if shown = secret; p.chance(.5) { // Half of those have not scanned yet.
			inApp = secret
			sleep(ctx, p.React)
		}
	}
	mistyped := p.chance(p.Mistype)
	for failures, wrong := 0, 0; p.stays(ctx, failures); mistyped = false {
		r := p.send(ctx, inApp, mistyped)
		switch r.Outcome {
		case Done:
			p.life.Finished = time.Since(p.begin)
			return true
		case WrongCode:
			sleep(ctx, p.about(p.React))
			if wrong++; wrong%2 == 0 { // It was not the typing: scan what the page shows.
				inApp = shown
				p.scan(ctx)
			}
			if wrong > p.Clicks {
				return false
			}
		case StartAgain:
			return true
		case SignInAgain:
			p.page.SignIn()
			return true
		default:
			failures = p.react(ctx, r, failures)
		}
	}
	return false
}

// send sends the code that the app shows, or one that is mistyped.
func (p *person) send(ctx context.Context, inApp string, mistyped bool) Result {
	code, err := totp.GenerateCode(inApp, time.Now())
	if err != nil {
		return Result{Outcome: Failed}
	}
	if mistyped {
		n, _ := strconv.Atoi(code)
		code = fmt.Sprintf("%06d", (n+111111)%1000000)
	} else if p.life.Code == 0 {
		p.life.Code = time.Since(p.begin)
	}
	sent := time.Now()
	_, r := twice(p.chance(p.DoubleClick), func() (string, Result) { return "", p.page.Verify(ctx, code) })
	p.life.Longest = max(p.life.Longest, time.Since(sent))
	return r
}

// react does what a person does who sees an error or is told to come back. It
// returns how many failures there were now in a row.
func (p *person) react(ctx context.Context, r Result, failures int) int {
	switch r.Outcome {
	case ComeBack:
		sleep(ctx, r.Wait+p.about(p.React/5))
		return 0
	case SignInAgain:
		p.page.SignIn()
		sleep(ctx, p.about(p.React))
		return failures
	default:
		sleep(ctx, p.about(p.React)) // They click again.
		return failures + 1
	}
}

func (p *person) stays(ctx context.Context, failures int) bool {
	return ctx.Err() == nil && failures < p.Clicks && time.Since(p.arrived) < p.Patience
}

func (p *person) chance(share float64) bool { return p.rand.Float64() < share }

// about is half to one and a half of a time.
func (p *person) about(d time.Duration) time.Duration {
	return time.Duration((.5 + p.rand.Float64()) * float64(d))
}

// scan takes most people about as long as Scan, and some much longer.
func (p *person) scan(ctx context.Context) {
	sleep(ctx, time.Duration(float64(p.Scan)*math.Exp(p.Spread*p.rand.NormFloat64())))
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// twice does what a double click does: two requests at once. The page shows the
// reply that comes last, unless it is an error and the other is none.
func twice(really bool, request func() (string, Result)) (string, Result) {
	if !really {
		return request()
	}
	type reply struct {
		secret string
		Result
	}
	replies := make(chan reply, 2)
	for range 2 {
		go func() {
			secret, r := request()
			replies <- reply{secret, r}
		}()
	}
	first, last := <-replies, <-replies
	if last.Outcome != Done && first.Outcome == Done {
		last = first
	}
	return last.secret, last.Result
}
