// Package events tells the operator's receiver what happened to people's factors:
// CloudEvents over HTTP, signed as Standard Webhooks says. What waits is kept in the
// memory of the process, or in a Redis that the replicas share, sealed.
// docs/events.md tells operators and receivers the rest.
package events

import (
	"context"
	crand "crypto/rand"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/seal"
	"mfa-enrollment/metrics"
)

const (
	// giveUpAfter is how long an event is tried.
	giveUpAfter = 24 * time.Hour
	// An event that was not delivered is tried again after some firstPause, then
	// after twice as long, and so on up to lastPause.
	firstPause = 5 * time.Second
	lastPause  = 15 * time.Minute
	// workers is how many people's events a replica sends at once.
	workers = 8
	// pollEvery is how often a replica looks for what others have left.
	pollEvery = time.Second
	// intake is how many events wait for the queue itself.
	intake = 1000
	// lastTries is how long a process that stops goes on sending what it alone has.
	lastTries = 5 * time.Second
)

// Metrics is what an outbox counts.
type Metrics interface {
	EventHappened(eventType string)
	EventAttempted(result string, took time.Duration)
	EventDropped(reason string)
}

// Options configures an outbox.
type Options struct {
	URL       enroll.Secret // where the events go
	Secrets   [][]byte      // all of them sign
	SealKeys  [][]byte
	Redis     *redislink.Subsystem // nil: memory
	Metrics   Metrics
	Logger    *slog.Logger
	Now       func() time.Time
	UserAgent string
	Transport http.RoundTripper // nil: the package's own
}

// Outbox sends events at least once, a person's in the order in which they
// happened. It is safe for concurrent use.
type Outbox struct {
	o        Options
	queue    queue
	sealer   *seal.Sealer
	receiver *receiver
	gone     atomic.Bool // the receiver answered 410
	failing  atomic.Bool // the last attempt failed

	mu      sync.Mutex
	closed  bool
	intake  chan waitingEvent
	wake    chan struct{} // somebody should look at the queue
	slots   chan struct{} // one a worker
	saving  sync.WaitGroup
	sending sync.WaitGroup
	idle    context.CancelFunc // hand out nothing more
	stop    context.CancelFunc // break off what is being sent
}

// waitingEvent is an event on its way into the queue.
type waitingEvent struct {
	event enroll.Event
	at    time.Time
}

// kept is what is sealed: the document and what the log may say of it.
type kept struct {
	ID   string    `json:"id"`
	Type string    `json:"type"`
	At   time.Time `json:"at"`
	Body string    `json:"body"`
}

// New makes an outbox and begins to send. It fails for seal keys that are none.
func New(o Options) (*Outbox, error) {
	sealer, err := seal.New(o.SealKeys, crand.Reader)
	if err != nil {
		return nil, err
	}
	b := &Outbox{
		o: o, sealer: sealer, receiver: newReceiver(o),
		intake: make(chan waitingEvent, intake), wake: make(chan struct{}, 1), slots: make(chan struct{}, workers),
	}
	b.queue = newMemory()
	if o.Redis != nil {
		b.queue = newShared(o.Redis, func() { b.drop(metrics.EventFull, "", "") })
	}
	var handing, sending context.Context
	sending, b.stop = context.WithCancel(context.Background())
	handing, b.idle = context.WithCancel(sending)
	b.saving.Go(b.save)
	b.sending.Go(func() { b.dispatch(handing, sending) })
	return b, nil
}

// Happened implements enroll.Events. It never waits: an event for which there is no
// room is counted and dropped.
func (b *Outbox) Happened(e enroll.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.o.Metrics.EventHappened(string(e.Type))
	if b.closed {
		b.drop(metrics.EventStopped, string(e.Type), "")
		return
	}
	select {
	case b.intake <- waitingEvent{e, b.o.Now()}:
	default:
		b.drop(metrics.EventFull, string(e.Type), "")
	}
}

// save puts into the queue what comes in.
func (b *Outbox) save() {
	for w := range b.intake {
		i, k, err := b.seal(w)
		switch {
		case err != nil:
			b.drop(metrics.EventUnreadable, k.Type, k.ID)
		case !b.queue.put(context.Background(), i):
			b.drop(metrics.EventFull, k.Type, k.ID)
		}
		b.look()
	}
}

func (b *Outbox) seal(w waitingEvent) (i item, k kept, err error) {
	k = kept{ID: "evt_" + crand.Text(), Type: string(w.event.Type), At: w.at}
	body, err := write(k.ID, w.event)
	if err != nil {
		return item{}, k, err
	}
	k.Body = string(body)
	plain, err := json.Marshal(k)
	if err != nil {
		return item{}, k, err
	}
	i = item{person: w.event.Person.Name(), at: w.at}
	i.blob, err = b.sealer.Seal(seal.Event, i.person, plain)
	return i, k, err
}

func (b *Outbox) open(l lent) (k kept, err error) {
	plain, err := b.sealer.Open(seal.Event, l.person, l.blob)
	if err != nil {
		return kept{}, err
	}
	err = json.Unmarshal(plain, &k)
	return k, err
}

// look makes the dispatcher look at the queue.
func (b *Outbox) look() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// dispatch hands what is due to workers until ctx ends.
func (b *Outbox) dispatch(ctx, sending context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		case <-timer.C:
		}
		timer.Reset(b.handOut(ctx, sending))
	}
}

// handOut gives each free worker an event, and tells when to look again.
func (b *Outbox) handOut(ctx, sending context.Context) (wait time.Duration) {
	for !b.gone.Load() && ctx.Err() == nil {
		select {
		case b.slots <- struct{}{}:
		default:
			return pollEvery // Whoever is done wakes the dispatcher.
		}
		l, ok, wait := b.queue.take(ctx, b.o.Now())
		if !ok {
			<-b.slots
			return min(max(wait, time.Millisecond), pollEvery)
		}
		b.sending.Go(func() {
			b.deliver(sending, l)
			<-b.slots
			b.look()
		})
	}
	return pollEvery
}

// deliver makes one attempt for an event.
func (b *Outbox) deliver(ctx context.Context, l lent) {
	k, err := b.open(l)
	if err != nil {
		b.drop(metrics.EventUnreadable, "", "")
		b.queue.done(ctx, l, b.o.Now())
		return
	}
	age := b.o.Now().Sub(k.At)
	if age >= giveUpAfter {
		b.drop(metrics.EventExpired, k.Type, k.ID)
		b.queue.done(ctx, l, b.o.Now())
		return
	}
	begin := time.Now()
	result, reason := b.receiver.send(ctx, k.ID, []byte(k.Body))
	b.o.Metrics.EventAttempted(result, time.Since(begin))
	if result == metrics.EventDelivered {
		if b.failing.Swap(false) {
			b.o.Logger.InfoContext(ctx, "events are delivered again")
		}
		b.queue.done(ctx, l, b.o.Now())
		return
	}
	if result == metrics.EventGone && !b.gone.Swap(true) {
		b.o.Logger.ErrorContext(ctx, "the receiver of events answered 410: nothing is sent to it until the service starts again")
	}
	at := b.o.Now()
	pause := pauseAfter(l.failed)
	level := slog.LevelDebug // One line for an outage, not one for every attempt.
	if !b.failing.Swap(true) {
		level = slog.LevelWarn
	}
	b.o.Logger.LogAttrs(ctx, level, "an event was not delivered",
		slog.String("type", k.Type), slog.String("id", k.ID), slog.String("result", result), slog.String("reason", reason), slog.Duration("again", pause))
	b.queue.later(ctx, l, at.Add(pause))
}

// pauseAfter is how long to wait with an event whose attempt failed, after so many
// that had failed before.
func pauseAfter(failed int) time.Duration {
	pause := min(firstPause<<min(failed, 10), lastPause)
	return pause + rand.N(pause/4) //nolint:gosec // It only spreads the attempts.
}

// drop counts an event that nobody will get, and logs it.
func (b *Outbox) drop(reason, eventType, id string) {
	b.o.Metrics.EventDropped(reason)
	b.o.Logger.Warn("an event was dropped", slog.String("reason", reason), slog.String("type", eventType), slog.String("id", id))
}

// Waiting tells how many events of this replica wait, and for how long the oldest
// does.
func (b *Outbox) Waiting() (n int, oldest time.Duration) {
	n, since := b.queue.waiting()
	if n > 0 {
		oldest = max(0, b.o.Now().Sub(since))
	}
	return n, oldest
}

// Gone reports whether the receiver answered 410.
func (b *Outbox) Gone() bool { return b.gone.Load() }

// Close takes no more events, puts into the queue what came in, and stops sending:
// at once where the other replicas go on with what waits, and else when all that
// can be sent was sent. That takes lastTries at most, and no longer than ctx. What
// this process alone has then is lost, and counted.
func (b *Outbox) Close(ctx context.Context) {
	b.mu.Lock()
	already := b.closed
	b.closed = true
	b.mu.Unlock()
	if already {
		return
	}
	close(b.intake)
	b.saving.Wait()
	ctx, cancel := context.WithTimeout(ctx, lastTries)
	defer cancel()
	context.AfterFunc(ctx, b.stop)
	if b.alone() {
		b.drain(ctx)
	}
	b.idle()
	b.sending.Wait()
	if n, _ := b.queue.waiting(); b.alone() {
		for range n {
			b.drop(metrics.EventStopped, "", "")
		}
	}
}

// alone reports whether what waits is nowhere but in this process.
func (b *Outbox) alone() bool { return b.o.Redis == nil || b.o.Redis.Alone() }

// drain waits until nothing is being sent, and nothing is left that could be.
func (b *Outbox) drain(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if b.gone.Load() || !b.queue.ready(b.o.Now()) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
