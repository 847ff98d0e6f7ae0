package pending

import (
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/seal"
)

// A pointer's ciphertext is empty, and the name that it leads to comes after the
// tag.
const pointerSize = seal.Overhead // and the name

// sealer seals enrollments, and pointers to them.
type sealer struct{ *seal.Sealer }

func newSealer(keys [][]byte, random io.Reader) (*sealer, error) {
	s, err := seal.New(keys, random)
	return &sealer{s}, err
}

// content is what an entry holds. It has plain strings where an enrollment has
// Secrets, since those marshal as [redacted]. The name is authenticated with it
// and not repeated.
type content struct {
	SignIn      string       `json:"signIn,omitempty"`
	Secret      string       `json:"secret,omitempty"`
	Session     string       `json:"session,omitempty"`
	AccountName string       `json:"accountName,omitempty"`
	Started     time.Time    `json:"started"`
	Ends        time.Time    `json:"ends"`
	Expires     time.Time    `json:"expires"`
	Renewals    int          `json:"renewals,omitempty"`
	Replaces    bool         `json:"replaces,omitempty"`
	Tries       enroll.Tries `json:"tries,omitzero"`
	Earlier     []secret     `json:"earlier,omitempty"`
	Done        bool         `json:"done,omitempty"`
	Code        string       `json:"code,omitempty"`
}

type secret struct {
	Secret string `json:"secret"`
	SignIn string `json:"signIn,omitempty"`
	Same   bool   `json:"same,omitempty"` // the sign-in is that of the newest, as it mostly is
}

// seal seals an enrollment for its name.
func (s *sealer) seal(p enroll.Pending) ([]byte, error) {
	c := content{
		SignIn: p.SignIn, Secret: p.Secret.Reveal(), Session: p.Session.Reveal(), AccountName: p.AccountName,
		Started: p.Started, Ends: p.Ends, Expires: p.Expires, Renewals: p.Renewals, Replaces: p.Replaces, Tries: p.Tries, Done: p.Done, Code: p.Code,
	}
	for _, e := range p.Earlier {
		earlier := secret{Secret: e.Secret.Reveal(), SignIn: e.SignIn}
		if e.SignIn == p.SignIn {
			earlier.SignIn, earlier.Same = "", true
		}
		c.Earlier = append(c.Earlier, earlier)
	}
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return s.Seal(seal.Entry, p.Name, plain)
}

// open opens what seal made for the same name.
func (s *sealer) open(name string, blob []byte) (enroll.Pending, error) {
	plain, err := s.Open(seal.Entry, name, blob)
	if err != nil {
		return enroll.Pending{}, err
	}
	var c content
	if err := json.Unmarshal(plain, &c); err != nil {
		return enroll.Pending{}, seal.ErrUnreadable
	}
	p := enroll.Pending{
		Name: name, SignIn: c.SignIn, Secret: enroll.Secret(c.Secret), Session: enroll.Secret(c.Session), AccountName: c.AccountName,
		Started: c.Started, Ends: c.Ends, Expires: c.Expires, Renewals: c.Renewals, Replaces: c.Replaces, Tries: c.Tries, Done: c.Done, Code: c.Code,
	}
	for _, e := range c.Earlier {
		if e.Same {
			e.SignIn = c.SignIn
		}
		p.Earlier = append(p.Earlier, enroll.Earlier{Secret: enroll.Secret(e.Secret), SignIn: e.SignIn})
	}
	return p, nil
}

// point makes a pointer from one name to another. Whoever can write to Redis
// could otherwise lead his own session to another person's enrollment.
func (s *sealer) point(from, to string) ([]byte, error) {
	blob, err := s.Seal(seal.Pointer, from+">"+to, nil)
	return append(blob, to...), err
}

// follow tells where a pointer leads.
func (s *sealer) follow(from string, pointer []byte) (to string, err error) {
	if len(pointer) < pointerSize {
		return "", seal.ErrUnreadable
	}
	to = string(pointer[pointerSize:])
	_, err = s.Open(seal.Pointer, from+">"+to, pointer[:pointerSize])
	return to, err
}
