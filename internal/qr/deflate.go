package qr

import (
	"encoding/binary"
	"math/bits"
)

// A code is some bits of a DEFLATE stream (RFC 1951), the first one lowest.
type code struct {
	bits uint64
	n    uint
}

// join gives the codes one after the other.
func join(codes ...code) (all code) {
	for _, c := range codes {
		all.bits |= c.bits << all.n
		all.n += c.n
	}
	return all
}

// huffman is a word of a Huffman code, which goes out from its highest bit (RFC 1951 §3.1.1).
func huffman(word uint64, n uint) code { return code{bits.Reverse64(word) >> (64 - n), n} }

// The code for literals and lengths: the words which RFC 1951 §3.2.2 gives the symbols of a picture from the lengths
// that header sends.
// A literal is a byte of pixels.
var (
	literals = [256]code{
		0x00: huffman(0b00, 2), 0xff: huffman(0b01, 2),
		0x03: huffman(0b1000, 4), 0x0f: huffman(0b1001, 4), 0x3f: huffman(0b1010, 4),
		0xc0: huffman(0b1011, 4), 0xf0: huffman(0b1100, 4), 0xfc: huffman(0b1101, 4),
	}
	endBlock = huffman(0b1110, 4)
	length   = huffman(0b1111, 4) // the one length symbol
	distance = huffman(0b1, 1)    // the one distance symbol
)

// The code for the lengths of those codes, from lengths of 3, 3, 3, 2, 3 and 2.
var (
	length0 = huffman(0b100, 3)
	length1 = huffman(0b101, 3)
	length2 = huffman(0b110, 3)
	length4 = huffman(0b00, 2)
	zeros3  = huffman(0b111, 3) // symbol 17: three zeros and as many as its three extra bits say
	zeros11 = huffman(0b01, 2)  // symbol 18: eleven, and seven extra bits
)

// A deflater appends codes to out.
type deflater struct {
	out []byte
	acc uint64 // the n bits, fewer than 32, that wait to be appended
	n   uint
}

func (d *deflater) put(c code) {
	d.acc |= c.bits << (d.n & 63)
	d.n += c.n
	if d.n >= 32 {
		d.out = binary.LittleEndian.AppendUint32(d.out, uint32(d.acc))
		d.acc >>= 32
		d.n -= 32
	}
}

// flush appends what waits, the last byte filled up with zero bits.
func (d *deflater) flush() {
	for ; d.n > 0; d.n -= min(d.n, 8) {
		d.out = append(d.out, byte(d.acc))
		d.acc >>= 8
	}
}

// header starts the only block of a picture with the codes above (RFC 1951 §3.2.7), and gives the match that repeats
// a row of so many bytes until match bytes are copied.
// The distance code has a second symbol, which is never used, because some decoders want codes to be complete.
func (d *deflater) header(row, match int) (repeat code) {
	lengthSymbol, lengthExtra := extra(match-3, 2)
	distanceSymbol, distanceExtra := extra(row-1, 1)
	d.put(code{0b101, 3})                    // the last block, with codes of its own
	d.put(code{uint64(lengthSymbol + 1), 5}) // so many codes more than 257, for literals and lengths
	d.put(code{uint64(distanceSymbol), 5})   // and than one, for distances
	d.put(code{18 - 4, 4})                   // and than four, for code lengths: those of symbols 17, 18, 0; 4; 2; 1
	for _, n := range [18]uint64{1: 3, 2: 2, 3: 3, 11: 2, 15: 3, 17: 3} {
		d.put(code{n, 3})
	}
	d.put(length2) // of literal 00
	last := 0x00
	for _, literal := range []int{0x03, 0x0f, 0x3f, 0xc0, 0xf0, 0xfc} {
		d.zeros(literal - last - 1)
		d.put(length4)
		last = literal
	}
	d.zeros(0xff - last - 1)
	d.put(length2) // ff
	d.put(length4) // the end
	d.zeros(lengthSymbol)
	d.put(length4)
	d.put(length1) // distance 1, not used
	d.zeros(distanceSymbol - 1)
	d.put(length1)
	return join(length, lengthExtra, distance, distanceExtra)
}

// zeros sends n code lengths of zero.
func (d *deflater) zeros(n int) {
	for n > 0 {
		switch {
		case n >= 11:
			many := min(n, 138)
			d.put(zeros11)
			d.put(code{uint64(many - 11), 7})
			n -= many
		case n >= 3:
			d.put(zeros3)
			d.put(code{uint64(n - 3), 3})
			n = 0
		default:
			d.put(length0)
			n--
		}
	}
}

// extra splits a number into a symbol and extra bits, as RFC 1951 §3.2.5 does it with lengths less 3 (k is 2) and
// distances less 1 (k is 1): 2^k symbols for every number of extra bits.
// It does not hold for length 258, which is longer than any match here.
func extra(n, k int) (symbol int, rest code) {
	e := max(0, bits.Len(uint(n))-k-1)
	return e<<k + n>>e, code{uint64(n & (1<<e - 1)), uint(e)}
}
