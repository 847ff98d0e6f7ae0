package pending

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
)

func newTestSealer(t testing.TB, keys ...[]byte) *sealer {
	t.Helper()
	s, err := newSealer(keys, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSeal(t testing.TB, s *sealer, name string, p enroll.Pending) []byte {
	t.Helper()
	blob, err := s.seal(name, p)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func TestSeal(t *testing.T) {
	p := newRig().enrollment("key")
	before, after, strange := sealKey(1), sealKey(2), sealKey(3)
	sealed := mustSeal(t, newTestSealer(t, before), "name", p)
	for _, tt := range []struct {
		name   string
		opener *sealer
		as     string
		blob   []byte
		want   error
	}{
		{"opens with the key that sealed it", newTestSealer(t, before), "name", sealed, nil},
		{"opens when its key is the old one of a rotation", newTestSealer(t, after, before), "name", sealed, nil},
		{"opens when the replica that sealed it was rotated first", newTestSealer(t, after, strange, before), "name", sealed, nil},
		{"is foreign once its key is gone", newTestSealer(t, after), "name", sealed, errForeign},
		{"is foreign in the format of another release", newTestSealer(t, before), "name", append([]byte{sealVersion + 1}, sealed[1:]...), errForeign},
		{"does not open under another name", newTestSealer(t, before), "eman", sealed, errBroken},
		{"does not open with its key id on another key's entry", newTestSealer(t, before, after), "name", withKeyID(sealed, idOf(after)), errBroken},
		{"does not open when it is empty", newTestSealer(t, before), "name", nil, errBroken},
		{"does not open with something after it", newTestSealer(t, before), "name", append(bytes.Clone(sealed), 0), errBroken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.opener.open(tt.as, tt.blob)
			if !errors.Is(err, tt.want) {
				t.Fatalf("the error is %v, want %v", err, tt.want)
			}
			if err == nil {
				if err := same(got, p); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func withKeyID(blob []byte, id keyID) []byte {
	blob = bytes.Clone(blob)
	copy(blob[1:], id[:])
	return blob
}

func TestTheFirstKeySeals(t *testing.T) {
	blob := mustSeal(t, newTestSealer(t, sealKey(2), sealKey(1)), "name", newRig().enrollment("key"))
	if _, err := newTestSealer(t, sealKey(2)).open("name", blob); err != nil {
		t.Errorf("the first key does not open it: %v", err)
	}
}

func TestEveryByteCounts(t *testing.T) {
	s := newTestSealer(t, sealKey(1))
	blob := mustSeal(t, s, "name", newRig().enrollment("key"))
	for i := range blob {
		for bit := range 8 {
			altered := bytes.Clone(blob)
			altered[i] ^= 1 << bit
			if _, err := s.open("name", altered); err == nil {
				t.Fatalf("it opens with bit %d of byte %d altered", bit, i)
			}
		}
		if _, err := s.open("name", blob[:i]); err == nil {
			t.Fatalf("it opens cut to %d bytes", i)
		}
	}
}

func TestWhatIsSealedOpensAsItWas(t *testing.T) {
	s := newTestSealer(t, sealKey(1))
	rapid.Check(t, func(t *rapid.T) {
		name, another := rapid.String().Draw(t, "name"), rapid.String().Draw(t, "another name")
		p := newRig().enrollment("key")
		p.Keys = rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "keys")
		p.Secret = enroll.Secret(rapid.String().Draw(t, "secret"))
		p.Session = enroll.Secret(rapid.String().Draw(t, "session"))
		p.AccountName = rapid.String().Draw(t, "account name")
		blob, err := s.seal(name, p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.open(name, blob)
		if err != nil {
			t.Fatal(err)
		}
		if err := same(got, p); err != nil {
			t.Fatal(err)
		}
		if _, err := s.open(another, blob); err == nil && another != name {
			t.Fatalf("what was sealed for %q opens for %q", name, another)
		}
	})
}

func TestNoTwoEntriesAreSealedAlike(t *testing.T) {
	s, p := newTestSealer(t, sealKey(1)), newRig().enrollment("key")
	if bytes.Equal(mustSeal(t, s, "name", p), mustSeal(t, s, "name", p)) {
		t.Error("the nonce is not random")
	}
}

func TestSealKeysMustBe32BytesLong(t *testing.T) {
	for _, size := range []int{0, 16, 24, 31, 33, 64} {
		key := bytes.Repeat([]byte("k"), size)
		_, err := NewMemory(Options{SealKeys: [][]byte{sealKey(1), key}})
		if err == nil {
			t.Errorf("a key of %d bytes is accepted", size)
		} else if strings.Contains(err.Error(), "kk") {
			t.Errorf("the error tells the key: %v", err)
		}
		if _, err := NewRedis(newLink(t, newRig(), "redis://127.0.0.1:1").Subsystem(redislink.Pending), Options{SealKeys: [][]byte{key}}); err == nil {
			t.Errorf("Redis: a key of %d bytes is accepted", size)
		}
	}
	if _, err := NewRedis(newLink(t, newRig(), "redis://127.0.0.1:1").Subsystem(redislink.Pending), Options{}); err == nil {
		t.Error("Redis: no key at all is accepted")
	}
}

// dry is a source of randomness that gives so many bytes and then fails.
type dry struct{ left int }

func (d *dry) Read(p []byte) (int, error) {
	if d.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := min(len(p), d.left)
	d.left -= n
	return n, nil
}

func TestWithoutRandomnessNothingIsSealed(t *testing.T) {
	if _, err := NewMemory(Options{Rand: &dry{left: 5}}); err == nil {
		t.Error("a store with a key that is not random")
	}
	r := newRig()
	o := r.options()
	o.Rand = &dry{left: sealKeySize + 5}
	m, err := NewMemory(o)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Save(t.Context(), r.enrollment("key"))
	expectAbsent(t, m, "key")
	r.expectFailures(t, map[string]int{opSave: 1})
}

func FuzzOpen(f *testing.F) {
	// Each of the fuzzer's processes must make the same entry.
	s, err := newSealer([][]byte{sealKey(1)}, bytes.NewReader(make([]byte, 12)))
	if err != nil {
		f.Fatal(err)
	}
	blob := mustSeal(f, s, "name", newRig().enrollment("key"))
	f.Add("name", blob)
	f.Add("eman", blob)
	f.Add("name", blob[:headerSize])
	f.Add("name", []byte{})
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		_, err := s.open(name, b)
		if genuine := name == "name" && bytes.Equal(b, blob); genuine != (err == nil) {
			t.Errorf("genuine is %v, and the error is %v", genuine, err)
		}
	})
}
