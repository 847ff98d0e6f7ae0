package enroll

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSimultaneousCallersShareOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[int]
		var all sync.WaitGroup
		ran, firsts := 0, 0
		for range 50 {
			all.Go(func() {
				value, mine, err := f.do(t.Context(), "a", func(<-chan struct{}) (int, error) {
					ran++
					time.Sleep(time.Second)
					return 7, nil
				})
				if value != 7 || err != nil {
					t.Errorf("%d, %v", value, err)
				}
				if mine {
					firsts++
				}
			})
		}
		all.Wait()
		if ran != 1 || firsts != 1 {
			t.Errorf("ran %d times, %d were told that it was theirs", ran, firsts)
		}
		if len(f.byKey) != 0 {
			t.Errorf("%d are still under way", len(f.byKey))
		}
	})
}

func TestWorkGoesOnWhileAnybodyWaitsAndKnowsWhenNobodyDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[string]
		var all sync.WaitGroup
		work := func(abandoned <-chan struct{}) (string, error) {
			select {
			case <-abandoned:
				return "", errors.New("nobody waited")
			case <-time.After(time.Minute):
				return "done", nil
			}
		}
		join := func(want string, wantErr bool) (leave func()) {
			ctx, leave := context.WithCancel(t.Context())
			all.Go(func() {
				got, _, err := f.do(ctx, "a", work)
				if got != want || (err != nil) != wantErr {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			})
			synctest.Wait()
			return leave
		}

		first := join("done", false)
		second := join("done", false)
		third := join("", true)
		first() // It does the work, and so waits for it.
		third()
		all.Wait()
		second()

		begin := time.Now()
		first, second = join("", true), join("", true)
		first()
		second()
		synctest.Wait()
		fresh := join("done", false) // The one that was abandoned is none of its business.
		all.Wait()
		fresh()
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("took %v", took)
		}
	})
}
