package token

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"mfa-enrollment/internal/enroll"
)

const (
	// fetchTimeout bounds one fetch of a key set.
	fetchTimeout = 10 * time.Second
	// A fetch that fails is repeated after firstRetry, then after twice as long
	// each time, up to lastRetry.
	firstRetry = 250 * time.Millisecond
	lastRetry  = time.Minute
	// unknownKeyWait is how long a token with an unknown key waits for a fetch:
	// enough for a healthy endpoint, little enough to cost a stranger's request
	// nothing worth having.
	unknownKeyWait = 2 * time.Second
	// maxKeySetBytes bounds an endpoint's answer; Cognito's has two keys and
	// less than a kilobyte.
	maxKeySetBytes = 64 << 10
	// minKeyBits is the shortest RSA key that RS256 allows (RFC 7518 §3.3).
	minKeyBits = 2048
)

// keySet holds the signing keys of one user pool. One goroutine, run, does all
// the fetching, so that no number of requests makes two fetches at a time.
//
// keyfunc and jwkset can refresh by themselves, but not as a service in front
// of strangers needs it: their first fetch blocks the caller and is repeated
// after the whole interval only, every unknown key waits its turn for a fetch
// of its own, and an answer without keys empties the set. So they read the
// answers and choose the key here, and run says when to fetch.
//
// A pool's key set has two addresses. The one of the original issuer answers for
// every pool. The one of the updated issuer has the same keys, is held in several
// regions, and answers 403 for a pool that was not switched (aws-jwt-verify#279),
// so nothing may depend on it. The second is therefore asked only where the first
// gives no keys, and its answer replaces all keys like the first's. Merging both
// would cost a refusal an hour for most pools, and a key that Cognito withdraws
// at one address would stay good until the other drops it too.
//
// Its times are of the real clock, as those of its timers are: the clock that tokens
// are held against is corrected by hours when the service's own turns out to be off.
type keySet struct {
	poolID  string
	urls    []string // in the order in which they are asked
	client  *http.Client
	log     *slog.Logger
	refresh time.Duration // from one fetch to the next
	pause   time.Duration // from one fetch for an unknown key to the next
	made    time.Time

	keys   *jwkset.MemoryJWKSet
	lookup keyfunc.Keyfunc
	wanted chan chan struct{} // asks run for a fetch out of turn, to be closed after it

	mu      sync.Mutex
	fetched time.Time     // of the last success; zero before the first
	failing bool          // the last fetch failed
	asked   time.Time     // when an unknown key last asked for a fetch
	asking  chan struct{} // what was sent to wanted; nil when nothing is under way
}

// newKeySet prepares the keys of a pool without fetching them.
func newKeySet(pool Pool, o Options) (*keySet, error) {
	if pool.ID == "" || len(pool.Issuers) == 0 || slices.Contains(pool.Issuers, "") || len(pool.KeyURLs) == 0 {
		return nil, errors.New("want an id, an issuer and a URL for the key set")
	}
	for _, address := range pool.KeyURLs {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, errors.New("want an https:// or http:// URL for the key set")
		}
	}
	keys := jwkset.NewMemoryStorage()
	lookup, err := keyfunc.New(keyfunc.Options{Storage: keys})
	if err != nil {
		return nil, err
	}
	client := *o.HTTPClient
	client.Transport = capped{client.Transport}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &keySet{
		poolID:  pool.ID,
		urls:    slices.Clone(pool.KeyURLs),
		client:  &client,
		log:     o.Logger,
		refresh: o.RefreshInterval,
		pause:   o.UnknownKeyInterval,
		keys:    keys,
		lookup:  lookup,
		wanted:  make(chan chan struct{}, 1),
		made:    time.Now(),
	}, nil
}

// run fetches the keys until ctx ends.
func (s *keySet) run(ctx context.Context) {
	retry := firstRetry
	var asking chan struct{}
	for {
		wait := s.refresh
		if err := s.fetch(ctx); err == nil {
			retry = firstRetry
		} else {
			wait = retry
			retry = min(2*retry, lastRetry)
			s.report(ctx, err, wait)
		}
		s.answer(asking)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			asking = nil
		case asking = <-s.wanted:
		}
	}
}

// fetch replaces the keys by those of the first address that has any. If none
// has, the keys stay as they are, however old: Cognito's outage must not become
// one of this service.
func (s *keySet) fetch(ctx context.Context) error {
	err := s.replace(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing = err != nil; !s.failing {
		s.fetched = time.Now()
	}
	return err
}

func (s *keySet) replace(ctx context.Context) error {
	var failures []error
	for _, address := range s.urls {
		keys, err := s.fetchFrom(ctx, address)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		return s.keys.KeyReplaceAll(ctx, keys)
	}
	return errors.Join(failures...)
}

// fetchFrom returns the keys that an address answers with, at least one. What is
// no key that can verify a token is passed over, and harms no other key of the
// set (RFC 7517 §5).
func (s *keySet) fetchFrom(ctx context.Context, address string) ([]jwkset.JWK, error) {
	set, err := s.read(ctx, address)
	if err != nil {
		return nil, err
	}
	var keys []jwkset.JWK
	for _, raw := range set.Keys {
		key, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err == nil && signsRS256(key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set holds no RS256 key")
	}
	return keys, nil
}

// rawKeySet is a JWK Set whose keys were not looked at yet.
type rawKeySet struct {
	Keys []json.RawMessage `json:"keys"`
}

// read gets a key set.
func (s *keySet) read(ctx context.Context, address string) (set rawKeySet, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return set, err
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return set, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return set, fmt.Errorf("the key set was answered with status %d", answer.StatusCode)
	}
	return set, json.NewDecoder(answer.Body).Decode(&set)
}

// signsRS256 tells whether a key may verify an access token.
func signsRS256(k jwkset.JWK) bool {
	key, ok := k.Key().(*rsa.PublicKey)
	m := k.Marshal()
	return ok && key.N.BitLen() >= minKeyBits && m.KID != "" &&
		(m.USE == jwkset.UseSig || m.USE == "") &&
		(m.ALG == jwkset.AlgRS256 || m.ALG == "")
}

// report tells the operator of a fetch that failed. It matters most as long as
// there are no keys, since every token is refused until there are.
func (s *keySet) report(ctx context.Context, err error, wait time.Duration) {
	if ctx.Err() != nil {
		return // the service is stopping
	}
	level, kept := slog.LevelError, false
	if s.ready() {
		level, kept = slog.LevelWarn, true
	}
	s.log.LogAttrs(ctx, level, "fetching the pool's signing keys failed",
		slog.String("pool", s.poolID), slog.Bool("keys_kept", kept),
		slog.Duration("retry_in", wait), slog.String("error", err.Error()))
}

// stale tells whether the pool may have keys that are not here: its key set could
// not be read when it was last asked for.
func (s *keySet) stale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failing
}

// ready tells whether the keys were ever fetched.
func (s *keySet) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.fetched.IsZero()
}

// age is the time since the keys were fetched, or since newKeySet.
func (s *keySet) age() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetched.IsZero() {
		return time.Since(s.made)
	}
	return time.Since(s.fetched)
}

// find returns the key that a token names by its kid.
func (s *keySet) find(ctx context.Context, t *jwt.Token) (any, error) {
	if !s.ready() {
		return nil, enroll.Fail(enroll.UpstreamUnavailable, ReasonKeysUnavailable)
	}
	lookup := s.lookup.KeyfuncCtx(ctx)
	key, err := lookup(t)
	if err != nil && s.refetch(ctx) {
		key, err = lookup(t)
	}
	switch {
	case err == nil:
		return key, nil
	case s.stale():
		return nil, enroll.Fail(enroll.UpstreamUnavailable, ReasonKeysUnavailable)
	default:
		return nil, enroll.Fail(enroll.InvalidToken, ReasonUnknownKey)
	}
}

// refetch has the keys fetched out of turn, since the pool may have a new one,
// and reports whether that is over. Requests that come while such a fetch is
// under way share it; after one, the next is not allowed before the pause has
// passed, and refetch returns at once.
func (s *keySet) refetch(ctx context.Context) bool {
	asking := s.ask()
	if asking == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, unknownKeyWait)
	defer cancel()
	select {
	case <-asking:
		return true
	case <-ctx.Done():
		return false
	}
}

// ask returns the fetch that is to be waited for, or nil if none is allowed.
func (s *keySet) ask() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asking != nil {
		return s.asking
	}
	if !s.asked.IsZero() && time.Since(s.asked) < s.pause {
		return nil
	}
	s.asked = time.Now()
	s.asking = make(chan struct{})
	s.wanted <- s.asking // has room: nothing is sent before the last is answered
	return s.asking
}

// answer ends the wait of those who asked for a fetch, if any did.
func (s *keySet) answer(asking chan struct{}) {
	if asking == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking = nil
	close(asking)
}

// capped is a transport whose answers end, at the latest, with an error after
// maxKeySetBytes.
type capped struct{ next http.RoundTripper }

func (c capped) RoundTrip(r *http.Request) (*http.Response, error) {
	next := c.next
	if next == nil {
		next = http.DefaultTransport
	}
	answer, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxKeySetBytes)
	return answer, nil
}
