package handlers

import (
	"mime"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// The media types of requests and of pictures.
const (
	typeJSON = "application/json"
	typePNG  = "image/png"
	typeSVG  = "image/svg+xml"
)

// negotiate chooses the offer that an Accept header likes best (RFC 9110
// §12.5.1): the most specific range that matches an offer gives its quality,
// the highest quality wins, and among equals the first offer. No header, or an empty
// one, accepts everything. The answer is empty when nothing fits. A range that cannot be
// read is passed over.
func negotiate(accept []string, offers ...string) string {
	if strings.TrimSpace(strings.Join(accept, "")) == "" {
		return offers[0]
	}
	best, bestQuality := "", 0.0
	for _, offer := range offers {
		if q := quality(accept, offer); q > bestQuality {
			best, bestQuality = offer, q
		}
	}
	return best
}

// quality is the weight that the header gives to one offer, 0 to 1.
func quality(accept []string, offer string) float64 {
	specificity, q := 0, 0.0
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			mediaRange, parameters, err := mime.ParseMediaType(item)
			if err != nil {
				continue
			}
			if s := matches(mediaRange, offer); s > specificity {
				if weight, ok := weightOf(parameters); ok {
					specificity, q = s, weight
				}
			}
		}
	}
	return q
}

// matches tells how specifically a range names an offer: 3 by name, 2 by type,
// 1 as */*, 0 not at all.
func matches(mediaRange, offer string) int {
	kind, _, _ := strings.Cut(offer, "/")
	switch mediaRange {
	case offer:
		return 3
	case kind + "/*":
		return 2
	case "*/*":
		return 1
	}
	return 0
}

func weightOf(parameters map[string]string) (float64, bool) {
	text, ok := parameters["q"]
	if !ok {
		return 1, true
	}
	q, err := strconv.ParseFloat(text, 64)
	return q, err == nil && q >= 0 && q <= 1
}

// accepted is what the request's Accept header makes of the offers; none is 406.
func accepted(accept []string, offers ...string) (string, error) {
	if t := negotiate(accept, offers...); t != "" {
		return t, nil
	}
	return "", echo.ErrNotAcceptable
}
