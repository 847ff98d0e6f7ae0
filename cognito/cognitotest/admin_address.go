package cognitotest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Admin returns what tests steer a server by, to be served on an address of its
// own: it gives out codes and secrets to whoever asks. README.md has the table.
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /code", s.adminAnswer(s.adminCode))
	mux.HandleFunc("GET /totp", s.adminAnswer(s.adminTOTP))
	mux.HandleFunc("GET /clock", s.adminAnswer(s.adminClock))
	mux.HandleFunc("POST /clock", s.adminAnswer(s.adminSetClock))
	mux.HandleFunc("POST /faults", s.adminAnswer(s.adminFail))
	mux.HandleFunc("PUT /quota", s.adminAnswer(adminSet(s.SetQuota)))
	mux.HandleFunc("PUT /latency", s.adminAnswer(adminSet(func(l adminLatency) { s.SetLatency(l.latency()) })))
	mux.HandleFunc("PUT /variants", s.adminAnswer(adminSet(s.SetVariants)))
	mux.HandleFunc("GET /calls", s.adminAnswer(func(*http.Request) (any, error) { return s.Journal(), nil }))
	mux.HandleFunc("GET /state", s.adminAnswer(func(*http.Request) (any, error) { return s.Dump(), nil }))
	mux.HandleFunc("PUT /state", s.adminAnswer(s.adminLoad))
	mux.HandleFunc("POST /authorization-codes", s.adminAnswer(s.adminAuthorize))
	return mux
}

// adminAnswer answers with JSON: a result, or why there is none.
func (s *Server) adminAnswer(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<20) // a state can be large
		result, err := do(r)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			result = map[string]string{"error": err.Error()}
		}
		_ = json.NewEncoder(w).Encode(result) // an error means that the client has gone
	}
}

// read reads a request's JSON, whose every member must have a place.
func read(r *http.Request, into any) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return strict(text, into)
}

// adminSet makes an answer of a setter.
func adminSet[In setting](set func(In)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		var in In
		if err := read(r, &in); err != nil {
			return nil, err
		}
		if err := in.check(); err != nil {
			return nil, err
		}
		set(in)
		return struct{}{}, nil
	}
}

// named finds the user that a query names.
func (s *Server) named(r *http.Request) (*account, error) {
	q := r.URL.Query()
	p := s.pools[q.Get("pool")]
	if p == nil {
		return nil, fmt.Errorf("no pool %q", q.Get("pool"))
	}
	a := p.byName(q.Get("username"))
	if a == nil {
		return nil, fmt.Errorf("no user %q in pool %s", q.Get("username"), p.ID)
	}
	return a, nil
}

func (s *Server) adminCode(r *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.named(r)
	if err != nil {
		return nil, err
	}
	sent := a.lastSent()
	if sent.code == "" {
		return nil, fmt.Errorf("nothing was sent to %s that was not used", a.Username)
	}
	return map[string]any{"Code": sent.code, "SentFor": sent.purpose, "Expires": sent.expires}, nil
}

// adminTOTP gives the code of a user's app, some steps from now, by the secret
// that waits for its first code, or by the one that counts.
func (s *Server) adminTOTP(r *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.named(r)
	if err != nil {
		return nil, err
	}
	secret, steps := a.totp.candidate(), 0
	if r.URL.Query().Get("verified") == "true" {
		secret = a.totp.verified
	}
	if text := r.URL.Query().Get("steps"); text != "" {
		if steps, err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("steps: %w", err)
		}
	}
	if secret == "" {
		return nil, fmt.Errorf("%s has no authenticator app", a.Username)
	}
	at := s.now().Unix()/int64(step/time.Second) + int64(steps)
	return map[string]any{"Code": totp(secret, at), "Secret": secret}, nil
}

func (s *Server) adminClock(*http.Request) (any, error) {
	return map[string]any{"Now": s.now(), "Offset": time.Duration(s.offset.Load()).String()}, nil
}

func (s *Server) adminSetClock(r *http.Request) (any, error) {
	var in struct{ Advance text }
	if err := read(r, &in); err != nil {
		return nil, err
	}
	const century = 100 * 365 * 24 * time.Hour // beyond three of them a Duration overflows
	if d := time.Duration(in.Advance); d.Abs() > century || (d+time.Duration(s.offset.Load())).Abs() > century {
		return nil, fmt.Errorf("clock: Advance %s: want no more than a century in all", d)
	}
	s.Advance(time.Duration(in.Advance))
	return s.adminClock(r)
}

// adminLatency is [Latency] with durations as text.
type adminLatency struct{ Min, Max text }

func (l adminLatency) latency() Latency { return Latency{time.Duration(l.Min), time.Duration(l.Max)} }

func (l adminLatency) check() error { return l.latency().check() }

// adminFault is [Fault] with the delay as text.
type adminFault struct {
	Delay                         text
	Exception, Message            string
	Status                        int
	StatusError                   bool
	CutBefore, CutAfter, Truncate bool
}

func (s *Server) adminFail(r *http.Request) (any, error) {
	var in struct {
		Operation string
		Faults    []adminFault
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	asked := plan{s: s, operation: in.Operation}
	for _, f := range in.Faults {
		asked.faults = append(asked.faults, Fault{
			Delay: time.Duration(f.Delay), Exception: f.Exception, Message: f.Message, Status: f.Status, StatusError: f.StatusError,
			CutBefore: f.CutBefore, CutAfter: f.CutAfter, Truncate: f.Truncate,
		})
	}
	if err := asked.check(); err != nil {
		return nil, err
	}
	s.Fail(asked.operation, asked.faults...)
	return struct{}{}, nil
}

func (s *Server) adminLoad(r *http.Request) (any, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	state, err := ReadState(text)
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.Load(state)
}

// adminAuthorize gives an authorization code; see [Server.AuthorizationCode].
func (s *Server) adminAuthorize(r *http.Request) (any, error) {
	var in struct{ Client, Username, Scope, RedirectURI, CodeChallenge string }
	if err := read(r, &in); err != nil {
		return nil, err
	}
	if n := len(in.CodeChallenge); n != 0 && n != 43 { // RFC 7636 §4.2
		return nil, fmt.Errorf("CodeChallenge of %d characters: want the 43 of S256, or none", n)
	}
	s.mu.Lock()
	c := s.clients[in.Client]
	known := c != nil && c.pool.byName(in.Username) != nil
	s.mu.Unlock()
	if !known {
		return nil, fmt.Errorf("no client %q, or no user %q in its pool", in.Client, in.Username)
	}
	code := s.AuthorizationCode(c.pool.ID, in.Client, in.Username, in.Scope, in.RedirectURI, in.CodeChallenge)
	return map[string]string{"Code": code}, nil
}
