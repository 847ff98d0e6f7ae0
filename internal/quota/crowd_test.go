package quota

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/metrics"
)

// rollout is a crowd that meets a pacer and a Cognito, in virtual time: people
// arrive, scan, mistype, do as they are told, or never come back.
type rollout struct {
	session bool // they sign in meanwhile, and need two calls instead of three
	people  int
	over    time.Duration // in which they arrive
	others  func(since time.Duration) float64
	scan    func(*rand.Rand) time.Duration
	mistype float64 // share whose first code is wrong
	abandon float64 // share who never enter a code
	quota   float64 // calls a second; 0: 25
}

// history is what became of it. Times count from the beginning.
type history struct {
	mu          sync.Mutex
	calls       []time.Duration // that Cognito did
	refusals    []time.Duration
	starts      []time.Duration
	finished    []time.Duration
	finishWaits []time.Duration // of codes and preferences, in the pacer
	returns     []int           // how often people came back until they could start
	lost        int             // people who had started and could not finish
}

// play runs it to the end. It must be called inside a synctest bubble.
func (o rollout) play() *history {
	if o.quota == 0 {
		o.quota = 25
	}
	h := &history{}
	world := &meanCognito{history: h, begin: time.Now(), rate: o.quota, others: o.others, left: o.quota, at: time.Now()}
	pacer := New(Options{RPS: o.quota, Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{})})
	random := rand.New(rand.NewPCG(1, 2))
	var all sync.WaitGroup
	for i := range o.people {
		one := &person{rollout: o, history: h, cognito: world, pacer: pacer, name: fmt.Sprint(i), rand: rand.New(rand.NewPCG(random.Uint64(), random.Uint64()))}
		arrival := time.Duration(random.Float64() * float64(o.over))
		all.Go(func() {
			time.Sleep(arrival)
			one.enroll()
		})
	}
	all.Wait()
	for _, events := range [][]time.Duration{h.calls, h.refusals, h.starts, h.finished, h.finishWaits} {
		slices.Sort(events)
	}
	slices.Sort(h.returns)
	return h
}

// person is one of the crowd.
type person struct {
	rollout
	*history
	cognito *meanCognito
	pacer   *Pacer
	name    string
	rand    *rand.Rand
	begun   time.Time
}

func (p *person) enroll() {
	for returns := 0; ; returns++ {
		err := p.write(Associate, nil)
		if err == nil {
			p.note(func() { p.returns = append(p.returns, returns); p.starts = append(p.starts, p.cognito.since()) })
			break
		}
		p.obey(err)
	}
	if p.rand.Float64() < p.abandon {
		return
	}
	p.begun = time.Now()
	time.Sleep(p.scan(p.rand))
	if p.rand.Float64() < p.mistype {
		_ = p.write(Verify, &p.finishWaits)
		time.Sleep(5 * time.Second)
	}
	if !p.insist(Verify) || !p.session && !p.insist(SetPreference) {
		p.note(func() { p.lost++ })
		return
	}
	p.note(func() { p.finished = append(p.finished, p.cognito.since()) })
}

// insist makes a call that finishes; told to come back, it does so three times.
func (p *person) insist(operation string) bool {
	for range 3 {
		err := p.write(operation, &p.finishWaits)
		if err == nil {
			return true
		}
		p.obey(err)
	}
	return false
}

// write makes a call through the pacer and notes how long it waited there.
func (p *person) write(operation string, waits *[]time.Duration) *enroll.Error {
	c := Call{Operation: operation, Session: p.session, Person: p.name}
	if operation == Verify {
		c.Age = time.Since(p.begun)
	}
	asked := time.Now()
	return p.pacer.Do(context.Background(), c, func(context.Context) *enroll.Error {
		if waits != nil {
			p.note(func() { *waits = append(*waits, time.Since(asked)) })
		}
		time.Sleep(time.Duration(20+p.rand.IntN(40)) * time.Millisecond)
		return p.cognito.answer()
	})
}

// obey waits as long as Retry-After says, in whole seconds, and a little more.
func (p *person) obey(err *enroll.Error) {
	told := time.Duration(math.Ceil(err.RetryAfter.Seconds())) * time.Second
	time.Sleep(told + time.Duration(p.rand.IntN(2000))*time.Millisecond)
}

func (h *history) note(what func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	what()
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

func (m *meanCognito) since() time.Duration { return time.Since(m.begin) }

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
			m.refusals = append(m.refusals, m.since())
			err = &enroll.Error{Kind: enroll.TooManyRequests, Reason: "TooManyRequestsException"}
			return
		}
		m.left--
		m.calls = append(m.calls, m.since())
	})
	return err
}

// people take about so long to scan, some much longer.
func about(median time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration {
		return time.Duration(float64(median) * math.Exp(.5*r.NormFloat64()))
	}
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
