package qr

import "math/bits"

// The weights of ISO/IEC 18004 Table 11.
// A symbol reads under any mask, so encoders take liberties with the features that they weigh, and this package takes
// those of go-qrcode: a run counts from six modules, where the standard says five, and see finderLike.
const (
	runWeight    = 3
	blockWeight  = 3
	finderWeight = 40
	darkWeight   = 10
)

// margin is the number of light modules which finderLike takes to lie before a line.
const margin = 10

// linePenalty is the score of features 1 and 3, runs and what looks like a finder pattern, in the lines that run down
// the bits of a grid.
func (p *plan) linePenalty(g, mask *grid) int {
	score := 0
	for strip := range p.strips {
		var buf [margin + maxSize]uint64
		lines := buf[:margin+p.size]
		for y := range p.size {
			lines[margin+y] = g[strip][y] ^ mask[strip][y]
		}
		valid := ^uint64(0) >> max(0, 64*(strip+1)-p.size)
		score += runs(lines[margin:], valid) + finderWeight*finderLike(lines)
	}
	return score
}

// runs scores runs of n ≥ 6 modules of one colour, runWeight + n - 5 each, in the valid ones of 64 lines.
func runs(lines []uint64, valid uint64) int {
	score := 0
	var same1, same2, same3, same4, longer uint64 // of the modules before
	for y := 1; y < len(lines); y++ {
		same := ^(lines[y] ^ lines[y-1]) & valid
		long := same & same1 & same2 & same3 & same4 // six modules end here
		score += bits.OnesCount64(long) + runWeight*bits.OnesCount64(long&^longer)
		same1, same2, same3, same4, longer = same, same1, same2, same3, long
	}
	return score
}

// finderLike counts, in 64 lines, the modules in the ratio 1:1:3:1:1 of a finder pattern, dark ones outermost, with
// four light modules before or after.
// As in go-qrcode a line starts as if light modules lay before it, the pattern at its end needs none, and the last
// eight modules of what was counted become dark, so that hardly any two counts overlap.
func finderLike(lines []uint64) int {
	count, last := 0, len(lines)-1
	for y := margin; y <= last; y++ {
		w := lines[y-margin : y+1 : y+1]
		// 1011101 ends either at y, with four light modules before, or four modules earlier, light ones.
		ends := w[4] &^ w[5] & w[6] & w[7] & w[8] &^ w[9] & w[10]
		ended := w[0] &^ w[1] & w[2] & w[3] & w[4] &^ w[5] & w[6] &^ (w[7] | w[8] | w[9] | w[10])
		found := ends&^(w[0]|w[1]|w[2]|w[3]) | ended
		if y == last {
			found |= ends
		}
		if found != 0 {
			count += bits.OnesCount64(found)
			for i := 3; i < len(w); i++ {
				w[i] |= found
			}
		}
	}
	return count
}

// areaPenalty is the score of features 2 and 4: squares of four modules of one colour, and how far the number of
// dark modules is from a half, in steps of a twentieth of the symbol.
func (p *plan) areaPenalty(g, mask *grid) int {
	dark, blocks := 0, 0
	for strip := range p.strips {
		paired := ^uint64(0) >> max(0, 64*(strip+1)-(p.size-1)) // columns with another one on the right
		var above, aboveSame uint64
		for y := range p.size {
			row := g[strip][y] ^ mask[strip][y]
			right := row >> 1
			if strip+1 < p.strips {
				right |= (g[strip+1][y] ^ mask[strip+1][y]) << 63
			}
			same := ^(row ^ right) & paired
			dark += bits.OnesCount64(row)
			blocks += bits.OnesCount64(same & aboveSame &^ (row ^ above))
			above, aboveSame = row, same
		}
	}
	modules := p.size * p.size
	off := modules/2 - dark
	return blockWeight*blocks + darkWeight*(max(off, -off)/(modules/20))
}
