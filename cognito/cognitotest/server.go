package cognitotest

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a [Server]. The zero value is the demonstration server.
type Options struct {
	// Region is where CreateUserPool makes pools for a signature that names no
	// region; us-east-1 when empty. Every other pool is in the region that its ID
	// begins with.
	Region string
	// Pools are the user pools to serve; [DemoPools] when nil. More can be made
	// while the server runs, by CreateUserPool.
	Pools []Pool
	// Now is the clock; [time.Now] when nil.
	Now func() time.Time
	// Rand is where subjects, secrets and sessions come from; crypto/rand when
	// nil. It must not end. RSA keys do not come from it: Go's key generation
	// ignores any source but its own. Give Pool.Key for a fixed key.
	Rand io.Reader
	// Variants choose among the behaviours of Cognito that reports disagree on.
	Variants Variants
	// Quota limits calls as an AWS account does; no limit when zero. See
	// [CognitoQuota].
	Quota Quota
	// Latency is how long each call takes beyond the work.
	Latency Latency
	// Logger receives one record a call, with the operation and the exception's
	// name but never a request or a reply; nothing is logged when nil.
	Logger *slog.Logger
}

// Server is the stand-in. Make one with [New]; it is safe for concurrent use.
type Server struct {
	region     string
	clock      func() time.Time
	offset     atomic.Int64 // nanoseconds that the clock was moved by
	logger     *slog.Logger
	operations map[string]operation

	// mu makes each operation atomic, as Cognito's are on one user, and guards
	// everything below.
	mu          sync.Mutex
	rand        io.Reader
	variants    Variants
	pools       map[string]*pool
	clients     map[string]*client
	sessions    map[string]*session
	spare       *rsa.PrivateKey // see sharedKey
	swept       time.Time       // when sessions were last forgotten
	grants      map[string]*grant
	revoked     map[string]bool
	calls       map[string]int
	jwksFetches int
	faults      map[string][]Fault
	latency     Latency
	buckets     map[category]*bucket
	journal     []Call
	codes       map[string]*authorization
	refused     map[string]int
}

// New returns a server for the pools of o. It generates one 2048-bit RSA key for
// each pool that brings none, some tens of milliseconds each. The error names
// the fault in the options.
func New(o Options) (*Server, error) {
	s := &Server{
		region:   o.Region,
		clock:    o.Now,
		logger:   o.Logger,
		variants: o.Variants,
		rand:     o.Rand,
		pools:    map[string]*pool{},
		clients:  map[string]*client{},
		sessions: map[string]*session{},
		grants:   map[string]*grant{},
		revoked:  map[string]bool{},
		calls:    map[string]int{},
		faults:   map[string][]Fault{},
		latency:  o.Latency,
		refused:  map[string]int{},
		codes:    map[string]*authorization{},
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	for _, given := range []setting{o.Variants, o.Quota, o.Latency} {
		if err := given.check(); err != nil {
			return nil, fmt.Errorf("cognitotest: %w", err)
		}
	}
	s.operations = s.routes()
	s.setQuota(o.Quota)

	pools := o.Pools
	if pools == nil {
		pools = DemoPools()
	}
	for _, p := range pools {
		if err := s.addPool(p); err != nil {
			return nil, fmt.Errorf("cognitotest: %w", err)
		}
	}
	if err := s.generateKeys(); err != nil {
		return nil, fmt.Errorf("cognitotest: %w", err)
	}
	return s, nil
}

// ServeHTTP answers the API at POST /, OAuth 2.0's token endpoint at
// POST /oauth2/token, each pool's keys at
// GET /{poolID}/.well-known/jwks.json, its discovery document at
// GET /{poolID}/.well-known/openid-configuration, and a browser's preflight
// anywhere. Everything else is 404. Every answer has the server's clock in Date.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	allowBrowsers(w.Header(), r)
	poolID, document, wellKnown := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/.well-known/")
	switch {
	case r.Method == http.MethodOptions:
		w.WriteHeader(http.StatusOK)
	case r.Method == http.MethodPost && r.URL.Path == "/":
		s.serveCall(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/oauth2/token":
		s.serveToken(w, r)
	case r.Method == http.MethodGet && wellKnown && document == "jwks.json":
		s.serveKeys(w, r, poolID)
	case r.Method == http.MethodGet && wellKnown && document == "openid-configuration":
		s.serveDiscovery(w, r, poolID)
	default:
		http.NotFound(w, r)
	}
}

// allowBrowsers lets pages of any origin call, as Cognito does: Amplify runs in
// the browser and sends its request there directly.
func allowBrowsers(h http.Header, r *http.Request) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "X-Amzn-RequestId, X-Amzn-ErrorType, X-Amzn-ErrorMessage, Date")
	if r.Method != http.MethodOptions {
		return
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Max-Age", "172800")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
}

// now is the time by the server's clock.
func (s *Server) now() time.Time { return s.clock().Add(time.Duration(s.offset.Load())) }

// Advance moves the server's clock on, or back where d is negative.
func (s *Server) Advance(d time.Duration) { s.offset.Add(int64(d)) }

// random returns n bytes of the server's randomness. The caller holds s.mu.
func (s *Server) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		panic(fmt.Sprintf("cognitotest: Options.Rand ended: %v", err))
	}
	return b
}

// uuid returns a random UUID (RFC 9562 §5.4). The caller holds s.mu.
func (s *Server) uuid() string {
	b := s.random(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

var errDuplicate = errors.New("given twice")
