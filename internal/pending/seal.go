package pending

import (
	"encoding/asn1"
	"encoding/base32"
	"io"
	"strings"
	"time"

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

// content is what an entry holds, as DER: thousands are in memory, and as JSON each
// takes twice as much. It has plain bytes where an enrollment has Secrets, since
// those marshal as [redacted]. The name is authenticated with it and not repeated.
// A new member comes at the end, optional and with the next tag: who does not know
// it ignores it (encoding/asn1).
type content struct {
	Secret      []byte    `asn1:"optional,tag:0"` // packed
	SignIn      []byte    `asn1:"optional,tag:1"`
	Session     []byte    `asn1:"optional,tag:2"`
	AccountName []byte    `asn1:"optional,tag:3"`
	Started     int64     `asn1:"optional,tag:4"` // milliseconds since 1970
	Ends        int64     `asn1:"optional,tag:5"`
	Expires     int64     `asn1:"optional,tag:6"`
	Renewals    int       `asn1:"optional,tag:7"`
	Replaces    bool      `asn1:"optional,tag:8"`
	Tries       int       `asn1:"optional,tag:9"`
	TriesEnd    int64     `asn1:"optional,tag:10"`
	Earlier     []earlier `asn1:"optional,tag:11"`
	Done        bool      `asn1:"optional,tag:12"`
	Code        []byte    `asn1:"optional,tag:13"`
}

type earlier struct {
	Secret []byte // packed
	Other  bool   `asn1:"optional,tag:0"` // than the sign-in of the newest
	SignIn []byte `asn1:"optional,tag:1"`
}

// seal seals an enrollment for its name.
func (s *sealer) seal(p enroll.Pending) ([]byte, error) {
	c := content{
		Secret: packed(p.Secret.Reveal()), SignIn: textBytes(p.SignIn), Session: textBytes(p.Session.Reveal()), AccountName: textBytes(p.AccountName),
		Started: millis(p.Started), Ends: millis(p.Ends), Expires: millis(p.Expires), Renewals: p.Renewals, Replaces: p.Replaces,
		Tries: p.Tries.Count, TriesEnd: millis(p.Tries.Ends), Done: p.Done, Code: textBytes(p.Code),
	}
	for _, e := range p.Earlier {
		kept := earlier{Secret: packed(e.Secret.Reveal())}
		if e.SignIn != p.SignIn {
			kept.Other, kept.SignIn = true, textBytes(e.SignIn)
		}
		c.Earlier = append(c.Earlier, kept)
	}
	plain, err := asn1.Marshal(c)
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
	if rest, err := asn1.Unmarshal(plain, &c); err != nil || len(rest) > 0 {
		return enroll.Pending{}, seal.ErrUnreadable
	}
	p := enroll.Pending{
		Name: name, SignIn: string(c.SignIn), Secret: enroll.Secret(unpacked(c.Secret)), Session: enroll.Secret(c.Session), AccountName: string(c.AccountName),
		Started: instant(c.Started), Ends: instant(c.Ends), Expires: instant(c.Expires), Renewals: c.Renewals, Replaces: c.Replaces,
		Tries: enroll.Tries{Count: c.Tries, Ends: instant(c.TriesEnd)}, Done: c.Done, Code: string(c.Code),
	}
	for _, kept := range c.Earlier {
		e := enroll.Earlier{Secret: enroll.Secret(unpacked(kept.Secret)), SignIn: p.SignIn}
		if kept.Other {
			e.SignIn = string(kept.SignIn)
		}
		p.Earlier = append(p.Earlier, e)
	}
	return p, nil
}

// textBytes is a text's; nil, which DER leaves out, is those of the empty one.
func textBytes(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

// The first byte of what packed makes.
const (
	asText   = 0
	asBase32 = 1
)

// base32Secret is the alphabet of a secret (RFC 4648 §6).
//
//nolint:gochecknoglobals // A constant that Go cannot declare as such.
var base32Secret = base32.StdEncoding.WithPadding(base32.NoPadding)

// packed is a secret with five bits a character where it is base32, as Cognito's 52
// characters are, and as it is where it is not.
func packed(secret string) []byte {
	if secret == "" {
		return nil
	}
	whole := secret + strings.Repeat("A", 7-(len(secret)+7)%8) // quanta of 8 characters
	if key, err := base32Secret.DecodeString(whole); err == nil {
		if b := append([]byte{asBase32}, key[:(len(secret)*5+7)/8]...); unpacked(b) == secret {
			return b
		}
	}
	return append([]byte{asText}, secret...)
}

func unpacked(b []byte) string {
	switch {
	case len(b) == 0:
		return ""
	case b[0] == asBase32:
		return base32Secret.EncodeToString(b[1:])[:len(b[1:])*8/5]
	default:
		return string(b[1:])
	}
}

// millis is a time in milliseconds since 1970, and 0 where there is none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
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
