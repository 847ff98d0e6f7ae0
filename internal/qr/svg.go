package qr

import (
	"fmt"

	"github.com/skip2/go-qrcode"
)

// SVG draws the symbol of [PNG] as a Scalable Vector Graphic, which keeps sharp edges at every size.
// Its own size is that of the PNG.
// It has neither scripts nor styles, so that any Content-Security-Policy lets it be shown.
// The only error is [ErrContent].
func SVG(content string) ([]byte, error) {
	size, dark, err := symbol(content)
	if err != nil {
		return nil, err
	}
	side := size + 2*quiet
	out := fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%[2]d" height="%[2]d" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="`, side, scale*side)
	for y := range size {
		for x := 0; x < size; x++ {
			start := x
			for x < size && dark(x, y) {
				x++
			}
			if x > start { // a run of dark modules is one rectangle
				out = fmt.Appendf(out, "M%d %dh%dv1h-%[3]dz", start+quiet, y+quiet, x-start)
			}
		}
	}
	return append(out, `"/></svg>`...), nil
}

// symbol gives the modules of content: how many a side, and which are dark.
func symbol(content string) (size int, dark func(x, y int) bool, err error) {
	var g grid
	if p := g.draw(content); p != nil {
		return p.size, g.dark, nil
	}
	code, err := qrcode.New(content, qrcode.Medium)
	if err != nil {
		return 0, nil, ErrContent
	}
	modules := code.Bitmap() // with four light modules on every side
	return len(modules) - 2*quiet, func(x, y int) bool { return modules[y+quiet][x+quiet] }, nil
}
