package enroll

import (
	"maps"
	"sync"
	"time"
)

const (
	// waitedLost is how much of its life a session may have lost before it got
	// here: the page loads, and the request is on its way.
	waitedLost = 15 * time.Second
	// waitedAtAddress and waitedInAll bound how many sessions are remembered. One
	// that does not fit is as one that comes for the first time.
	waitedAtAddress = 10_000
	waitedInAll     = 100_000
	// waitedAfter is how long an ended one is remembered: it may come back late.
	waitedAfter = 2 * time.Minute
)

// waited remembers when sessions came that got nothing, since Cognito did not
// answer, the quota had no room, or a limit was met. Each was told to come back.
// One that has ended meanwhile is told so without a call: Cognito would refuse it,
// the refusals would count against its address, and the address would be locked
// out for everybody whose session ends while they wait.
type waited struct {
	validity time.Duration
	now      func() time.Time

	mu        sync.Mutex
	since     map[string]map[string]time.Time // by address, by session, which is hashed
	remembers int
	swept     time.Time
}

func newWaited(validity time.Duration, now func() time.Time) *waited {
	return &waited{validity: validity, now: now, since: map[string]map[string]time.Time{}}
}

// ended reports whether a session has waited for longer than it lives.
func (w *waited) ended(address, session string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	since, found := w.since[address][session]
	return found && w.now().Sub(since) > w.validity-waitedLost
}

// note remembers a session that got nothing.
func (w *waited) note(address, session string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep()
	if _, found := w.since[address][session]; found || len(w.since[address]) >= waitedAtAddress || w.remembers >= waitedInAll {
		return
	}
	if w.since[address] == nil {
		w.since[address] = map[string]time.Time{}
	}
	w.since[address][session] = w.now()
	w.remembers++
}

// sweep forgets, now and then, sessions that ended long ago.
func (w *waited) sweep() {
	now := w.now()
	if now.Sub(w.swept) < time.Minute {
		return
	}
	w.swept, w.remembers = now, 0
	for address, sessions := range w.since {
		maps.DeleteFunc(sessions, func(_ string, since time.Time) bool { return now.Sub(since) > w.validity+waitedAfter })
		if len(sessions) == 0 {
			delete(w.since, address)
		}
		w.remembers += len(sessions)
	}
}
