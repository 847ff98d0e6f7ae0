// Package histories_test plays random histories of the flows against a model of
// Cognito's own rules, in virtual time: two replicas that share a Redis, people
// who do things at once, answers that are lost, a store that goes and comes,
// holds that are lost, a replica that dies. Each history is named by its seed.
//
// What must hold in all of them:
//   - a secret is shown to the sign-in that asked for it, and to no other;
//   - while the store answers, it is not shown after it was verified;
//   - a session is spent once;
//   - who is told that the app works has an app that works;
//   - nobody is lost: whoever does what the replies say finishes.
package histories_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"mfa-enrollment/test/long"
)

// seed plays one history again: go test ./test/histories -seed 17.
var seed = flag.Uint64("seed", 0, "play the history of this seed alone")

func TestWhateverHappensTheInvariantsHold(t *testing.T) {
	if *seed != 0 {
		play(t, *seed)
		return
	}
	t.Parallel()
	for s := range long.Or[uint64](50, 600) {
		if !t.Run(fmt.Sprint("seed ", s+1), func(t *testing.T) { play(t, s+1) }) {
			return
		}
	}
}

// play plays the history of a seed.
func play(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, rand.New(rand.NewPCG(seed, 1)))
		defer w.close()
		for range 12 + w.rand.IntN(20) {
			w.step()
		}
		w.heal()
		for _, p := range w.people {
			p.finish()
		}
		for _, note := range w.cognito.notes {
			t.Errorf("seed %d: %s", seed, note)
		}
		if t.Failed() {
			for _, line := range w.told {
				t.Log(line)
			}
		}
	})
}

// step lets a few people do something at about the same time, and perhaps
// something break.
func (w *world) step() {
	w.begin()
	when, trouble := time.Duration(w.rand.IntN(400))*time.Millisecond, w.trouble()
	w.all.Go(func() {
		time.Sleep(when)
		trouble()
	})
	for range 1 + w.rand.IntN(4) {
		p := w.people[w.rand.IntN(len(w.people))]
		do, wait := p.choose(), time.Duration(w.rand.IntN(400))*time.Millisecond
		w.all.Go(func() {
			time.Sleep(wait)
			do()
		})
	}
	w.all.Wait()
	w.judge()
	if w.rand.IntN(6) == 0 {
		time.Sleep(time.Duration(w.rand.IntN(300)) * time.Second)
	} else {
		time.Sleep(time.Duration(w.rand.IntN(20)) * time.Second)
	}
}
