package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// The picture, in pixels.
const (
	width, height            = 900, 360
	left, right, top, bottom = 50, 20, 50, 40
)

// colors are of the ways, in their order; they differ for the colour-blind too.
func colors() []string { return []string{"#0b6e4f", "#c8553d"} }

// chart draws how many people finished a second over time, in SVG: a line for
// each way, and the limit.
func chart(o options, reports []report) []byte {
	var last time.Duration
	highest := o.limit()
	lines := make([][]float64, len(reports))
	for _, r := range reports {
		if f := r.finished(); len(f) > 0 {
			last = max(last, f[len(f)-1])
		}
	}
	for i, r := range reports {
		lines[i] = smooth(r.finished(), last)
		for _, v := range lines[i] {
			highest = max(highest, v)
		}
	}
	highest *= 1.1
	x := func(seconds float64) float64 { return left + seconds/max(1, last.Seconds())*(width-left-right) }
	y := func(v float64) float64 { return height - bottom - v/highest*(height-top-bottom) }

	var svg bytes.Buffer
	draw := func(format string, values ...any) { _, _ = fmt.Fprintf(&svg, format+"\n", values...) }
	draw(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" fill="#333">`, width, height)
	draw(`<rect width="%d" height="%d" fill="#fff"/>`, width, height)
	draw(`<text x="%d" y="18">People who finish each second: %d people by %s over %v, %g calls of the quota a second</text>`, left, o.people, o.flow, o.Over, float64(o.quota)-o.others)
	for _, v := range ticks(highest) {
		draw(`<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`, left, y(v), width-right, left-8, y(v)+4, v)
	}
	for _, s := range ticks(last.Seconds()) {
		draw(`<text x="%.1f" y="%d" text-anchor="middle">%g s</text>`, x(s), height-bottom+20, s)
	}
	draw(`<path d="M%d %.1fH%d" stroke="#333" stroke-dasharray="6 4"/><text x="%d" y="%.1f" text-anchor="end">the limit, %.1f</text>`, left, y(o.limit()), width-right, width-right, y(o.limit())-6, o.limit())
	for i, line := range lines {
		var points strings.Builder
		for s, v := range line {
			_, _ = fmt.Fprintf(&points, "%.1f,%.1f ", x(float64(s)), y(v))
		}
		draw(`<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, points.String(), colors()[i])
		draw(`<text x="%d" y="38" fill="%s">%s: %d finished</text>`, left+i*250, colors()[i], reports[i].name, len(reports[i].finished()))
	}
	draw(`</svg>`)
	return svg.Bytes()
}

// smooth counts events a second, averaged over ten.
func smooth(events []time.Duration, until time.Duration) []float64 {
	const window = 10
	counts := make([]int, int(until.Seconds())+1)
	for _, at := range events {
		counts[int(at.Seconds())]++
	}
	line, sum := make([]float64, len(counts)), 0
	for s, n := range counts {
		if sum += n; s >= window {
			sum -= counts[s-window]
		}
		line[s] = float64(sum) / window
	}
	return line
}

// ticks are four to ten round numbers up to a value.
func ticks(most float64) (values []float64) {
	step := 1.0
	for _, factor := range []float64{2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2} {
		if most/step <= 10 {
			break
		}
		step *= factor
	}
	for v := 0.0; v <= most; v += step {
		values = append(values, v)
	}
	return values
}
