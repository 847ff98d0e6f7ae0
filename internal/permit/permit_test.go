package permit_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"mfa-enrollment/internal/permit"
)

func TestAPermitIsUsedOnceHoweverManyTry(t *testing.T) {
	p, used := permit.Mint(), atomic.Int32{}
	var all sync.WaitGroup
	for range 50 {
		again := p
		all.Go(func() {
			if again.Use() {
				used.Add(1)
			}
		})
	}
	all.Wait()
	if n := used.Load(); n != 1 {
		t.Errorf("used %d times", n)
	}
}

func TestAZeroPermitAllowsNothing(t *testing.T) {
	if (permit.Permit{}).Use() {
		t.Error("a permit that nobody minted was used")
	}
}
