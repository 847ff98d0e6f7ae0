package qr

import (
	"encoding/binary"
	"hash/crc32"
)

// A picture is what the 1-bit greyscale PNGs (W3C PNG, third edition) of one version have in common.
//
// At six pixels a module four modules are three bytes, of which there are eight: 00 and ff, and 03, fc, 0f, f0, 3f and
// c0 where two modules meet; a light pixel is 1, and a row of pixels starts with its filter type, which is 00 too.
// The six rows of pixels in a row of modules are one row and matches of DEFLATE that copy it five times.
// So a Huffman code of ten symbols does for every picture, and spends little more than two bits on a module.
type picture struct {
	head    deflater // the file up to the first row
	repeat  code     // a match, which copies the last row,
	repeats int      // put so often after it
	row     uint64   // bytes of a row of pixels, the filter type included
	longest int      // bytes of a file at most
}

// maxMatch is less than the longest match of DEFLATE, 258 bytes, whose symbol is not like the others (RFC 1951 §3.2.5).
const maxMatch = 257

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
	p.repeats = 1
	if (scale-1)*row > maxMatch {
		p.repeats = scale - 1
	}
	p.repeat = p.head.header(row, (scale-1)/p.repeats*row)
	p.row = uint64(row)
	// A byte takes four bits at most; then come the end of the block, two checksums and the last chunk.
	p.longest = len(p.head.out) + (size+2*quiet)*(4*row+p.repeats*int(p.repeat.n))/8 + 8 + 4 + 4 + len(end)
	return p
}

// A group is four modules in a row of pixels: three bytes.
type group struct {
	code     code
	sum      uint64 // of the bytes
	weighted uint64 // three times the first, twice the second and the third
}

// groups are indexed by the modules, the leftmost as the lowest bit, dark as 1.
var groups = func() (all [16]group) {
	for i := range all {
		var pixels uint64 // the leftmost as the highest of 24 bits, light as 1
		for module := range 4 {
			if i>>module&1 == 0 {
				pixels |= 0x3f << (18 - scale*module)
			}
		}
		b := [3]uint64{pixels >> 16, pixels >> 8 & 0xff, pixels & 0xff}
		all[i] = group{
			code:     join(literals[b[0]], literals[b[1]], literals[b[2]]),
			sum:      b[0] + b[1] + b[2],
			weighted: 3*b[0] + 2*b[1] + b[2],
		}
	}
	return all
}()

// rowStart is the filter type of a row and its first four modules, light ones of the quiet zone.
var rowStart = join(literals[0x00], literals[0xff], literals[0xff], literals[0xff])

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
	for range quiet {
		w.modules(0, 0, quads)
	}
	for y := range p.size {
		w.modules(rows[0][y], rows[1][y], quads)
	}
	for range quiet {
		w.modules(0, 0, quads)
	}
	w.put(endBlock)
	w.flush()
	w.out = binary.BigEndian.AppendUint32(w.out, uint32(w.b<<16|w.a))
	binary.BigEndian.PutUint32(w.out[idatLength:], uint32(len(w.out)-idatData))
	w.out = binary.BigEndian.AppendUint32(w.out, crc32.ChecksumIEEE(w.out[idatType:]))
	return append(w.out, end...)
}

// modules writes the six rows of pixels of a row of modules, dark ones as 1.
// The groups of four end with three modules of the quiet zone on the right, for which the words have zero bits; the
// fourth, and two bits which only fill a byte, follow.
func (w *pngWriter) modules(low, high uint64, quads int) {
	const light = 0xff
	w.put(rowStart)
	sum, weighted := uint64(3*light), uint64(6*light) // of the row by itself
	for range quads {
		q := &groups[low&15]
		w.put(q.code)
		weighted += 3*sum + q.weighted
		sum += q.sum
		low, high = low>>4|high<<60, high>>4
	}
	w.put(literals[light])
	sum += light
	weighted += sum
	for range w.repeats {
		w.put(w.repeat)
	}
	for range scale {
		w.b += w.row*w.a + weighted
		w.a += sum
	}
	w.a %= 65521
	w.b %= 65521
}
