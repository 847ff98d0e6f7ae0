package qr

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"

	"mfa-enrollment/test/long"
)

// TestExampleOfTheStandard holds the steps before the modules to the example of ISO/IEC 18004 Annex I: 01234567 as
// version 1, level M.
func TestExampleOfTheStandard(t *testing.T) {
	text, ok := fit("01234567")
	if !ok || text.version != 1 {
		t.Fatalf("version %d, want 1", text.version)
	}
	want := []byte{
		0x10, 0x20, 0x0c, 0x56, 0x61, 0x80, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11,
		0xa5, 0x24, 0xd4, 0xc1, 0xed, 0x36, 0xc7, 0x87, 0x2c, 0x55,
	}
	var data bitWriter
	got := make([]byte, len(want))
	plans[1]().interleave(got, text.write(&data))
	if !bytes.Equal(got, want) {
		t.Errorf("codewords\n%x, want\n%x", got, want)
	}
	if got, want := withCheck(0b00101, 10, 0b101_0011_0111), 0b00101_0011011100; got != want { // Annex C
		t.Errorf("format information %015b, want %015b", got, want)
	}
	if got, want := withCheck(7, 12, 0b1_1111_0010_0101), 0b000111_110010010100; got != want { // Annex D
		t.Errorf("version information %018b, want %018b", got, want)
	}
}

func TestCodewordsFillTheSymbol(t *testing.T) {
	for version := 1; version <= maxVersion; version++ {
		p := plans[version]()
		room := 0
		for _, m := range p.order {
			room += int(m.number)
		}
		if want := 8 * p.codewords; room != want {
			t.Errorf("version %d has room for %d bits, want %d", version, room, want)
		}
	}
}

// judge fails unless content is drawn as go-qrcode draws it, module for module, and gives the version.
func judge(t *testing.T, content string) int {
	t.Helper()
	want, err := qrcode.New(content, qrcode.Medium)
	if err != nil {
		t.Fatalf("%q: go-qrcode: %v", content, err)
	}
	var g grid
	p := g.draw(content)
	if p == nil {
		t.Fatalf("%q: not drawn, want version %d", content, want.VersionNumber)
	}
	if got := (p.size - 17) / 4; got != want.VersionNumber {
		t.Fatalf("%q: version %d, want %d", content, got, want.VersionNumber)
	}
	bitmap := want.Bitmap()
	for y := range p.size {
		for x := range p.size {
			if g.dark(x, y) != bitmap[quiet+y][quiet+x] {
				t.Fatalf("%q: version %d: module (%d, %d) differs", content, want.VersionNumber, x, y)
			}
		}
	}
	return want.VersionNumber
}

// TestModulesAreThoseOfGoQRCode judges 5,000 random contents, 460 for each version up to 10 and 25 for each larger
// one.
func TestModulesAreThoseOfGoQRCode(t *testing.T) {
	for version := 1; version <= maxVersion; version++ {
		t.Run(fmt.Sprintf("version %d", version), func(t *testing.T) {
			t.Parallel()
			contents := long.Or(60, 460)
			if version > 10 {
				contents = long.Or(5, 25)
			}
			r := random(t, uint64(version))
			for range contents {
				content := contentFor(t, r, version)
				if got := judge(t, content); got != version {
					t.Fatalf("%q: version %d, want %d", content, got, version)
				}
			}
		})
	}
}

// contentFor gives a content that takes a version, one in three as long as it can be.
func contentFor(t *testing.T, r *rand.Rand, version int) string {
	t.Helper()
	takes := func(content string, version int) bool {
		s, ok := fit(content)
		return ok && s.version <= version
	}
	for {
		whole := longContent(t, r)
		least := sort.Search(len(whole), func(n int) bool { return n > 0 && !takes(whole[:n], version-1) })
		most := sort.Search(len(whole), func(n int) bool { return n > 0 && !takes(whole[:n], version) }) - 1
		if most == len(whole)-1 || most < least {
			continue // a URI can be too short, or a step of it wider than a version
		}
		n := most
		if r.IntN(3) > 0 {
			n = least + r.IntN(most-least+1)
		}
		if n > 0 && takes(whole[:n], version) && !takes(whole[:n], version-1) {
			return whole[:n]
		}
	}
}

// longContent gives a content of one of the kinds that the encoder tells apart: modes alone and mixed, URIs, and
// patterns on which the penalties depend.
func longContent(t *testing.T, r *rand.Rand) string {
	t.Helper()
	const long = 3000
	switch r.IntN(8) {
	case 0:
		return pick(r, digits, long)
	case 1:
		return pick(r, capitals, long)
	case 2:
		return pick(r, printable, long)
	case 3:
		var b strings.Builder
		for range long {
			b.WriteByte(byte(r.Uint32()))
		}
		return b.String()
	case 4:
		var b strings.Builder
		for b.Len() < long {
			b.WriteString(pick(r, []string{digits, capitals, printable}[r.IntN(3)], 1+r.IntN(40)))
		}
		return b.String()
	case 5:
		return strings.Repeat(pick(r, printable, 1+r.IntN(4)), long)[:long]
	default:
		return uriOf(t, randomKey(t, r)) + pick(r, capitals, r.IntN(200)) + pick(r, printable, r.IntN(600))
	}
}

func TestContentsOnTheEdge(t *testing.T) {
	tests := []struct {
		name    string
		content string
		version int
	}{
		{"one digit", "7", 1},
		{"one capital", "A", 1},
		{"one byte", "a", 1},
		{"a zero byte", "\x00", 1},
		{"no room for a terminator", strings.Repeat("0", 34), 1},
		{"one digit more", strings.Repeat("0", 35), 2},
		{"the largest with narrow counts", strings.Repeat("a", 180), 9},
		{"the smallest with wide counts", strings.Repeat("a", 181), 10},
		{"more characters than a narrow count of bytes can say", "é" + strings.Repeat("0", 254), 10},
		{"two strips of columns", strings.Repeat("a", 252), 12},
		{"the largest", strings.Repeat("a", 1059), 26},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := judge(t, test.content); got != test.version {
				t.Errorf("version %d, want %d", got, test.version)
			}
		})
	}
}

func TestWhatIsOutsideTheRangeIsNotDrawn(t *testing.T) {
	for _, content := range []string{"", strings.Repeat("a", 1060), strings.Repeat("0", 3000)} {
		var g grid
		if p := g.draw(content); p != nil {
			t.Errorf("%d characters are drawn with a side of %d", len(content), p.size)
		}
	}
}

func FuzzModules(f *testing.F) {
	f.Add("otpauth://totp/Acme:ada?secret=" + secret)
	f.Add("0123456789ABCDEF")
	f.Add("\x00\xff")
	f.Fuzz(func(t *testing.T, content string) {
		if content == "" || len(content) > 250 {
			t.Skip("not drawn, or slow to judge")
		}
		judge(t, content)
		decodePNG(t, content)
	})
}
