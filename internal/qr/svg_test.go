package qr

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestSVGDrawsTheModulesOfThePNG fills in the rectangles of the path and holds every module to the picture.
func TestSVGDrawsTheModulesOfThePNG(t *testing.T) {
	for _, content := range []string{"7", uriOf(t, Key{"Example", "ada@example.com", secret}), strings.Repeat("a", 1059), strings.Repeat("a", 1300)} {
		file, err := SVG(content)
		if err != nil {
			t.Fatal(err)
		}
		picture, _ := decodePNG(t, content)
		var svg struct {
			Width   int    `xml:"width,attr"`
			ViewBox string `xml:"viewBox,attr"`
			Paths   []struct {
				Data string `xml:"d,attr"`
			} `xml:"path"`
		}
		if err := xml.Unmarshal(file, &svg); err != nil {
			t.Fatal(err)
		}
		side := picture.Bounds().Dx() / scale
		if svg.Width != scale*side || svg.ViewBox != fmt.Sprintf("0 0 %d %d", side, side) {
			t.Errorf("%d pixels and the view box %q, want %d modules", svg.Width, svg.ViewBox, side)
		}
		dark := map[[2]int]bool{}
		for run := range strings.SplitSeq(svg.Paths[1].Data, "z") {
			var x, y, width, back int
			if n, _ := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &width, &back); n != 4 || width != back {
				if run != "" {
					t.Fatalf("%q is no rectangle", run)
				}
				continue
			}
			for i := range width {
				dark[[2]int{x + i, y}] = true
			}
		}
		for y := range side {
			for x := range side {
				if dark[[2]int{x, y}] != isDark(picture, scale*x, scale*y) {
					t.Fatalf("%d characters: module (%d, %d) differs", len(content), x, y)
				}
			}
		}
	}
}

func TestSVGRefusesWhatNoSymbolHolds(t *testing.T) {
	for _, content := range []string{"", strings.Repeat("a", 2332)} {
		if _, err := SVG(content); !errors.Is(err, ErrContent) {
			t.Errorf("%d characters: %v, want %v", len(content), err, ErrContent)
		}
	}
}
