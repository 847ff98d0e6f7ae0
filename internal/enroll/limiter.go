package enroll

import (
	"context"
	"time"
)

// Guard is the shape of a token bucket: so many tokens at once, and one more each
// interval.
type Guard struct {
	Name     string // a metric label and the policy's name in the RateLimit header
	Burst    int
	Interval time.Duration
}

// Want is a number of tokens from the bucket that a guard has for somebody.
type Want struct {
	Guard
	Of string // whose bucket: a hash, an address or a network
	// OfMark names the bucket by the value of the mark that its case asks for,
	// in place of Of.
	OfMark bool
	N      int // tokens
	Keep   int // tokens that must stay in the bucket
}

// Mark is a value that is kept under a name until it expires.
type Mark struct {
	Name, Value string
	TTL         time.Duration
}

// Case is one way to admit a caller. It takes tokens from all of its buckets or
// from none.
type Case struct {
	When  string // the mark that must be there; "" asks for none
	Try   bool   // where tokens are missing, the next case decides
	Wants []Want
	Sets  []Mark // are set when the tokens were taken
}

// Taken is what came of Take.
type Taken struct {
	Case  int           // the index of the case that decided
	Value string        // of the mark that the case asked for
	Wait  time.Duration // zero: the tokens were taken; else how long until they are there
	Met   Guard         // where Wait is not zero: the bucket in which they are missing
}

// Limiter keeps token buckets and marks. Package limit has one in memory and one
// in Redis. Each method is one step, and in Redis one round trip.
type Limiter interface {
	// Take admits a caller by the first case whose mark is there. The last case
	// must ask for no mark.
	Take(ctx context.Context, cases ...Case) Taken
	// Settle gives tokens back and sets marks. A bucket never holds more than
	// its burst, and never less than none.
	Settle(ctx context.Context, back []Want, marks []Mark)
}
