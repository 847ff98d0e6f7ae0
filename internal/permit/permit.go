// Package permit makes the right to one call to Amazon Cognito. The limits mint
// it (package enroll), and the client refuses a call without one (package
// cognito), so that no call can be written that passes no limit. The linter lets
// nobody else mint (forbidigo in .golangci.yml).
package permit

import "sync/atomic"

// Permit allows one call. Its zero value allows none. Copies share the one use.
type Permit struct{ unused *atomic.Bool }

// Mint makes a permit.
func Mint() Permit {
	p := Permit{unused: new(atomic.Bool)}
	p.unused.Store(true)
	return p
}

// Use spends the permit. It reports true once, to the first caller, and false for
// a zero permit.
func (p Permit) Use() bool { return p.unused != nil && p.unused.CompareAndSwap(true, false) }
