package cognitotest

import (
	"fmt"
	"time"
)

// Quota is how many calls a second each category of operations has, for all
// pools and users together; zero is no limit.
type Quota struct {
	// UserResourceUpdate is shared by AssociateSoftwareToken,
	// VerifySoftwareToken and SetUserMFAPreference.
	UserResourceUpdate int
	// UserRead is for GetUser.
	UserRead int
	// UserAuthentication is shared by InitiateAuth and RespondToAuthChallenge.
	UserAuthentication int
}

// CognitoQuota returns the quota of an AWS account as it comes. The first number
// cannot be raised:
// https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
func CognitoQuota() Quota {
	return Quota{UserResourceUpdate: 25, UserRead: 120, UserAuthentication: 120}
}

// category is a set of operations that share a quota.
type category string

const (
	unlimited          category = ""
	userResourceUpdate category = "UserResourceUpdate"
	userRead           category = "UserRead"
	userAuthentication category = "UserAuthentication"
)

// bucket holds the calls that are left. It refills steadily at its rate, in calls
// a second, and holds no more than a second's worth.
type bucket struct {
	rate float64
	left float64
	at   time.Time
}

// take takes n calls if they are there. A bucket without a rate always has them.
func (b *bucket) take(n float64, now time.Time) bool {
	if b.rate == 0 {
		return true
	}
	b.refill(now)
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

func (b *bucket) refill(now time.Time) {
	b.left = min(b.rate, b.left+b.rate*max(0, now.Sub(b.at).Seconds()))
	b.at = now
}

// rates are the calls a second by category.
func (q Quota) rates() map[category]int {
	return map[category]int{
		userResourceUpdate: q.UserResourceUpdate,
		userRead:           q.UserRead,
		userAuthentication: q.UserAuthentication,
	}
}

func (q Quota) check() error {
	for name, rate := range q.rates() {
		if rate < 0 {
			return fmt.Errorf("%s %d: want calls a second, or 0 for no limit", name, rate)
		}
	}
	return nil
}

// SetQuota changes the quota from the next call on; each category starts with a
// full second's worth. The zero Quota takes all limits away. It panics when a
// limit is negative.
func (s *Server) SetQuota(q Quota) {
	mustBe(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setQuota(q)
}

// setQuota is SetQuota for a caller who holds s.mu.
func (s *Server) setQuota(q Quota) {
	s.buckets = map[category]*bucket{}
	for name, rate := range q.rates() {
		s.buckets[name] = &bucket{rate: float64(rate), left: float64(rate), at: s.now()}
	}
}

// Spend takes n calls out of UserResourceUpdate, or what is left of them, as
// somebody else in the same AWS account would. To have somebody use half of it
// all the time, halve it with [Server.SetQuota].
func (s *Server) Spend(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[userResourceUpdate]
	b.refill(s.now())
	b.left = max(0, b.left-float64(n))
}

// Refused returns how many calls of an operation were over the quota; "" is all
// operations.
func (s *Server) Refused(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sum(s.refused, operation)
}

// admit takes a call of that category out of the quota. The caller holds s.mu.
func (s *Server) admit(name string, c category) error {
	if c == unlimited || s.buckets[c].take(1, s.now()) {
		return nil
	}
	s.refused[name]++
	return &exception{name: "TooManyRequestsException", message: "Rate exceeded"}
}
