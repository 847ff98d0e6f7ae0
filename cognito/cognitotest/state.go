package cognitotest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"time"

	exact "github.com/go-json-experiment/json" // compares the names of members as they are
)

// State is what a server holds: its pools with their clients and users, and the
// keys that sign their tokens, so that tokens of before stay good, unless they were
// revoked. Sign-ins that have not ended, refresh tokens, devices, codes that were
// sent, lock-outs and counts of attempts are no part of it. As JSON it is also
// what a file of pools holds, most of it left out; the names are those of the
// fields of [Pool], [Client] and [User], and durations are written as 3m.
type State struct {
	Pools []Pool
	// Keys are each pool's private keys as PEM, the one that signs last.
	Keys map[string][]string `json:",omitempty"`
	// Revoked are the event_id of sign-ins whose access tokens were revoked.
	Revoked []string `json:",omitempty"`
}

// ReadState reads a state. The error names the fault: a member that is not there,
// or a value of another type.
func ReadState(text []byte) (State, error) {
	state := State{Pools: []Pool{}}
	if err := strict(text, &state); err != nil {
		return State{}, fmt.Errorf("cognitotest: %w", err)
	}
	return state, nil
}

// strict reads one JSON value, whose every member has a place and is there once.
func strict(text []byte, into any) error {
	return exact.Unmarshal(text, into, exact.RejectUnknownMembers(true))
}

// text is a duration as JSON writes it.
type text time.Duration

// MarshalText writes a duration as 3m0s.
func (t text) MarshalText() ([]byte, error) { return []byte(time.Duration(t).String()), nil }

// UnmarshalText reads a duration such as 3m.
func (t *text) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	*t = text(d)
	return err
}

type plainClient Client

// clientText is a client whose durations are text: these members hide those of
// the same names that are embedded.
type clientText struct {
	plainClient
	AuthSessionValidity, AccessTokenValidity, IDTokenValidity, RefreshTokenValidity text
}

// MarshalJSON writes durations as text.
func (c Client) MarshalJSON() ([]byte, error) {
	return json.Marshal(clientText{
		plainClient(c), text(c.AuthSessionValidity), text(c.AccessTokenValidity), text(c.IDTokenValidity), text(c.RefreshTokenValidity),
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Client) UnmarshalJSON(b []byte) error {
	var read clientText
	if err := strict(b, &read); err != nil {
		return err
	}
	*c = Client(read.plainClient)
	c.AuthSessionValidity = time.Duration(read.AuthSessionValidity)
	c.AccessTokenValidity = time.Duration(read.AccessTokenValidity)
	c.IDTokenValidity = time.Duration(read.IDTokenValidity)
	c.RefreshTokenValidity = time.Duration(read.RefreshTokenValidity)
	return nil
}

// Dump returns what the server holds.
func (s *Server) Dump() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{Pools: []Pool{}, Keys: map[string][]string{}, Revoked: slices.Sorted(maps.Keys(s.revoked))}
	for _, id := range slices.Sorted(maps.Keys(s.pools)) {
		p := s.pools[id]
		copied := p.Pool
		copied.Clients, copied.Users = nil, nil
		copied.Created, copied.Modified = p.created, p.modified
		for _, name := range slices.Sorted(maps.Keys(s.clients)) {
			if c := s.clients[name]; c.pool == p {
				described := c.Client
				described.Created = c.created
				copied.Clients = append(copied.Clients, described)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.accounts)) {
			copied.Users = append(copied.Users, p.accounts[name].asUser())
		}
		state.Pools = append(state.Pools, copied)
		for _, k := range p.keys {
			block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k.private)})
			state.Keys[id] = append(state.Keys[id], string(block))
		}
	}
	return state
}

// asUser is the account as it could have been given to [New].
func (a *account) asUser() User {
	u := a.User
	u.Attributes, u.SignIns = maps.Clone(a.Attributes), slices.Clone(a.SignIns)
	u.Subject, u.TOTPSecret, u.PendingSecret, u.AppName = a.sub, a.totp.verified, a.totp.pending, a.totp.device
	u.AppOff = a.totp.verified != "" && !a.factors[SoftwareToken]
	u.Preferred, u.Factors = a.preferred, nil
	u.UsedSteps, u.Created, u.Modified = slices.Sorted(maps.Keys(a.totp.used)), a.created, a.modified
	for _, f := range slices.Sorted(maps.Keys(a.factors)) {
		if f != SoftwareToken {
			u.Factors = append(u.Factors, f)
		}
	}
	return u
}

// Load puts a state in the place of what the server holds; it changes nothing when
// the error is not nil. Sign-ins that have not ended, and refresh tokens, are lost.
func (s *Server) Load(state State) error {
	pools := append([]Pool{}, state.Pools...)
	keys := map[string][]*signingKey{}
	for i, p := range pools {
		for _, block := range state.Keys[p.ID] {
			k, err := parseKey(block)
			if err != nil {
				return fmt.Errorf("cognitotest: key of pool %s: %w", p.ID, err)
			}
			pools[i].Key = k
			keys[p.ID] = append(keys[p.ID], newSigningKey(k))
		}
	}
	next, err := New(Options{Region: s.region, Pools: pools, Now: s.now})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, p := range next.pools {
		if len(keys[id]) > 0 {
			p.keys = keys[id]
		}
	}
	s.pools, s.clients = next.pools, next.clients
	s.revoked = map[string]bool{}
	for _, event := range state.Revoked {
		s.revoked[event] = true
	}
	s.sessions, s.grants, s.codes = map[string]*session{}, map[string]*grant{}, map[string]*authorization{}
	return nil
}

func parseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("want PEM")
	}
	return x509.ParsePKCS1PrivateKey(block.Bytes)
}
