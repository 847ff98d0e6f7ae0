// Package pending keeps pending enrollments, sealed: in the memory of one
// process, or in a Redis or Valkey that the replicas share, with the memory as
// fallback. Both satisfy enroll.Store. docs/pending.md tells a security reviewer
// what is kept, where and for how long.
package pending

import (
	"crypto/rand"
	"io"
	"time"

	"mfa-enrollment/internal/enroll"
)

// Options configures a store. Zero values are what production wants, except
// that Redis needs SealKeys.
type Options struct {
	// SealKeys are AES-256 keys of 32 bytes each: the first seals, all open.
	// Empty: one random key for the life of the process.
	SealKeys [][]byte
	Now      func() time.Time
	Rand     io.Reader // nonces and the random key; crypto/rand where nil
	// Failed is called once for each failure that was survived, with the
	// operation that failed: load, save (tries too), delete, lock or open.
	Failed func(operation string)
	// Capacity bounds the entries in memory, of which an enrollment has one in
	// the token flow and one for each session of the chain in the session flow.
	// Beyond it some are forgotten, whichever they are; all the enrollments that
	// Cognito's quota allows within PENDING_TTL are 22,500. Each takes 0.5 kB, and
	// with the longest session that Cognito documents 3 kB. Zero: 100,000.
	Capacity int
}

// The operations that Failed is told of, as metrics.StoreOperations names them.
const (
	opLoad   = "load"
	opSave   = "save"
	opDelete = "delete"
	opLock   = "lock"
	opOpen   = "open"
)

const defaultCapacity = 100_000

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Failed == nil {
		o.Failed = func(string) {}
	}
	if o.Capacity <= 0 {
		o.Capacity = defaultCapacity
	}
	return o
}

// The names that an enrollment has in a store. A key is a hash already (package
// enroll makes it), so a name tells nothing; the braces make a Redis cluster
// keep all that belongs to one key in one slot, which scripts need
// (Redis cluster specification, "Hash tags").
func entryName(key string) string { return "mfa-enrollment:{" + key + "}" }
func triesName(key string) string { return entryName(key) + ":tries" }
func lockName(key string) string  { return entryName(key) + ":lock" }

var (
	_ enroll.Store = (*Memory)(nil)
	_ enroll.Store = (*Redis)(nil)
)
