// Package pending keeps pending enrollments, sealed: in the memory of one process,
// or in a Redis or Valkey that the replicas share, with the memory as fallback.
// docs/pending.md tells a security reviewer what is kept, where and for how long.
package pending

import (
	"crypto/rand"
	"io"
	"time"
)

// Options configures a store. Zero values are what production wants, except
// that Redis needs SealKeys.
type Options struct {
	// SealKeys are AES-256 keys of 32 bytes each: the first seals, all open.
	// Empty: one random key for the life of the process.
	SealKeys [][]byte
	Now      func() time.Time
	Rand     io.Reader // nonces and the random key; crypto/rand where nil
	// Unreadable is called for each entry that could not be opened and was
	// treated as absent.
	Unreadable func()
	// Capacity bounds what is kept in memory: an enrollment counts once, and once
	// more for each later session that leads to it. Beyond it some are forgotten,
	// whichever they are. Cognito's quota of 25 calls a second allows 22,500
	// enrollments within a PENDING_TTL of 15 minutes. Zero: 100,000.
	Capacity int
}

const defaultCapacity = 100_000

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Unreadable == nil {
		o.Unreadable = func() {}
	}
	if o.Capacity <= 0 {
		o.Capacity = defaultCapacity
	}
	return o
}
