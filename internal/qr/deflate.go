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
// A literal is a byte, which is two modules, a light one as f.
var (
	literal00 = huffman(0b00, 2)
	literal0f = huffman(0b01, 2)
	literalff = huffman(0b10, 2)
	literalf0 = huffman(0b110, 3)
	endBlock  = huffman(0b1110, 4)
	length    = huffman(0b1111, 4) // the one length symbol
	distance  = huffman(0b1, 1)    // the one distance symbol
)

// The code for the lengths of those codes, from lengths of 5, 5, 2, 4, 4, 4 and 1.
var (
	length0 = huffman(0b11110, 5)
	length1 = huffman(0b11111, 5)
	length2 = huffman(0b10, 2)
	length3 = huffman(0b1100, 4)
	length4 = huffman(0b1101, 4)
	zeros3  = huffman(0b1110, 4) // symbol 17: three zeros and as many as its three extra bits say
	zeros11 = huffman(0b0, 1)    // symbol 18: eleven, and seven extra bits
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
// the last row of so many bytes three times.
// The distance code has a second symbol, which is never used, because some decoders want codes to be complete.
func (d *deflater) header(row int) (repeat code) {
	lengthSymbol, lengthExtra := extra(3*row-3, 2)
	distanceSymbol, distanceExtra := extra(row-1, 1)
	d.put(code{0b101, 3})                    // the last block, with codes of its own
	d.put(code{uint64(lengthSymbol + 1), 5}) // so many codes more than 257, for literals and lengths
	d.put(code{uint64(distanceSymbol), 5})   // and than one, for distances
	d.put(code{18 - 4, 4})                   // and than four, for code lengths: those of symbols 17, 18, 0; 4; 3; 2; 1
	for _, n := range [18]uint64{1: 4, 2: 1, 3: 5, 11: 4, 13: 4, 15: 2, 17: 5} {
		d.put(code{n, 3})
	}
	d.put(length2) // of literal 00
	d.zeros(14)
	d.put(length2) // 0f
	d.zeros(224)
	d.put(length3) // f0
	d.zeros(14)
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
