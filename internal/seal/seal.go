// Package seal seals what the service keeps outside of one request, in the memory
// of a process or in Redis, with AES-256-GCM and keys that can be rotated.
// docs/pending.md tells a security reviewer how.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Kind says what is sealed. It is the first byte of the format and authenticated,
// so that one thing cannot stand in for another.
type Kind byte

// What the service seals.
const (
	Entry   Kind = 1 // a pending enrollment
	Pointer Kind = 2 // to one
	Event   Kind = 3 // that waits to be sent
)

// The format: the kind, the id of the key, a nonce, and the ciphertext with its
// tag.
const (
	KeySize   = 32 // AES-256
	NonceSize = 12
	Overhead  = headerSize + NonceSize + tagSize

	keyIDSize  = 8
	headerSize = 1 + keyIDSize
	tagSize    = 16
)

// ErrUnreadable is what cannot be opened: altered, cut short, moved to another
// name, sealed by a key that is not known here, or in another format. A replica
// that is one rotation or release ahead may be able to open it.
var ErrUnreadable = errors.New("not sealed for this name by a known key")

// KeyID names a key without telling anything of it.
type KeyID [keyIDSize]byte

// Sealer seals with its first key and opens with any.
type Sealer struct {
	first KeyID
	keys  map[KeyID]cipher.AEAD
	rand  io.Reader
}

// New makes a sealer; without keys, one with a random key that dies with it. It
// fails for keys that are not KeySize bytes long.
func New(keys [][]byte, random io.Reader) (*Sealer, error) {
	s := &Sealer{keys: make(map[KeyID]cipher.AEAD, len(keys)), rand: random}
	if len(keys) == 0 {
		key := make([]byte, KeySize)
		if _, err := io.ReadFull(random, key); err != nil {
			return nil, fmt.Errorf("no random seal key: %w", err)
		}
		keys = [][]byte{key}
	}
	for i, key := range keys {
		if len(key) != KeySize {
			return nil, fmt.Errorf("seal key %d is %d bytes long: want %d", i+1, len(key), KeySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		id := IDOf(key)
		s.keys[id] = aead
		if i == 0 {
			s.first = id
		}
	}
	return s, nil
}

// IDOf is the id of a key.
func IDOf(key []byte) (id KeyID) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("mfa-enrollment seal key id"))
	copy(id[:], mac.Sum(nil))
	return id
}

// Seal seals something for the name that it is kept under, which is authenticated
// with it and not repeated. The nonce is random, so that one key is good for 2^32
// of them (NIST SP 800-38D §8.3): years of as many enrollments as Cognito's quota
// lets an account make, with two seals and an event each.
func (s *Sealer) Seal(kind Kind, name string, plain []byte) ([]byte, error) {
	nonce := make([]byte, NonceSize)
	if _, err := io.ReadFull(s.rand, nonce); err != nil {
		return nil, fmt.Errorf("no nonce: %w", err)
	}
	header := append([]byte{byte(kind)}, s.first[:]...)
	return s.keys[s.first].Seal(slices.Concat(header, nonce), nonce, plain, slices.Concat(header, []byte(name))), nil
}

// Open opens what Seal made of the same kind for the same name.
func (s *Sealer) Open(kind Kind, name string, blob []byte) ([]byte, error) {
	if len(blob) < headerSize+NonceSize || blob[0] != byte(kind) {
		return nil, ErrUnreadable
	}
	header, nonce, sealed := blob[:headerSize], blob[headerSize:headerSize+NonceSize], blob[headerSize+NonceSize:]
	aead, known := s.keys[KeyID(header[1:])]
	if !known {
		return nil, ErrUnreadable
	}
	plain, err := aead.Open(nil, nonce, sealed, slices.Concat(header, []byte(name)))
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}
