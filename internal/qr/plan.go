package qr

import (
	"math/bits"
	"sync"
)

// maxVersion is the largest version built here: its rows of 121 modules fit in two words, and after it Table 3 of
// ISO/IEC 18004 changes once more.
const (
	maxVersion   = 26
	maxSize      = 17 + 4*maxVersion // modules a side
	maxCodewords = 1706
)

// A division says how the codewords of a symbol are divided into blocks.
// Where they cannot be equal, the last ones are a data codeword longer.
type division struct {
	codewords int // data and error correction together
	check     int // error correction codewords of every block
	blocks    int
}

func (d division) dataCodewords() int { return d.codewords - d.check*d.blocks }

// levelM is error correction level M in ISO/IEC 18004 Table 9, by version.
var levelM = [maxVersion + 1]division{
	1: {26, 10, 1}, 2: {44, 16, 1}, 3: {70, 26, 1}, 4: {100, 18, 2}, 5: {134, 24, 2}, 6: {172, 16, 4},
	7: {196, 18, 4}, 8: {242, 22, 4}, 9: {292, 22, 5}, 10: {346, 26, 5}, 11: {404, 30, 5}, 12: {466, 22, 8},
	13: {532, 22, 9}, 14: {581, 24, 9}, 15: {655, 24, 10}, 16: {733, 28, 10}, 17: {815, 28, 11}, 18: {901, 26, 13},
	19: {991, 26, 14}, 20: {1085, 26, 16}, 21: {1156, 26, 17}, 22: {1258, 28, 17}, 23: {1364, 28, 18},
	24: {1474, 28, 20}, 25: {1588, 28, 21}, 26: {maxCodewords, 28, 23},
}

// centres are the rows and columns of the alignment patterns, by version (ISO/IEC 18004 Table E.1).
var centres = [maxVersion + 1][]int{
	2: {6, 18}, 3: {6, 22}, 4: {6, 26}, 5: {6, 30}, 6: {6, 34},
	7: {6, 22, 38}, 8: {6, 24, 42}, 9: {6, 26, 46}, 10: {6, 28, 50}, 11: {6, 30, 54}, 12: {6, 32, 58}, 13: {6, 34, 62},
	14: {6, 26, 46, 66}, 15: {6, 26, 48, 70}, 16: {6, 26, 50, 74}, 17: {6, 30, 54, 78}, 18: {6, 30, 56, 82},
	19: {6, 30, 58, 86}, 20: {6, 34, 62, 90},
	21: {6, 28, 50, 72, 94}, 22: {6, 26, 50, 74, 98}, 23: {6, 30, 54, 78, 102}, 24: {6, 28, 54, 80, 106},
	25: {6, 32, 58, 84, 110}, 26: {6, 30, 58, 86, 114},
}

// masks are the conditions under which a data mask inverts the module in row i and column j (ISO/IEC 18004 Table 10).
var masks = [8]func(i, j int) bool{
	func(i, j int) bool { return (i+j)%2 == 0 },
	func(i, _ int) bool { return i%2 == 0 },
	func(_, j int) bool { return j%3 == 0 },
	func(i, j int) bool { return (i+j)%3 == 0 },
	func(i, j int) bool { return (i/2+j/3)%2 == 0 },
	func(i, j int) bool { return i*j%2+i*j%3 == 0 },
	func(i, j int) bool { return (i*j%2+i*j%3)%2 == 0 },
	func(i, j int) bool { return ((i+j)%2+i*j%3)%2 == 0 },
}

// A plan is what every symbol of a version shares.
type plan struct {
	division
	size      int // modules a side
	strips    int // words a row
	generator *generator
	function  grid // the function patterns and the version information
	masks     [8]mask
	order     []modules // where the bits of the codewords go
	picture   picture
}

// A mask is the modules that a data mask inverts, and the format information that names the mask.
type mask struct{ rows, columns grid }

// A modules is a module, or two side by side in one word of a grid, of which x is the left one.
type modules struct{ x, y, number uint8 }

// plans gives the plan of a version, made when it is first asked for and never changed.
var plans = func() (p [maxVersion + 1]func() *plan) {
	for version := 1; version <= maxVersion; version++ {
		p[version] = sync.OnceValue(func() *plan { return newPlan(version) })
	}
	return p
}()

func newPlan(version int) *plan {
	size := 17 + 4*version
	p := &plan{
		division:  levelM[version],
		size:      size,
		strips:    (size + 63) / 64,
		generator: newGenerator(levelM[version].check),
		picture:   newPicture(size),
	}
	var used grid // everything but the codewords and the remainder bits
	put := func(x, y int, dark bool) {
		used.darken(x, y)
		if dark {
			p.function.darken(x, y)
		}
	}
	p.drawFinders(put)
	p.drawTiming(put)
	p.drawAlignments(version, put)
	p.drawVersion(version, put)
	for bit := range 15 {
		for _, m := range p.formatModules(bit) {
			used.darken(m.x, m.y)
		}
	}
	put(8, size-8, true) // the module which is always dark (ISO/IEC 18004 §7.9.1)
	p.drawMasks(&used)
	p.order = p.placement(&used)
	return p
}

// drawFinders draws the three finder patterns and the separators around them (ISO/IEC 18004 §6.3.3, §6.3.4).
func (p *plan) drawFinders(put func(x, y int, dark bool)) {
	for _, c := range [...][2]int{{3, 3}, {p.size - 4, 3}, {3, p.size - 4}} {
		for dy := -4; dy <= 4; dy++ {
			for dx := -4; dx <= 4; dx++ {
				x, y, ring := c[0]+dx, c[1]+dy, max(dx, -dx, dy, -dy)
				if min(x, y) >= 0 && max(x, y) < p.size {
					put(x, y, ring != 2 && ring != 4)
				}
			}
		}
	}
}

// drawTiming draws the lines of alternating modules between the finder patterns (ISO/IEC 18004 §6.3.5).
func (p *plan) drawTiming(put func(x, y int, dark bool)) {
	for i := 8; i < p.size-8; i++ {
		put(6, i, i%2 == 0)
		put(i, 6, i%2 == 0)
	}
}

// drawAlignments draws the alignment patterns, all but the three that would lie on a finder pattern
// (ISO/IEC 18004 §6.3.6).
func (p *plan) drawAlignments(version int, put func(x, y int, dark bool)) {
	last := p.size - 7
	for _, cy := range centres[version] {
		for _, cx := range centres[version] {
			if cx == 6 && cy == 6 || cx == 6 && cy == last || cx == last && cy == 6 {
				continue
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					put(cx+dx, cy+dy, max(dx, -dx, dy, -dy) != 1)
				}
			}
		}
	}
}

// drawVersion draws the version information, which version 7 and larger have, in its two places
// (ISO/IEC 18004 §7.10 and Annex D).
func (p *plan) drawVersion(version int, put func(x, y int, dark bool)) {
	if version < 7 {
		return
	}
	word := withCheck(version, 12, 0b1_1111_0010_0101)
	for bit := range 18 {
		near, far, dark := bit/3, p.size-11+bit%3, word>>bit&1 == 1
		put(near, far, dark)
		put(far, near, dark)
	}
}

// formatModules are the two places of a bit of the format information (ISO/IEC 18004 Figure 25).
func (p *plan) formatModules(bit int) [2]struct{ x, y int } {
	switch {
	case bit < 6:
		return [2]struct{ x, y int }{{8, bit}, {p.size - 1 - bit, 8}}
	case bit < 8: // the timing pattern lies between
		return [2]struct{ x, y int }{{8, bit + 1}, {p.size - 1 - bit, 8}}
	case bit == 8:
		return [2]struct{ x, y int }{{7, 8}, {8, p.size - 7}}
	default:
		return [2]struct{ x, y int }{{14 - bit, 8}, {8, p.size - 15 + bit}}
	}
}

// drawMasks fills masks: where a mask inverts the modules that are not used otherwise, and its format information,
// which is the level (00 for M, ISO/IEC 18004 Table 12) and the mask, with check bits, exclusive or a constant so that
// it is never all light (§7.9.1 and Annex C).
func (p *plan) drawMasks(used *grid) {
	for number, inverts := range masks {
		rows := &p.masks[number].rows
		for y := range p.size {
			for x := range p.size {
				if !used.dark(x, y) && inverts(y, x) {
					rows.darken(x, y)
				}
			}
		}
		word := withCheck(number, 10, 0b101_0011_0111) ^ 0b101_0100_0001_0010
		for bit := range 15 {
			for _, m := range p.formatModules(bit) {
				if word>>bit&1 == 1 {
					rows.darken(m.x, m.y)
				}
			}
		}
		p.masks[number].columns.transpose(rows, p.strips)
	}
}

// withCheck appends the remainder of the division by a generator polynomial of the given degree
// (ISO/IEC 18004 Annexes C.2 and D.2).
func withCheck(data, degree, generator int) int {
	word := data << degree
	for rest := word; ; {
		shift := bits.Len(uint(rest)) - degree - 1
		if shift < 0 {
			return word | rest
		}
		rest ^= generator << shift
	}
}

// placement walks over the modules which are not used, two columns at a time from the right, up and down in turns,
// with the column of the vertical timing pattern left out (ISO/IEC 18004 §7.7.3).
// The few modules which are left when all codewords are placed are the remainder bits, light before masking.
func (p *plan) placement(used *grid) []modules {
	order := []modules{{}} // the first of which only is before the others
	bits, up := 8*p.codewords, true
	for right := p.size - 1; right > 0; right -= 2 {
		if right == 6 {
			right--
		}
		for i := range p.size {
			y := i
			if up {
				y = p.size - 1 - i
			}
			for x := right; x >= right-1; x-- {
				if used.dark(x, y) || bits == 0 {
					continue
				}
				bits--
				if last := &order[len(order)-1]; *last == (modules{uint8(x + 1), uint8(y), 1}) && x%64 != 63 {
					*last = modules{uint8(x), uint8(y), 2}
				} else {
					order = append(order, modules{uint8(x), uint8(y), 1})
				}
			}
		}
		up = !up
	}
	return order[1:]
}
