package qr

// A grid holds the modules of a symbol, a dark one as 1, in two strips of 64 columns: bit x%64 of grid[x/64][y].
// The second strip is empty up to version 11.
type grid [2][maxSize]uint64

func (g *grid) darken(x, y int) { g[x>>6][y] |= 1 << (x & 63) }

func (g *grid) dark(x, y int) bool { return g[x>>6][y]>>(x&63)&1 == 1 }

// invert exchanges dark and light in the modules that are dark in other.
func (g *grid) invert(other *grid) {
	for strip := range g {
		for y := range g[strip] {
			g[strip][y] ^= other[strip][y]
		}
	}
}

// transpose makes g the grid rows with rows and columns exchanged, so that what looks at 64 columns at once can look
// at 64 rows at once too.
func (g *grid) transpose(rows *grid, strips int) {
	for i := range strips {
		for j := range strips {
			var square [64]uint64
			copy(square[:], rows[i][64*j:])
			transpose(&square)
			copy(g[j][64*i:], square[:])
		}
	}
}

// transpose exchanges the rows and columns of a square of bits: the two corners off the diagonal of the square, then
// those of its four quarters, and so on down to single bits.
func transpose(square *[64]uint64) {
	low := uint64(1)<<32 - 1 // the columns of the left halves
	for half := 32; half > 0; half /= 2 {
		for y := 0; y < 64; y = (y + half + 1) &^ half { // the rows of the upper halves
			swap := (square[y]>>half ^ square[y+half]) & low
			square[y] ^= swap << half
			square[y+half] ^= swap
		}
		low ^= low << (half / 2)
	}
}
