package pending

import (
	"bytes"
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

// What a sealed entry consists of: the version of this format, the id of the
// key, a nonce, and the ciphertext with its tag. The first two and the entry's
// name are authenticated with it, so that an entry opens under its own name
// alone, in this format alone.
const (
	sealVersion = 1
	sealKeySize = 32 // AES-256
	keyIDSize   = 8
	headerSize  = 1 + keyIDSize
)

var (
	// errForeign is an entry in a format, or sealed with a key, that this
	// process does not know. A replica that is one release or one rotation
	// ahead may know it, so it is nobody's to delete.
	errForeign = errors.New("sealed by a key or in a format that is not known here")
	// errBroken is an entry that was altered, cut short or moved to another
	// name. Nobody can open it.
	errBroken = errors.New("altered, cut short or not its own")
)

type keyID [keyIDSize]byte

// sealer seals entries with its first key and opens them with any.
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

// entry is what is sealed. It has plain strings where enroll.Pending has
// Secrets, since those marshal as [redacted].
type entry struct {
	Keys        []string  `json:"keys,omitempty"` // none: the one that it is kept under
	Secret      string    `json:"secret"`
	Session     string    `json:"session,omitempty"`
	AccountName string    `json:"accountName,omitempty"`
	Started     time.Time `json:"started"`
	Expires     time.Time `json:"expires"`
}

// seal seals an enrollment for one of its keys. The nonce is random, so that
// one key is good for 2^32 entries (NIST SP 800-38D §8.3): five years of as many
// enrollments as Cognito's quota lets an account make.
func (s *sealer) seal(key string, p enroll.Pending) ([]byte, error) {
	e := entry{
		Keys: p.Keys, Secret: p.Secret.Reveal(), Session: p.Session.Reveal(),
		AccountName: p.AccountName, Started: p.Started, Expires: p.Expires,
	}
	if slices.Equal(e.Keys, []string{key}) {
		e.Keys = nil
	}
	plain, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	aead := s.keys[s.first]
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(s.rand, nonce); err != nil {
		return nil, fmt.Errorf("no nonce: %w", err)
	}
	header := append([]byte{sealVersion}, s.first[:]...)
	blob := slices.Concat(header, nonce)
	return aead.Seal(blob, nonce, plain, bound(header, key)), nil
}

// open opens what seal made for the same key. It fails with errForeign or
// errBroken.
func (s *sealer) open(key string, blob []byte) (enroll.Pending, error) {
	if len(blob) > 0 && blob[0] != sealVersion {
		return enroll.Pending{}, errForeign
	}
	if len(blob) < headerSize {
		return enroll.Pending{}, errBroken
	}
	header, rest := blob[:headerSize], blob[headerSize:]
	aead, known := s.keys[keyID(header[1:])]
	if !known {
		return enroll.Pending{}, errForeign
	}
	if len(rest) < aead.NonceSize() {
		return enroll.Pending{}, errBroken
	}
	nonce, sealed := rest[:aead.NonceSize()], rest[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, sealed, bound(header, key))
	if err != nil {
		return enroll.Pending{}, errBroken
	}
	var e entry
	if err := json.Unmarshal(plain, &e); err != nil {
		return enroll.Pending{}, errBroken
	}
	if len(e.Keys) == 0 {
		e.Keys = []string{key}
	}
	return enroll.Pending{
		Keys: e.Keys, Secret: enroll.Secret(e.Secret), Session: enroll.Secret(e.Session),
		AccountName: e.AccountName, Started: e.Started, Expires: e.Expires,
	}, nil
}

// bound is what is authenticated along with an entry: the header, whose length is
// fixed, so that no two pairs give the same bytes, and the name.
func bound(header []byte, key string) []byte {
	return append(bytes.Clone(header), entryName(key)...)
}
