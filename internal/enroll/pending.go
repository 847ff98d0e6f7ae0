package enroll

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Pending is an enrollment that was started and not verified yet; or, for a
// moment, without a secret, one that was verified just now.
type Pending struct {
	// Keys are the names under which it is found: one in the token flow; in
	// the session flow one for each session of the chain, since a page may
	// come back with the session that it started with.
	Keys        []string
	Secret      Secret
	Session     Secret // the newest session of the chain; empty in the token flow
	AccountName string
	Started     time.Time
	Expires     time.Time
}

// Store keeps pending enrollments. Package pending has one in memory and one in
// Redis. A store that cannot be reached behaves like an empty one, counts that
// itself and never fails an enrollment: without it the service is as good as
// Cognito alone.
type Store interface {
	// Load finds a pending enrollment by one of its keys.
	Load(ctx context.Context, key string) (Pending, bool)
	// Save keeps it under all of its keys until it expires.
	Save(ctx context.Context, p Pending)
	// Delete forgets it, its tries too.
	Delete(ctx context.Context, p Pending)
	// Lock lets one caller at a time, over all replicas, ask Cognito for the
	// secret of a key, or verify it (verifying). It waits for its turn while ctx
	// lasts, and a store that cannot lock lets everybody through.
	Lock(ctx context.Context, key string) (unlock func())
	// CountTry counts one try against a key and tells how many there were in
	// the running window and when that ends.
	CountTry(ctx context.Context, key string, window time.Duration) (tries int, reset time.Duration)
}

// Tries per pending enrollment: enough for a person with a phone and far too few
// to guess one of three codes in a million.
const (
	maxTries   = 10
	tryWindow  = time.Minute
	secondLook = 3 // every third wrong code goes to Cognito all the same
)

// pendingKey names a credential's pending enrollment: the subject and client,
// so that a refreshed token finds it, or the session. Hashing keeps the session
// out of the store's keys; it has far more entropy than a hash could lose.
func pendingKey(c Credential) string {
	if id := c.Identity; id != nil {
		return "token:" + hashed(id.PoolID, id.Subject, id.ClientID)
	}
	return sessionKey(c.Session)
}

// verifying names the lock of those who verify what is pending under a key.
func verifying(key string) string { return "verify:" + key }

// pending finds an enrollment that waits to be verified.
func (s *Service) pending(ctx context.Context, key string) (Pending, bool) {
	p, found := s.Store.Load(ctx, key)
	if !found || p.Secret == "" {
		return Pending{}, false
	}
	return p, true
}

func sessionKey(s Secret) string { return "session:" + hashed(s.Reveal()) }

// hashed joins the parts so that no two different lists give the same hash.
func hashed(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// NoStore keeps nothing: PENDING_TTL=0.
type NoStore struct{}

// Load implements Store.
func (NoStore) Load(context.Context, string) (Pending, bool) { return Pending{}, false }

// Save implements Store.
func (NoStore) Save(context.Context, Pending) {}

// Delete implements Store.
func (NoStore) Delete(context.Context, Pending) {}

// Lock implements Store.
func (NoStore) Lock(context.Context, string) func() { return func() {} }

// CountTry implements Store.
func (NoStore) CountTry(context.Context, string, time.Duration) (int, time.Duration) { return 0, 0 }
