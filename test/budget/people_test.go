package budget

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pquerna/otp/totp"

	"mfa-enrollment/test/standin"
)

func person(i int) string { return standin.Person(i) }

const (
	honest   = "honest people"
	attacker = "the attacker"
	// patience is how long an honest person tries.
	patience = 2 * time.Minute
)

// life is what became of an honest person.
type life struct {
	begun    time.Duration // when the QR code was there; 0 is never
	finished bool
	code     time.Duration // from the code in hand to the end
	last     string        // the last reply that was not the end
}

// crowd lets n honest people come over ten seconds, half of them signed in and
// half of them signing in, each from an address of their own, and returns what
// became of them.
func (w *world) crowd(n int) []life {
	lives := make([]life, n)
	random := rand.New(rand.NewPCG(1, 2))
	var all sync.WaitGroup
	for i := range n {
		arrival, scan := time.Duration(random.Float64()*float64(10*time.Second)), time.Duration((3+7*random.Float64())*float64(time.Second))
		p := &one{world: w, name: person(i), from: fmt.Sprintf("203.%d.113.7", i+1), scan: scan, rand: rand.New(rand.NewPCG(7, uint64(i)))}
		all.Go(func() {
			time.Sleep(arrival)
			if i%2 == 0 {
				p.token = w.token(p.name)
			} else {
				p.signIn()
			}
			p.enroll(&lives[i])
		})
	}
	all.Wait()
	return lives
}

// one is an honest person, who does as the replies say.
type one struct {
	*world
	name, from     string
	token, session string
	scan           time.Duration
	rand           *rand.Rand
}

func (p *one) signIn() { p.session = p.cognito.Session(pool, client, p.name) }

func (p *one) enroll(l *life) {
	begin := time.Now()
	for time.Since(begin) < patience && !l.finished {
		secret, ok := p.start(begin, l)
		if !ok {
			continue
		}
		time.Sleep(p.scan)
		p.finish(secret, begin, l)
	}
}

// obey waits as long as a reply says, and signs in again where it says so.
func (p *one) obey(what string, r reply, l *life) {
	l.last = fmt.Sprintf("%s: %d %v", what, r.status, r.body["code"])
	if r.status == 410 {
		p.signIn()
	}
	time.Sleep(r.wait + time.Duration(p.rand.Float64()*float64(time.Second)))
}

func (p *one) start(begin time.Time, l *life) (secret string, ok bool) {
	r := request{method: "POST", path: "/v1/mfa/totp", token: p.token, from: p.from}
	if p.session != "" {
		r.body = map[string]any{"session": p.session}
	}
	got := p.send(honest, r)
	if got.status/100 != 2 {
		p.obey("start", got, l)
		return "", false
	}
	if l.begun == 0 {
		l.begun = time.Since(begin)
	}
	if next, ok := got.body["session"].(string); ok {
		p.session = next
	}
	return got.body["secret"].(string), true
}

func (p *one) finish(secret string, begin time.Time, l *life) {
	inHand := time.Now()
	for time.Since(begin) < patience {
		code, err := totp.GenerateCode(secret, time.Now())
		if err != nil {
			panic(err)
		}
		r := request{method: "POST", path: "/v1/mfa/totp/verify", token: p.token, from: p.from, body: map[string]any{"code": code}}
		if p.session != "" {
			r.body["session"], r.body["username"], r.body["clientId"] = p.session, p.name, client
		}
		got := p.send(honest, r)
		switch got.status {
		case 200:
			l.finished, l.code = true, time.Since(inHand)
			return
		case 429, 503:
			p.obey("verify", got, l)
		default:
			p.obey("verify", got, l)
			return
		}
	}
}

// outcome counts who began and who finished, and the longest wait with a code.
func outcome(lives []life) (begun, finished int, longest time.Duration) {
	for _, l := range lives {
		if l.begun > 0 && l.begun <= time.Minute {
			begun++
		}
		if l.finished {
			finished++
			longest = max(longest, l.code)
		}
	}
	return begun, finished, longest
}
