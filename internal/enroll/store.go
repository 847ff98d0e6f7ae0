package enroll

import "context"

// Store keeps pending enrollments, each as one entry under its name; names of
// later sessions lead to it. Package pending has one in memory and one in Redis.
//
// A store that cannot be reached behaves like an empty one, counts that itself
// and never fails an enrollment: without it the service is as good as Cognito
// alone.
type Store interface {
	// Find returns the enrollment that a name leads to.
	Find(ctx context.Context, name string) (Pending, bool)
	// Claim is Find; and where the name leads to nothing, and nobody holds it, it
	// is Hold as well, in the same round trip. hold is nil where it is not.
	Claim(ctx context.Context, name string) (p Pending, hold Hold)
	// Hold waits, while ctx lasts, until nobody else holds the enrollment that a
	// name leads to, over all replicas, and returns it as it is then. A store
	// that cannot lock lets everybody through.
	Hold(ctx context.Context, name string) Hold
}

// Hold is the right to change one enrollment, which one caller has at a time.
type Hold interface {
	// Pending is the enrollment as it was when the hold began.
	Pending() (Pending, bool)
	// Save stages the enrollment: Release keeps it until p.Expires under
	// p.Name. A session's name given as alias leads to it too; "" is none.
	Save(p Pending, alias string)
	// Release writes what was staged and frees the enrollment, in one step. It
	// reports false when the hold was lost to somebody else meanwhile; nothing
	// was written then. Only the first call counts.
	Release(ctx context.Context) bool
}

// NoStore keeps nothing: PENDING_TTL=0.
type NoStore struct{}

// Find implements Store.
func (NoStore) Find(context.Context, string) (Pending, bool) { return Pending{}, false }

// Claim implements Store.
func (NoStore) Claim(context.Context, string) (Pending, Hold) { return Pending{}, noHold{} }

// Hold implements Store.
func (NoStore) Hold(context.Context, string) Hold { return noHold{} }

type noHold struct{}

func (noHold) Pending() (Pending, bool)     { return Pending{}, false }
func (noHold) Save(Pending, string)         {}
func (noHold) Release(context.Context) bool { return true }
