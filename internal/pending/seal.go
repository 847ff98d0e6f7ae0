package pending

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"mfa-enrollment/internal/enroll"
)

// What is kept begins with a byte that says what it is. It is part of the format,
// whose version is also in every key (redislink.Subsystem.Key). Both are followed
// by the id of the key, a nonce, and the ciphertext with its tag; a pointer's
// ciphertext is empty, and the name that it leads to comes after the tag.
const (
	sealedEntry   = 1
	sealedPointer = 2

	sealKeySize = 32 // AES-256
	keyIDSize   = 8
	headerSize  = 1 + keyIDSize
	nonceSize   = 12
	tagSize     = 16
	pointerSize = headerSize + nonceSize + tagSize // and the name
)

// errUnreadable is what cannot be opened: altered, cut short, moved to another
// name, sealed by a key that is not known here, or in another format. A replica
// that is one rotation or release ahead may know it, so it is left alone.
var errUnreadable = errors.New("not sealed for this name by a known key")

type keyID [keyIDSize]byte

// sealer seals with its first key and opens with any.
type sealer struct {
	first keyID
	keys  map[keyID]cipher.AEAD
	rand  io.Reader
}

func newSealer(keys [][]byte, random io.Reader) (*sealer, error) {
	s := &sealer{keys: make(map[keyID]cipher.AEAD, len(keys)), rand: random}
	if len(keys) == 0 {
		key := make([]byte, sealKeySize)
		if _, err := io.ReadFull(random, key); err != nil {
			return nil, fmt.Errorf("no random seal key: %w", err)
		}
		keys = [][]byte{key}
	}
	for i, key := range keys {
		if len(key) != sealKeySize {
			return nil, fmt.Errorf("seal key %d is %d bytes long: want %d", i+1, len(key), sealKeySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		id := idOf(key)
		s.keys[id] = aead
		if i == 0 {
			s.first = id
		}
	}
	return s, nil
}

// idOf names a key without telling anything of it.
func idOf(key []byte) (id keyID) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("mfa-enrollment seal key id"))
	copy(id[:], mac.Sum(nil))
	return id
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
	Tries       enroll.Tries `json:"tries,omitzero"`
	Earlier     []secret     `json:"earlier,omitempty"`
	Done        bool         `json:"done,omitempty"`
	Code        string       `json:"code,omitempty"`
}

type secret struct {
	Secret string `json:"secret"`
	SignIn string `json:"signIn,omitempty"`
}

// seal seals an enrollment for its name.
func (s *sealer) seal(p enroll.Pending) ([]byte, error) {
	c := content{
		SignIn: p.SignIn, Secret: p.Secret.Reveal(), Session: p.Session.Reveal(), AccountName: p.AccountName,
		Started: p.Started, Ends: p.Ends, Expires: p.Expires, Renewals: p.Renewals, Tries: p.Tries, Done: p.Done, Code: p.Code,
	}
	for _, e := range p.Earlier {
		c.Earlier = append(c.Earlier, secret{e.Secret.Reveal(), e.SignIn})
	}
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return s.close(sealedEntry, p.Name, plain)
}

// open opens what seal made for the same name.
func (s *sealer) open(name string, blob []byte) (enroll.Pending, error) {
	plain, err := s.unclose(sealedEntry, name, blob)
	if err != nil {
		return enroll.Pending{}, err
	}
	var c content
	if err := json.Unmarshal(plain, &c); err != nil {
		return enroll.Pending{}, errUnreadable
	}
	p := enroll.Pending{
		Name: name, SignIn: c.SignIn, Secret: enroll.Secret(c.Secret), Session: enroll.Secret(c.Session), AccountName: c.AccountName,
		Started: c.Started, Ends: c.Ends, Expires: c.Expires, Renewals: c.Renewals, Tries: c.Tries, Done: c.Done, Code: c.Code,
	}
	for _, e := range c.Earlier {
		p.Earlier = append(p.Earlier, enroll.Earlier{Secret: enroll.Secret(e.Secret), SignIn: e.SignIn})
	}
	return p, nil
}

// point makes a pointer from one name to another. Whoever can write to Redis
// could otherwise lead his own session to another person's enrollment.
func (s *sealer) point(from, to string) ([]byte, error) {
	blob, err := s.close(sealedPointer, from+">"+to, nil)
	return append(blob, to...), err
}

// follow tells where a pointer leads.
func (s *sealer) follow(from string, pointer []byte) (to string, err error) {
	if len(pointer) < pointerSize {
		return "", errUnreadable
	}
	to = string(pointer[pointerSize:])
	_, err = s.unclose(sealedPointer, from+">"+to, pointer[:pointerSize])
	return to, err
}

// close seals. The nonce is random, so that one key is good for 2^32 of them (NIST
// SP 800-38D §8.3): four years of as many enrollments as Cognito's quota lets an
// account make, with two seals each.
func (s *sealer) close(kind byte, name string, plain []byte) ([]byte, error) {
	nonce := make([]byte, nonceSize)
	if _, err := io.ReadFull(s.rand, nonce); err != nil {
		return nil, fmt.Errorf("no nonce: %w", err)
	}
	header := append([]byte{kind}, s.first[:]...)
	return s.keys[s.first].Seal(slices.Concat(header, nonce), nonce, plain, slices.Concat(header, []byte(name))), nil
}

func (s *sealer) unclose(kind byte, name string, blob []byte) ([]byte, error) {
	if len(blob) < headerSize+nonceSize || blob[0] != kind {
		return nil, errUnreadable
	}
	header, nonce, sealed := blob[:headerSize], blob[headerSize:headerSize+nonceSize], blob[headerSize+nonceSize:]
	aead, known := s.keys[keyID(header[1:])]
	if !known {
		return nil, errUnreadable
	}
	plain, err := aead.Open(nil, nonce, sealed, slices.Concat(header, []byte(name)))
	if err != nil {
		return nil, errUnreadable
	}
	return plain, nil
}
