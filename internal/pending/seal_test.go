package pending

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"io"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/redislink"
	"mfa-enrollment/internal/seal"
)

func newTestSealer(t testing.TB, keys ...[]byte) *sealer {
	t.Helper()
	s, err := newSealer(keys, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSeal(t testing.TB, s *sealer, p enroll.Pending) []byte {
	t.Helper()
	blob, err := s.seal(p)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func TestSeal(t *testing.T) {
	p := newRig().enrollment("name")
	before, after, strange := sealKey(1), sealKey(2), sealKey(3)
	sealed := mustSeal(t, newTestSealer(t, before), p)
	pointer, err := newTestSealer(t, before).point("name", "to")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		opener *sealer
		as     string
		blob   []byte
		opens  bool
	}{
		{"opens with the key that sealed it", newTestSealer(t, before), "name", sealed, true},
		{"opens when its key is the old one of a rotation", newTestSealer(t, after, before), "name", sealed, true},
		{"opens when the replica that sealed it was rotated first", newTestSealer(t, after, strange, before), "name", sealed, true},
		{"does not open once its key is gone", newTestSealer(t, after), "name", sealed, false},
		{"does not open in the format of another release", newTestSealer(t, before), "name", append([]byte{byte(seal.Event)}, sealed[1:]...), false},
		{"does not open under another name", newTestSealer(t, before), "eman", sealed, false},
		{"does not open with its key id on another key's entry", newTestSealer(t, before, after), "name", withKeyID(sealed, seal.IDOf(after)), false},
		{"does not open when it is empty", newTestSealer(t, before), "name", nil, false},
		{"does not open with something after it", newTestSealer(t, before), "name", append(bytes.Clone(sealed), 0), false},
		{"does not open when it is a pointer", newTestSealer(t, before), "name", pointer, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.opener.open(tt.as, tt.blob)
			if opens := err == nil; opens != tt.opens {
				t.Fatalf("it opens: %v", opens)
			}
			if tt.opens {
				same(t, "what was sealed", got, p)
			}
		})
	}
}

// A member that somebody adds to an enrollment must be kept too.
func TestEveryMemberOfAnEnrollmentIsKept(t *testing.T) {
	p := newRig().enrollment("name")
	p.Done = true
	for i, v := 0, reflect.ValueOf(p); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("the rig's enrollment has no %s, so nobody sees whether it is kept", v.Type().Field(i).Name)
		}
	}
	s := newTestSealer(t, sealKey(1))
	got, err := s.open("name", mustSeal(t, s, p))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "kept", got, p)
}

func TestAPointerLeadsFromItsOwnNameAlone(t *testing.T) {
	s := newTestSealer(t, sealKey(1))
	pointer, err := s.point("from", "to")
	if err != nil {
		t.Fatal(err)
	}
	if to, err := s.follow("from", pointer); err != nil || to != "to" {
		t.Errorf("it leads to %q, %v", to, err)
	}
	for name, pointer := range map[string][]byte{
		"to another entry": append(bytes.Clone(pointer[:pointerSize]), "elsewhere"...),
		"cut short":        pointer[:pointerSize-1], "empty": nil,
		"of another release": append([]byte{byte(seal.Event)}, pointer[1:]...),
		"an entry":           mustSeal(t, s, newRig().enrollment("from")),
	} {
		if to, err := s.follow("from", pointer); err == nil {
			t.Errorf("%s: it leads to %q", name, to)
		}
	}
	if _, err := s.follow("another", pointer); err == nil {
		t.Error("it leads from another name")
	}
	if string(pointer[37:]) != "to" {
		t.Error("scripts.go takes the name from byte 38 on")
	}
}

func withKeyID(blob []byte, id seal.KeyID) []byte {
	blob = bytes.Clone(blob)
	copy(blob[1:], id[:])
	return blob
}

func TestTheFirstKeySeals(t *testing.T) {
	blob := mustSeal(t, newTestSealer(t, sealKey(2), sealKey(1)), newRig().enrollment("name"))
	if _, err := newTestSealer(t, sealKey(2)).open("name", blob); err != nil {
		t.Errorf("the first key does not open it: %v", err)
	}
}

func TestEveryByteCounts(t *testing.T) {
	s := newTestSealer(t, sealKey(1))
	blob := mustSeal(t, s, newRig().enrollment("name"))
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
	rapid.Check(t, func(rt *rapid.T) {
		another := rapid.String().Draw(rt, "another name")
		p := newRig().enrollment(rapid.String().Draw(rt, "name"))
		secret := rapid.OneOf(rapid.StringMatching("[A-Z2-7]{0,64}"), rapid.String())
		p.Secret = enroll.Secret(secret.Draw(rt, "secret"))
		p.SignIn = rapid.SampledFrom([]string{"", "sign-in"}).Draw(rt, "sign-in")
		p.Earlier = nil
		for range rapid.IntRange(0, 3).Draw(rt, "earlier secrets") {
			p.Earlier = append(p.Earlier, enroll.Earlier{
				Secret: enroll.Secret(secret.Draw(rt, "earlier secret")),
				SignIn: rapid.SampledFrom([]string{"", "sign-in", "another"}).Draw(rt, "its sign-in"),
			})
		}
		p.Session = enroll.Secret(rapid.String().Draw(rt, "session"))
		p.AccountName = rapid.String().Draw(rt, "account name")
		blob, err := s.seal(p)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := s.open(p.Name, blob)
		if err != nil {
			rt.Fatal(err)
		}
		same(t, "what was sealed", got, p)
		if _, err := s.open(another, blob); err == nil && another != p.Name {
			rt.Fatalf("what was sealed for %q opens for %q", p.Name, another)
		}
	})
}

// Thousands are in memory at once, and one of 289 bytes would take 320 of them.
func TestAnEntryIsSmall(t *testing.T) {
	p := newRig().enrollment("name")
	p.SignIn, p.AccountName, p.Session, p.Earlier = strings.Repeat("h", 43), "ada.lovelace", "", nil
	p.Replaces, p.Tries, p.Code, p.Renewals = false, enroll.Tries{}, "", 10
	for range 3 {
		p.Earlier = append(p.Earlier, enroll.Earlier{Secret: p.Secret, SignIn: p.SignIn})
	}
	if n := len(mustSeal(t, newTestSealer(t), p)); n > 288 {
		t.Errorf("%d bytes for four secrets of one sign-in", n)
	}
}

func TestAMemberOfALaterReleaseIsIgnored(t *testing.T) {
	s := newTestSealer(t, sealKey(1))
	later, err := asn1.Marshal(struct {
		Secret []byte `asn1:"optional,tag:0"`
		Done   bool   `asn1:"optional,tag:12"`
		New    []byte `asn1:"optional,tag:20"`
	}{packed("SECRET"), true, []byte("new")})
	if err != nil {
		t.Fatal(err)
	}
	blob, err := s.Seal(seal.Entry, "name", later)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.open("name", blob)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "what is known of it", got, enroll.Pending{Name: "name", Secret: "SECRET", Done: true})
}

func TestNoTwoEntriesAreSealedAlike(t *testing.T) {
	s, p := newTestSealer(t, sealKey(1)), newRig().enrollment("name")
	if bytes.Equal(mustSeal(t, s, p), mustSeal(t, s, p)) {
		t.Error("the nonce is not random")
	}
}

func TestSealKeysMustBe32BytesLong(t *testing.T) {
	nowhere := newLink(t, newRig(), "redis://127.0.0.1:1").Subsystem(redislink.Pending)
	for _, size := range []int{0, 16, 24, 31, 33, 64} {
		key := bytes.Repeat([]byte("k"), size)
		_, err := NewMemory(Options{SealKeys: [][]byte{sealKey(1), key}})
		if err == nil {
			t.Errorf("a key of %d bytes is accepted", size)
		} else if strings.Contains(err.Error(), "kk") {
			t.Errorf("the error tells the key: %v", err)
		}
		if _, err := NewRedis(nowhere, Options{SealKeys: [][]byte{key}}); err == nil {
			t.Errorf("Redis: a key of %d bytes is accepted", size)
		}
	}
	if _, err := NewRedis(nowhere, Options{}); err == nil {
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
	o.Rand = &dry{left: seal.KeySize + 5}
	m := newMemory(t, o)
	save(m, r.enrollment("name"), "")
	expectAbsent(t, m, "name")
	r.expect(t, 1, map[string]int{})
}

func FuzzOpen(f *testing.F) {
	// Each of the fuzzer's processes must make the same entry.
	s, err := newSealer([][]byte{sealKey(1)}, bytes.NewReader(make([]byte, 2*seal.NonceSize)))
	if err != nil {
		f.Fatal(err)
	}
	blob := mustSeal(f, s, newRig().enrollment("name"))
	pointer, err := s.point("name", "to")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("name", blob)
	f.Add("eman", blob)
	f.Add("name", blob[:9])
	f.Add("name", []byte{})
	f.Add("name", pointer)
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		_, err := s.open(name, b)
		if genuine := name == "name" && bytes.Equal(b, blob); genuine != (err == nil) {
			t.Errorf("an entry: genuine is %v, and the error is %v", genuine, err)
		}
		_, err = s.follow(name, b)
		if genuine := name == "name" && bytes.Equal(b, pointer); genuine != (err == nil) {
			t.Errorf("a pointer: genuine is %v, and the error is %v", genuine, err)
		}
	})
}
