package qr

import (
	"encoding/binary"
	"hash/crc32"
)

// A picture is what the 1-bit greyscale PNGs (W3C PNG, third edition) of one version have in common.
//
// At four pixels a module a byte holds two modules, a light one as f, so the bytes of a picture are 00, 0f, f0 and ff
// alone; a row of pixels starts with its filter type, which is 00 too.
// The four rows of pixels in a row of modules are one row and a match of DEFLATE that copies it three times.
// So a Huffman code of six symbols does for every picture, and spends little more than a bit on a module.
type picture struct {
	head    deflater // the file up to the first row
	repeat  code     // the match
	row     uint64   // bytes of a row of pixels, the filter type included
	longest int      // bytes of a file at most
}

// The places of the length of the IDAT chunk in head, of its type, where the checksum starts, and of its data.
const (
	idatLength = 8 + 25
	idatType   = idatLength + 4
	idatData   = idatType + 4
)

const end = "\x00\x00\x00\x00IEND\xae\x42\x60\x82"

func newPicture(size int) (p picture) {
	side := scale * (size + 2*quiet)
	row := 1 + (side+7)/8
	out := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	out = binary.BigEndian.AppendUint32(out, uint32(side))
	out = binary.BigEndian.AppendUint32(out, uint32(side))
	out = append(out, 1, 0, 0, 0, 0) // a bit a pixel, greyscale, the only compression and filter methods, no interlace
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[12:]))
	out = append(out, "\x00\x00\x00\x00IDAT"...)
	out = append(out, 0x78, 0x01) // a zlib stream with a window of 32 KiB (RFC 1950 §2.2)
	p.head.out = out
	p.repeat = p.head.header(row)
	p.row = uint64(row)
	// A byte takes three bits at most; then come the end of the block, two checksums and the last chunk.
	p.longest = len(p.head.out) + ((size+2)*3*row+(size+10)*int(p.repeat.n))/8 + 8 + 4 + 4 + len(end)
	return p
}

// A group is four modules in a row of pixels: two bytes.
type group struct {
	code     code
	sum      uint64 // of the bytes
	weighted uint64 // twice the first and the second
}

// groups are indexed by the modules, the leftmost as the lowest bit, dark as 1.
var groups = func() (all [16]group) {
	literals := [4]code{literalff, literal0f, literalf0, literal00}
	bytes := [4]uint64{0xff, 0x0f, 0xf0, 0x00}
	for i := range all {
		left, right := i&3, i>>2
		all[i] = group{
			code:     join(literals[left], literals[right]),
			sum:      bytes[left] + bytes[right],
			weighted: 2*bytes[left] + bytes[right],
		}
	}
	return all
}()

// rowStart is the filter type of a row and its first four modules, light ones of the quiet zone.
var rowStart = join(literal00, literalff, literalff)

// A pngWriter writes the rows of modules of a picture.
type pngWriter struct {
	deflater
	*picture
	a, b uint64 // the two sums of the Adler-32 checksum (RFC 1950 §9)
}

// png gives the picture of a symbol.
func (p *plan) png(rows *grid) []byte {
	w := pngWriter{deflater: p.picture.head, picture: &p.picture, a: 1}
	w.out = append(make([]byte, 0, p.picture.longest), w.out...)
	quads := (p.size + 3) / 4
	w.modules(0, 0, quads, 5) // one row of pixels and five times three: the quiet zone
	for y := range p.size {
		w.modules(rows[0][y], rows[1][y], quads, 1)
	}
	w.modules(0, 0, quads, 5)
	w.put(endBlock)
	w.flush()
	w.out = binary.BigEndian.AppendUint32(w.out, uint32(w.b<<16|w.a))
	binary.BigEndian.PutUint32(w.out[idatLength:], uint32(len(w.out)-idatData))
	w.out = binary.BigEndian.AppendUint32(w.out, crc32.ChecksumIEEE(w.out[idatType:]))
	return append(w.out, end...)
}

// modules writes a row of pixels for a row of modules, dark ones as 1, and its copies, three at a time.
// The groups of four end with two modules of the quiet zone on the right, for which the words have zero bits; two
// more, the last of which only fills a byte, follow.
func (w *pngWriter) modules(low, high uint64, quads, copies int) {
	const light = 0xff
	w.put(rowStart)
	sum, weighted := uint64(2*light), uint64(3*light) // of the row by itself
	for range quads {
		q := &groups[low&15]
		w.put(q.code)
		weighted += 2*sum + q.weighted
		sum += q.sum
		low, high = low>>4|high<<60, high>>4
	}
	w.put(literalff)
	sum += light
	weighted += sum
	for range copies {
		w.put(w.repeat)
	}
	for range 1 + 3*copies {
		w.b += w.row*w.a + weighted
		w.a += sum
	}
	w.a %= 65521
	w.b %= 65521
}
