package quota

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/quota/crowd"
	"mfa-enrollment/metrics"
)

// simulation is a crowd that meets replicas and a Cognito, in virtual time.
type simulation struct {
	crowd.Behavior
	people    int
	bySession bool    // they sign in meanwhile, and need two calls instead of three
	strangers float64 // share of them whose sessions nobody here has seen
	replicas  int
	roundTrip time.Duration // to the bucket
	others    func(since time.Duration) float64
	quota     float64 // calls a second; 0: 25
}

// usual is how people behave who have their phone at hand.
func usual(over time.Duration) crowd.Behavior {
	return crowd.Behavior{Over: over, Scan: 20 * time.Second, Spread: .5, React: 5 * time.Second, Clicks: 5, Patience: time.Hour}
}

// history is what became of it. Times count from the beginning.
type history struct {
	lives []crowd.Life

	mu              sync.Mutex
	calls, refusals []time.Duration // that Cognito did, and did not for its quota
	ended           int             // calls with a session that had ended
	codes           []time.Duration // how long the calls that finish waited here
}

// play runs it to the end. It must be called inside a synctest bubble.
func (s simulation) play() *history {
	if s.quota == 0 {
		s.quota = 25
	}
	h := &history{}
	cognito := &meanCognito{history: h, begin: time.Now(), rate: s.quota, others: s.others, left: s.quota, at: time.Now()}
	replicas := make([]*Admission, max(1, s.replicas))
	for i := range replicas {
		replicas[i] = New(Options{RPS: s.quota, Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{})})
		replicas[i].bucket = farBucket{replicas[0].bucket, s.roundTrip / 2}
	}
	h.lives = crowd.Play(context.Background(), s.people, s.Behavior, 1, func(i int) crowd.Page {
		return &page{
			simulation: s, history: h, cognito: cognito, replicas: replicas, person: fmt.Sprint(i), signedIn: time.Now(),
			stranger: float64(i%100) < 100*s.strangers, rand: rand.New(rand.NewPCG(2, uint64(i))),
		}
	})
	slices.Sort(h.codes)
	return h
}

// farBucket is a bucket in the memory of another process.
type farBucket struct {
	bucket
	away time.Duration
}

func (b farBucket) take(ctx context.Context, requests ...request) []answer {
	time.Sleep(b.away)
	defer time.Sleep(b.away)
	return b.bucket.take(ctx, requests...)
}

// page makes the calls of a service that keeps nothing: each wrong code is sent.
type page struct {
	simulation
	*history
	cognito  *meanCognito
	replicas []*Admission
	person   string
	rand     *rand.Rand
	stranger bool
	verified bool
	session  int // how many times they signed in again
	signedIn time.Time
}

// sessionLives is how long a session lives at Cognito, unless the app client says
// otherwise.
const sessionLives = 3 * time.Minute

// secret is everybody's.
const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// SignIn gets a new session, which nobody here has seen.
func (p *page) SignIn() {
	p.session, p.signedIn, p.stranger = p.session+1, time.Now(), p.bySession
}

func (p *page) Begin(context.Context) (string, crowd.Result) {
	return secret, p.call(Associate)
}

func (p *page) Verify(_ context.Context, code string) crowd.Result {
	if !p.verified {
		right := totp.Validate(code, secret)
		if r := p.call(Verify); r.Outcome != crowd.Done || !right {
			return crowd.Result{Outcome: max(r.Outcome, crowd.WrongCode), Wait: r.Wait}
		}
	}
	if p.verified = true; p.bySession {
		return crowd.Result{}
	}
	return p.call(SetPreference)
}

// call makes a call through any replica, and obeys Retry-After in whole seconds.
func (p *page) call(operation string) crowd.Result {
	c := Call{Operation: operation, BySession: p.bySession, Person: p.person}
	if p.bySession {
		c.Session, c.Stranger = fmt.Sprint(p.person, " ", p.session), p.stranger && operation == Associate
		if !p.stranger { // A stranger is named by the address.
			c.Person = c.Session
		}
	}
	asked := time.Now()
	err := p.replicas[p.rand.IntN(len(p.replicas))].Do(context.Background(), c, func(context.Context) *enroll.Error {
		if operation != Associate {
			p.note(func() { p.codes = append(p.codes, time.Since(asked)) })
		}
		time.Sleep(time.Duration(20+p.rand.IntN(40)) * time.Millisecond)
		if p.bySession && time.Since(p.signedIn) > sessionLives {
			p.note(func() { p.ended++ })
			return &enroll.Error{Kind: enroll.SessionExpired}
		}
		err := p.cognito.answer()
		if err == nil {
			p.signedIn = time.Now() // Cognito hands out a new session.
		}
		return err
	})
	if err != nil && err.Kind == enroll.SessionExpired {
		return crowd.Result{Outcome: crowd.SignInAgain}
	}
	if err != nil {
		return crowd.Result{Outcome: crowd.ComeBack, Wait: time.Duration(math.Ceil(err.RetryAfter.Seconds())) * time.Second}
	}
	return crowd.Result{}
}

func (h *history) note(what func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	what()
}

// times are of the people for whom of is not zero, sorted.
func (h *history) times(of func(crowd.Life) time.Duration) (ds []time.Duration) {
	for _, l := range h.lives {
		if d := of(l); d > 0 {
			ds = append(ds, d)
		}
	}
	slices.Sort(ds)
	return ds
}

func (h *history) starts() []time.Duration {
	return h.times(func(l crowd.Life) time.Duration { return l.Started })
}

func (h *history) finished() []time.Duration {
	return h.times(func(l crowd.Life) time.Duration { return l.Finished })
}

func (h *history) returns() (n []int) {
	for _, l := range h.lives {
		n = append(n, l.Returns)
	}
	slices.Sort(n)
	return n
}

// lost are the people who had started and could not finish.
func (h *history) lost() (n int) {
	for _, l := range h.lives {
		if l.IsLost() || l.Started == 0 {
			n++
		}
	}
	return n
}

// meanCognito refuses what is over the quota, of which others take a part. It is
// a bucket of one second, like the one in cognitotest.
type meanCognito struct {
	*history
	begin  time.Time
	rate   float64
	others func(since time.Duration) float64
	left   float64
	at     time.Time
}

func (m *meanCognito) answer() (err *enroll.Error) {
	m.note(func() {
		for m.at.Before(time.Now()) { // Others take theirs all the time.
			step := min(10*time.Millisecond, time.Since(m.at))
			m.at = m.at.Add(step)
			m.left = min(m.rate, m.left+m.rate*step.Seconds())
			if m.others != nil {
				m.left = max(0, m.left-m.others(m.at.Sub(m.begin))*step.Seconds())
			}
		}
		if m.left < 1 {
			m.refusals = append(m.refusals, time.Since(m.begin))
			err = &enroll.Error{Kind: enroll.TooManyRequests, OfAccount: true}
			return
		}
		m.left--
		m.calls = append(m.calls, time.Since(m.begin))
	})
	return err
}

// each is how many of the events there were a second, from one time to another.
func each(events []time.Duration, from, to time.Duration) float64 {
	n := 0
	for _, at := range events {
		if at >= from && at < to {
			n++
		}
	}
	return float64(n) / (to - from).Seconds()
}

// quantile is of sorted values.
func quantile[T any](sorted []T, q float64) T {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
