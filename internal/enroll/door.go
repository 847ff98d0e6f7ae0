package enroll

import (
	"context"
	"sync"
	"time"
)

const (
	// doorPatience is how long somebody waits for the answers to the calls of
	// others from the same address.
	doorPatience = 5 * time.Second
	// doorWaiting is how many from one address may wait.
	doorWaiting = 200
)

// door lets the callers of one address wait while that address's tokens are
// reserved for calls that are under way in this process. A company that comes
// all at once gets through, since each good answer gives a token back. Made-up
// sessions wait in vain.
type door struct {
	mu    sync.Mutex
	lanes map[string]*lane
}

// lane is one address with calls under way.
type lane struct {
	underWay int
	waiting  []chan struct{} // in the order in which they came
}

// enter notes a call that is under way.
func (d *door) enter(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[address]
	if l == nil {
		if d.lanes == nil {
			d.lanes = map[string]*lane{}
		}
		l = &lane{}
		d.lanes[address] = l
	}
	l.underWay++
}

// leave notes the end of a call. Whoever waits longest may try again when a token
// came back, and all may when none can come back any more.
func (d *door) leave(address string, gaveBack bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[address]
	l.underWay--
	wake := 0
	if gaveBack {
		wake = min(1, len(l.waiting))
	}
	if l.underWay == 0 {
		wake = len(l.waiting)
		delete(d.lanes, address)
	}
	for _, w := range l.waiting[:wake] {
		close(w)
	}
	l.waiting = l.waiting[wake:]
}

// wait returns true when it is worth trying again, and false when nothing is under
// way at the address, when too many wait already, and when ctx ends.
func (d *door) wait(ctx context.Context, address string) bool {
	turn := make(chan struct{})
	d.mu.Lock()
	l := d.lanes[address]
	if l == nil || len(l.waiting) >= doorWaiting {
		d.mu.Unlock()
		return false
	}
	l.waiting = append(l.waiting, turn)
	d.mu.Unlock()
	select {
	case <-turn:
		return true
	case <-ctx.Done():
		d.giveUp(l, turn)
		return false
	}
}

// giveUp takes somebody out of a lane. Whoever was woken at the same moment wakes
// the next one.
func (d *door) giveUp(l *lane, turn chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, w := range l.waiting {
		if w == turn {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return
		}
	}
	if len(l.waiting) > 0 {
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
	}
}
