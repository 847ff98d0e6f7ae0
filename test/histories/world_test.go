package histories_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/limit"
	"mfa-enrollment/metrics"
)

// world is one history: people, two replicas of the service, the store that they
// share, and Cognito.
type world struct {
	t        *testing.T
	rand     *rand.Rand
	cognito  *cognito
	store    *shared
	replicas [2]*replica
	people   []*person
	all      sync.WaitGroup

	mu    sync.Mutex
	told  []string
	whole time.Time          // since when every replica has the store
	began time.Time          // the step that goes on
	did   map[string][]start // during this step, by user
}

// start is a start during a step, or what else changes an enrollment (other).
type start struct {
	by    string // the sign-in
	fresh enroll.Secret
	other bool
}

// replica is one process of the service.
type replica struct {
	*enroll.Service
	link *link
}

func newWorld(t *testing.T, r *rand.Rand) *world {
	w := &world{t: t, rand: r, did: map[string][]start{}, cognito: newCognito(rand.New(rand.NewPCG(r.Uint64(), 2)))}
	w.store = newShared(t)
	for i := range w.replicas {
		w.replicas[i] = w.newReplica()
	}
	for i := range 2 + r.IntN(3) {
		w.people = append(w.people, w.newPerson(fmt.Sprint("person-", i%2), r.IntN(2) == 0))
	}
	return w
}

func (w *world) newReplica() *replica {
	link := w.store.connect()
	return &replica{link: link, Service: enroll.New(enroll.Options{
		Pool: w.cognito, Store: link.store, Limiter: limit.NewMemory(time.Now),
		Metrics: metrics.New(prometheus.NewRegistry(), metrics.BuildInfo{}), Logger: slog.New(slog.DiscardHandler),
		Now: time.Now, Issuer: "Example", AccountLabel: "username", ClientIDs: []string{"client"},
		PendingTTL: 15 * time.Minute, AuthSessionValidity: 3 * time.Minute, StepUpMaxAge: 15 * time.Minute,
		WriteRPS: 1000, WorkTimeout: 15 * time.Second,
	})}
}

// anyReplica is where the load balancer sends a request.
func (w *world) anyReplica() *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replicas[w.rand.IntN(len(w.replicas))]
}

// chance is for what goes on at once.
func (w *world) chance(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.IntN(n)
}

func (w *world) tell(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// begin begins a step.
func (w *world) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did, w.began = map[string][]start{}, time.Now()
}

// note enters what somebody did.
func (w *world) note(user string, s start) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did[user] = append(w.did[user], s)
}

// judge holds a step against the rule that what runs at once for one enrollment
// is one thing. Where all replicas have the store, and one sign-in of a user does
// nothing but start, it is told one new secret at most, also where the store lost
// the locks meanwhile.
func (w *world) judge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for user, did := range w.did {
		fresh := map[enroll.Secret]bool{}
		alone := true
		for _, s := range did {
			alone = alone && !s.other && s.by == did[0].by
			if s.fresh != "" {
				fresh[s.fresh] = true
			}
		}
		if alone && w.began.After(w.whole) && len(fresh) > 1 {
			w.t.Errorf("%s was told %d new secrets at once", user, len(fresh))
		}
	}
}

// trouble picks what breaks, or is mended.
func (w *world) trouble() func() {
	which := w.rand.IntN(2)
	switch w.rand.IntN(14) {
	case 0:
		return func() {
			w.tell("the store is out of reach")
			w.unsound(0)
			w.parted(1000 * time.Hour)
			w.store.cut(w.replicas[which].link)
		}
	case 1, 2:
		return func() {
			w.tell("the store is back")
			w.store.mend()
			w.unsound(25 * time.Second)
			w.parted(25 * time.Second)
		}
	case 3:
		return func() {
			w.tell("the store forgets its locks")
			w.unsound(0)
			w.store.forgetLocks()
		}
	case 4:
		return func() {
			w.tell("replica %d dies", which)
			w.unsound(0)
			w.parted(1000 * time.Hour)
			fresh := w.newReplica()
			w.mu.Lock()
			defer w.mu.Unlock()
			w.store.cut(w.replicas[which].link)
			w.replicas[which] = fresh
		}
	case 5:
		faults := []float64{0, 0, .1, .3}[w.rand.IntN(4)]
		return func() {
			w.tell("Cognito loses %.0f %% of the calls", 100*faults)
			w.cognito.mu.Lock()
			w.cognito.faults = faults
			w.cognito.mu.Unlock()
		}
	default:
		return func() {}
	}
}

// parted notes for how long a replica is without the store.
func (w *world) parted(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = time.Now().Add(d)
}

// unsound notes that the store failed somebody, and so that what needs it cannot
// be asked for: from when it answers again, and what was under way is over.
func (w *world) unsound(back time.Duration) {
	w.cognito.mu.Lock()
	defer w.cognito.mu.Unlock()
	if back == 0 {
		back = 1000 * time.Hour
	}
	w.cognito.sound = time.Now().Add(back)
}

// heal ends all trouble, and lets what it left behind pass.
func (w *world) heal() {
	w.store.mend()
	w.cognito.mu.Lock()
	w.cognito.faults = 0
	w.cognito.mu.Unlock()
	time.Sleep(time.Minute)
	w.unsound(0)
	w.cognito.sound = time.Now()
	w.tell("all is well from here on")
}

func (w *world) close() { w.store.close() }

func (w *world) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(w.t.Context(), 15*time.Second)
}
