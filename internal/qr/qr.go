// Package qr makes what a person scans: the otpauth URI of a TOTP secret and its picture, a QR code as a PNG or an SVG.
//
// The symbols are those of ISO/IEC 18004:2015 at error correction level M.
// Versions 1 to 26, which hold about a kilobyte, are built here, a row of modules in a machine word and the work
// that depends on the version alone done once; github.com/skip2/go-qrcode draws the few that are larger.
// Inside that range the modules are those that go-qrcode would give, data mask included: it is the judge of this
// package's tests.
package qr

import (
	"errors"

	"github.com/skip2/go-qrcode"
)

// ErrContent says that a content is empty, or longer than any QR code of level M holds (2,331 bytes, ISO/IEC 18004
// Table 7).
// A content that [Key.URI] gave is neither.
var ErrContent = errors.New("qr: the content is empty or too long for a QR code")

// scale is the side of a module in pixels.
// Six pixels can be scanned at arm's length off a laptop's screen, which four could not (scan_test.go), and make 270 to
// 342 of the symbols that usual URIs need (versions 5 to 8). png.go builds on four modules being three bytes.
const scale = 6

// quiet is the light margin around a symbol, in modules (ISO/IEC 18004 §6.3.8).
const quiet = 4

// PNG draws content as a QR code: a black-on-white 1-bit PNG, error correction level M, a quiet zone of four modules,
// every module six pixels square.
// A longer content makes a larger picture, never a finer one.
// The only error is [ErrContent].
func PNG(content string) ([]byte, error) {
	var g grid
	if p := g.draw(content); p != nil {
		return p.png(&g), nil
	}
	code, err := qrcode.New(content, qrcode.Medium)
	if err != nil {
		return nil, ErrContent
	}
	return code.PNG(-scale) // a negative size counts pixels a module
}
