package qr

import "encoding/binary"

// A generator divides by a generator polynomial of at most 32 error correction codewords (ISO/IEC 18004 Annex A).
// Its entry for b is b times the polynomial without its leading term, the coefficient of the highest power in the
// top byte of the first word, so that one step of the division is a shift and four exclusive ors.
type generator [256]remainder

// A remainder holds error correction codewords, the first in the top byte of the first word.
type remainder [4]uint64

// newGenerator multiplies out (x - 2⁰)(x - 2¹)…, a factor a codeword, over GF(2⁸) (ISO/IEC 18004 §7.5.2).
func newGenerator(codewords int) *generator {
	poly := make([]byte, codewords) // without its leading term, which is 1
	poly[codewords-1] = 1
	for root, i := byte(1), 0; i < codewords; i++ {
		for j := range poly {
			poly[j] = multiply(poly[j], root)
			if j+1 < codewords {
				poly[j] ^= poly[j+1]
			}
		}
		root = multiply(root, 2)
	}
	g := new(generator)
	for b := range g {
		var row [32]byte
		for j, coefficient := range poly {
			row[j] = multiply(coefficient, byte(b))
		}
		for j := range g[b] {
			g[b][j] = binary.BigEndian.Uint64(row[8*j:])
		}
	}
	return g
}

// multiply is multiplication in GF(2⁸) modulo x⁸+x⁴+x³+x²+1 (ISO/IEC 18004 §7.5.2).
func multiply(a, b byte) byte {
	var product uint16
	for i := 7; i >= 0; i-- {
		product = product<<1 ^ product>>7*0b1_0001_1101
		product ^= uint16(b>>i&1) * uint16(a)
	}
	return byte(product)
}

// divide gives the error correction codewords of a block of data codewords.
func (g *generator) divide(block []byte) remainder {
	var a, b, c, d uint64
	for _, data := range block {
		row := &g[data^byte(a>>56)]
		a = a<<8 ^ b>>56 ^ row[0]
		b = b<<8 ^ c>>56 ^ row[1]
		c = c<<8 ^ d>>56 ^ row[2]
		d = d<<8 ^ row[3]
	}
	return remainder{a, b, c, d}
}

// at is the error correction codeword i.
func (r *remainder) at(i int) byte {
	return byte(r[i/8] >> (56 - 8*(i%8)))
}
