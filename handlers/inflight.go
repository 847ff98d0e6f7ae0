package handlers

import (
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"mfa-enrollment/internal/enroll"
)

// Requests in flight, such as those whose body does not come or that wait for
// their turn at Cognito, hold some 50 kB each.
const (
	maxInFlight     = 1500
	maxInFlightEach = 300 // of one address, or in IPv6 one /64
)

// inFlight bounds the requests in flight, in all and of one address.
type inFlight struct {
	mu  sync.Mutex
	all int
	by  map[string]int
}

// limitInFlight answers `busy` where there are too many.
func limitInFlight() echo.MiddlewareFunc {
	f := &inFlight{by: map[string]int{}}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			from := network(c.RealIP())
			if !f.enter(from) {
				return &enroll.Error{Kind: enroll.Busy, Reason: "too many requests in flight", RetryAfter: time.Second}
			}
			defer f.leave(from)
			return next(c)
		}
	}
}

func (f *inFlight) enter(from string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all >= maxInFlight || f.by[from] >= maxInFlightEach {
		return false
	}
	f.all++
	f.by[from]++
	return true
}

func (f *inFlight) leave(from string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all--
	if f.by[from]--; f.by[from] == 0 {
		delete(f.by, from)
	}
}
