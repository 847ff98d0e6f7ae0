package cognitotest

import "time"

// The lock-out after failed sign-ins:
// https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html#authentication-flow-lockout-behavior
const (
	freeFailures  = 5
	firstLockout  = time.Second
	longestLock   = 15 * time.Minute
	forgivenAfter = 15 * time.Minute
)

// lockout counts a user's failed sign-ins, by password and by code together.
type lockout struct {
	failures int
	until    time.Time
	last     time.Time
}

// attempt begins an attempt. It is refused while the lock-out lasts, which the
// refusal does not lengthen, and forgets everything after a quarter of an hour
// without attempts.
func (l *lockout) attempt(now time.Time) error {
	if now.Sub(l.last) >= forgivenAfter {
		*l = lockout{}
	}
	l.last = now
	if now.Before(l.until) {
		return notAuthorized("Password attempts exceeded")
	}
	return nil
}

// fail counts a failed attempt. The fifth locks for a second, and each one after
// it for twice as long as the one before.
func (l *lockout) fail(now time.Time) {
	l.failures++
	if l.failures < freeFailures {
		return
	}
	lock := firstLockout
	for range l.failures - freeFailures {
		lock = min(2*lock, longestLock)
	}
	l.until = now.Add(lock)
}
