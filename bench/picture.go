package main

import (
	"bytes"
	"fmt"
	"image/png"
	"io"
	"testing"

	"github.com/pquerna/otp"
	"github.com/skip2/go-qrcode"
	rsc "rsc.io/qr"

	"mfa-enrollment/internal/qr"
)

// uri is a usual one: Cognito's secrets have 52 characters.
const uri = "otpauth://totp/Acme%20Corp.:ada.lovelace%40example.com?secret=" +
	"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSW&issuer=Acme%20Corp."

// A drawer makes the PNG of a URI.
type drawer struct {
	name string
	draw func() ([]byte, error)
}

func drawers() []drawer {
	return []drawer{
		{"this service (internal/qr)", func() ([]byte, error) { return qr.PNG(uri) }},
		{"go-qrcode, Encode(…, Medium, 256)", func() ([]byte, error) { return qrcode.Encode(uri, qrcode.Medium, 256) }},
		{"pquerna/otp (boombuler), Image(256, 256)", otpPicture},
		{"rsc.io/qr, Encode(…, M)", func() ([]byte, error) {
			code, err := rsc.Encode(uri, rsc.M)
			if err != nil {
				return nil, err
			}
			return code.PNG(), nil
		}},
	}
}

func otpPicture() ([]byte, error) {
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		return nil, err
	}
	picture, err := key.Image(256, 256)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	err = png.Encode(&file, picture)
	return file.Bytes(), err
}

// pictures measures the drawers in turn, rounds times, and prints the medians.
func pictures(w io.Writer, rounds int) error {
	list := drawers()
	times := make([][]float64, len(list))
	memory := make([]testing.BenchmarkResult, len(list))
	for range rounds {
		for i, d := range list {
			var failed error
			memory[i] = testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, failed = d.draw(); failed != nil {
						b.FailNow()
					}
				}
			})
			if failed != nil {
				return fmt.Errorf("%s: %w", d.name, failed)
			}
			times[i] = append(times[i], float64(memory[i].T.Nanoseconds())/float64(memory[i].N)/1e3)
		}
	}
	ours := median(times[0])
	fmt.Fprintf(w, "| the picture | time | times ours | allocations | allocated | PNG |\n|---|---:|---:|---:|---:|---:|\n")
	for i, d := range list {
		file, err := d.draw()
		if err != nil {
			return err
		}
		t := median(times[i])
		fmt.Fprintf(w, "| %s | %.1f µs | %.1f | %d | %.1f KiB | %d B |\n", d.name, t, t/ours,
			memory[i].AllocsPerOp(), float64(memory[i].AllocedBytesPerOp())/1024, len(file))
	}
	return nil
}
