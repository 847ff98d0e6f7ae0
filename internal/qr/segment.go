package qr

// A mode says how the characters of a segment become bits (ISO/IEC 18004 §7.3).
// Every mode holds whatever a smaller one does.
type mode uint8

const (
	numericMode mode = iota
	alphanumericMode
	byteMode
)

// indicator is the first field of a segment, four bits (ISO/IEC 18004 Table 2).
var indicator = [...]uint64{numericMode: 0b0001, alphanumericMode: 0b0010, byteMode: 0b0100}

// alphanumerics are the characters of alphanumeric mode in the order of their values (ISO/IEC 18004 Table 5).
const alphanumerics = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// notAlphanumeric stands in values for a character that only byte mode can hold.
const notAlphanumeric = 0xff

// values is alphanumerics the other way round.
var values = func() (t [256]uint8) {
	for i := range t {
		t[i] = notAlphanumeric
	}
	for i := range len(alphanumerics) {
		t[alphanumerics[i]] = uint8(i)
	}
	return t
}()

func modeOf(c byte) mode {
	switch v := values[c]; {
	case v < 10:
		return numericMode
	case v < notAlphanumeric:
		return alphanumericMode
	default:
		return byteMode
	}
}

// run gives the mode of content[i] and the end of the characters of that mode which start there.
func run(content string, i int) (mode, int) {
	m := modeOf(content[i])
	for i++; i < len(content) && modeOf(content[i]) == m; i++ {
	}
	return m, i
}

// A class is a range of versions that give the character counts of segments the same widths.
type class struct {
	first, last int    // versions
	count       [3]int // width of the count in bits, by mode
}

// classes are the rows of ISO/IEC 18004 Table 3 up to maxVersion.
var classes = [...]class{
	{first: 1, last: 9, count: [...]int{numericMode: 10, alphanumericMode: 9, byteMode: 8}},
	{first: 10, last: maxVersion, count: [...]int{numericMode: 12, alphanumericMode: 11, byteMode: 16}},
}

// bits is the length of a segment of n characters (ISO/IEC 18004 §7.4.3 to §7.4.5).
func (c *class) bits(m mode, n int) int {
	header := 4 + c.count[m]
	switch m {
	case numericMode:
		return header + n/3*10 + [...]int{0, 4, 7}[n%3]
	case alphanumericMode:
		return header + n/2*11 + n%2*6
	default:
		return header + n*8
	}
}

// segment gives the mode and the end of the segment that starts at content[i], the start of a run.
// It takes the runs that follow for as long as their characters fit its mode and cost less in it than in a segment of
// their own: go-qrcode's way of mixing modes (ISO/IEC 18004 leaves the way open, Annex J), which the tests hold this
// package to.
func (c *class) segment(content string, i int) (mode, int) {
	m, end := run(content, i)
	for end < len(content) {
		next, nextEnd := run(content, end)
		if next > m || c.bits(m, nextEnd-i) >= c.bits(m, end-i)+c.bits(next, nextEnd-end) {
			break
		}
		end = nextEnd
	}
	return m, end
}

// A stream is a content with the way in which it becomes bits.
type stream struct {
	content string
	class   *class
	whole   bool // one segment of widest is not longer than the mixed segments
	widest  mode
	version int // the smallest that holds the bits
}

// fit chooses the version and the segments of content; ok is false where that takes more than maxVersion, or where
// content is empty.
func fit(content string) (s stream, ok bool) {
	if content == "" {
		return s, false
	}
	s.content = content
	for i := range len(content) {
		s.widest = max(s.widest, modeOf(content[i]))
	}
	for i := range classes {
		s.class = &classes[i]
		if len(content) >= 1<<s.class.count[s.widest] {
			continue // go-qrcode wants the count of the whole content to be expressible, mixed or not
		}
		mixed, whole := 0, s.class.bits(s.widest, len(content))
		for i := 0; i < len(content); {
			m, end := s.class.segment(content, i)
			mixed += s.class.bits(m, end-i)
			i = end
		}
		s.whole = whole <= mixed
		for s.version = s.class.first; s.version <= s.class.last; s.version++ {
			if min(whole, mixed) <= 8*levelM[s.version].dataCodewords() {
				return s, true
			}
		}
	}
	return s, false
}

// write gives the data codewords of the stream, as many as its version holds.
func (s *stream) write(w *bitWriter) []byte {
	for i := 0; i < len(s.content); {
		m, end := s.widest, len(s.content)
		if !s.whole {
			m, end = s.class.segment(s.content, i)
		}
		w.put(indicator[m], 4)
		w.put(uint64(end-i), s.class.count[m])
		w.characters(m, s.content[i:end])
		i = end
	}
	// The terminator, four zero bits, gives way where there is no room for it (ISO/IEC 18004 §7.4.9); zero bits fill
	// the last codeword, and two pad codewords take turns after it (§7.4.10).
	capacity := levelM[s.version].dataCodewords()
	w.put(0, min(4, 8*(capacity-w.whole)-w.rest))
	w.put(0, -w.rest&7)
	for pad := uint64(0b11101100); w.whole < capacity; pad ^= 0b11101100 ^ 0b00010001 {
		w.put(pad, 8)
	}
	return w.codewords[:capacity]
}

// A bitWriter collects numbers of at most 32 bits, the most significant bit first.
type bitWriter struct {
	codewords [maxCodewords]byte
	whole     int    // codewords that are complete
	acc       uint64 // the last bits of which wait to complete one
	rest      int    // so many, fewer than eight
}

func (w *bitWriter) put(v uint64, bits int) {
	w.acc = w.acc<<bits | v
	for w.rest += bits; w.rest >= 8; w.whole++ {
		w.rest -= 8
		w.codewords[w.whole] = byte(w.acc >> w.rest)
	}
}

// characters puts the data of a segment (ISO/IEC 18004 §7.4.3 to §7.4.5).
func (w *bitWriter) characters(m mode, s string) {
	switch m {
	case numericMode: // three digits in ten bits
		for ; len(s) >= 3; s = s[3:] {
			w.put(uint64(values[s[0]])*100+uint64(values[s[1]])*10+uint64(values[s[2]]), 10)
		}
		switch len(s) {
		case 2:
			w.put(uint64(values[s[0]])*10+uint64(values[s[1]]), 7)
		case 1:
			w.put(uint64(values[s[0]]), 4)
		}
	case alphanumericMode: // two characters in eleven bits
		for ; len(s) >= 2; s = s[2:] {
			w.put(uint64(values[s[0]])*45+uint64(values[s[1]]), 11)
		}
		if len(s) == 1 {
			w.put(uint64(values[s[0]]), 6)
		}
	default:
		for i := range len(s) {
			w.put(uint64(s[i]), 8)
		}
	}
}
