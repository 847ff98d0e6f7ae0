package qr

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	zxing "github.com/makiuchi-d/gozxing/qrcode"
	"github.com/skip2/go-qrcode"

	"mfa-enrollment/test/long"
	"mfa-enrollment/test/program"
)

func decodePNG(t *testing.T, content string) (image.Image, []byte) {
	t.Helper()
	file, err := PNG(content)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(file)) // which checks the checksums too
	if err != nil {
		t.Fatalf("%q: %v", content, err)
	}
	return picture, file
}

func isDark(picture image.Image, x, y int) bool {
	return color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y < 0x80
}

func TestPNGIsOneBitDeepWithAQuietZoneAndWholeModules(t *testing.T) {
	versions := []int{27, 34, 40}
	for version := 1; version <= maxVersion; version++ {
		versions = append(versions, version)
	}
	capacity := map[int]int{27: 1125, 34: 1722, 40: 2331}
	for _, version := range versions {
		t.Run(fmt.Sprintf("version %d", version), func(t *testing.T) {
			t.Parallel()
			length := capacity[version]
			if version <= maxVersion {
				length = levelM[version].dataCodewords() - 3
			}
			content := strings.Repeat("aZ9?", length)[:length]
			picture, file := decodePNG(t, content)
			if depth := file[24]; depth != 1 { // the fifth field of IHDR
				t.Errorf("%d bits a pixel, want 1", depth)
			}
			code, err := qrcode.New(content, qrcode.Medium)
			if err != nil || code.VersionNumber != version {
				t.Fatalf("go-qrcode: version %d, want %d: %v", code.VersionNumber, version, err)
			}
			modules := code.Bitmap() // with four light modules on every side
			if got, want := picture.Bounds(), image.Rect(0, 0, scale*len(modules), scale*len(modules)); got != want {
				t.Fatalf("the picture is %v, want %v", got, want)
			}
			for y := range scale * len(modules) {
				for x := range scale * len(modules) {
					if isDark(picture, x, y) != modules[y/scale][x/scale] {
						t.Fatalf("pixel (%d, %d) is not that of its module", x, y)
					}
				}
			}
			for i := range len(modules) {
				for _, j := range []int{0, 1, 2, 3, len(modules) - 4, len(modules) - 1} {
					if modules[i][j] || modules[j][i] {
						t.Fatal("the quiet zone is not light")
					}
				}
			}
		})
	}
}

func TestPNGOfAUsualURIIsSmallOnTheWireAndRightOnTheScreen(t *testing.T) {
	for _, test := range []struct {
		issuer, account string
		modules         int
	}{
		{"Acme", "ada", 37},
		{"Example", "ada@example.com", 41},
		{"Acme Corp.", "ada@example.com", 45},
		{"Wunderbar", "ada.lovelace@example.com", 45},
		{"Wunderbar", "augusta.ada.king.lovelace@example.com", 49},
	} {
		picture, file := decodePNG(t, uriOf(t, Key{test.issuer, test.account, secret}))
		if got, want := picture.Bounds().Dx(), scale*(test.modules+2*quiet); got != want {
			t.Errorf("%s:%s is %d pixels wide, want %d for %d modules", test.issuer, test.account, got, want, test.modules)
		}
		if len(file) > 1100 {
			t.Errorf("%s:%s takes %d bytes, want 1100 at most", test.issuer, test.account, len(file))
		}
	}
}

func TestPNGAllocatesLittle(t *testing.T) {
	uri := uriOf(t, Key{"Acme Corp.", "grace.h@example.org", secret})
	if allocations := testing.AllocsPerRun(100, func() { _, _ = PNG(uri) }); allocations > 2 {
		t.Errorf("%v allocations, want 2 at most", allocations)
	}
}

func TestPNGRefusesWhatNoSymbolHolds(t *testing.T) {
	for _, content := range []string{"", strings.Repeat("a", 2332)} {
		if _, err := PNG(content); !errors.Is(err, ErrContent) {
			t.Errorf("%d characters: %v, want %v", len(content), err, ErrContent)
		}
	}
}

// TestOtherDecodersReadThePictures reads random keys back, first with gozxing, then with ZBar.
func TestOtherDecodersReadThePictures(t *testing.T) {
	r := random(t, 0)
	folder := t.TempDir()
	var uris, files []string
	for i := range long.Or(40, 500) {
		uris = append(uris, uriOf(t, randomKey(t, r)))
		files = append(files, filepath.Join(folder, fmt.Sprintf("%03d.png", i)))
	}
	t.Run("gozxing", func(t *testing.T) {
		for i, uri := range uris {
			picture, file := decodePNG(t, uri)
			if err := os.WriteFile(files[i], file, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := readByZXing(picture); err != nil || got != uri {
				t.Errorf("%d characters read as %q: %v, want %q", len(uri), got, err, uri)
			}
		}
	})
	t.Run("ZBar", func(t *testing.T) {
		zbarimg := program.Find(t, "zbarimg")
		options := []string{"--quiet", "--raw", "--nodbus", "-S*.enable=0", "-Sqrcode.enable=1"}
		out, err := exec.CommandContext(t.Context(), zbarimg, append(options, files...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		read := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if len(read) != len(uris) {
			t.Fatalf("%d of %d pictures were read", len(read), len(uris))
		}
		for i, uri := range uris {
			if read[i] != uri {
				t.Errorf("read as %q, want %q", read[i], uri)
			}
		}
	})
}

// readByZXing reads a picture which is nothing but a code: to find a code in a photograph is another task, at which
// this port of ZXing fails with one large symbol in ten, whoever drew it.
func readByZXing(picture image.Image) (string, error) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	result, err := zxing.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_PURE_BARCODE: true,
	})
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

func BenchmarkQR(b *testing.B) {
	uri := uriOf(b, Key{"Acme Corp.", "grace.h@example.org", secret})
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := PNG(uri); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("go-qrcode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := qrcode.Encode(uri, qrcode.Medium, 256); err != nil {
				b.Fatal(err)
			}
		}
	})
}
