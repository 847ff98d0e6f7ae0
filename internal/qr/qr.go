// Package qr makes what a person scans: the otpauth URI of a TOTP secret and its picture, a QR code in a PNG.
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
// Four pixels make 212 to 276 of the symbols that usual URIs need (versions 7 to 11), and let one byte of a 1-bit
// picture hold exactly two modules, on which png.go builds.
const scale = 4

// quiet is the light margin around a symbol, in modules (ISO/IEC 18004 §6.3.8).
const quiet = 4

// PNG draws content as a QR code: a black-on-white 1-bit PNG, error correction level M, a quiet zone of four modules,
// every module four pixels square.
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
