package qr

// draw makes g the symbol of content and gives its plan, or nil where content is empty or takes more than maxVersion.
func (g *grid) draw(content string) *plan {
	text, ok := fit(content)
	if !ok {
		return nil
	}
	p := plans[text.version]()
	var data bitWriter
	var all [maxCodewords]byte
	p.interleave(all[:p.codewords], text.write(&data))
	*g = p.function
	p.place(g, all[:p.codewords])
	g.invert(&p.bestMask(g).rows)
	return p
}

// interleave adds the error correction and puts the codewords of the blocks in turns: the first of each block, the
// second of each, and so on, first those of data and then the others (ISO/IEC 18004 §7.6).
func (p *plan) interleave(all, data []byte) {
	short, long := len(data)/p.blocks, len(data)%p.blocks
	check := all[len(data):]
	for block := range p.blocks {
		size := short
		if block >= p.blocks-long {
			size++
			all[short*p.blocks+block-(p.blocks-long)] = data[short]
		}
		for i, codeword := range data[:short] {
			all[i*p.blocks+block] = codeword
		}
		rest := p.generator.divide(data[:size])
		for i := range p.check {
			check[i*p.blocks+block] = rest.at(i)
		}
		data = data[size:]
	}
}

// place puts the codewords, the most significant bit first, into the modules that are theirs.
func (p *plan) place(g *grid, codewords []byte) {
	var acc uint64 // the last bits of which are not placed yet
	var rest uint8 // so many
	for _, m := range p.order {
		if rest < m.number {
			acc = acc<<8 | uint64(codewords[0])
			codewords = codewords[1:]
			rest += 8
		}
		rest -= m.number
		g[m.x>>6][m.y] |= acc >> (rest & 63) & (1<<m.number - 1) << (m.x & 63)
	}
}

// bestMask gives the data mask under which rows have the lowest penalty, the first of equals
// (ISO/IEC 18004 §7.8.3.1).
func (p *plan) bestMask(rows *grid) *mask {
	var columns grid
	columns.transpose(rows, p.strips)
	best, lowest := 0, 1<<30
	for i := range p.masks {
		m := &p.masks[i]
		score := p.linePenalty(rows, &m.rows) + p.linePenalty(&columns, &m.columns) + p.areaPenalty(rows, &m.rows)
		if score < lowest {
			best, lowest = i, score
		}
	}
	return &p.masks[best]
}
