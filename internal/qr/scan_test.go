package qr

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	zxing "github.com/makiuchi-d/gozxing/qrcode"
	"github.com/skip2/go-qrcode"

	"mfa-enrollment/test/long"
)

// What a person holds and looks at: a 13.3-inch laptop whose screen is 1440 CSS pixels and 286 mm wide, and the preview
// of a phone's main camera, 1920 pixels over the angle of a lens of 26 mm before a film of 36 mm.
const (
	screenPixel   = 286.0 / 1440       // mm
	focalLength   = 1920 * 26.0 / 36   // camera pixels
	tilt          = 10 * math.Pi / 180 // the phone is not held quite parallel to the screen
	blur          = 0.8                // standard deviation, in camera pixels: lens, demosaicing, compression
	noise         = 4                  // standard deviation, in 255ths
	dark, light   = 40, 215            // a screen in a lit room
	frame         = 300                // side of what is cut out of the preview, in camera pixels
	samplesInside = 3                  // a side, over the area of a camera pixel
)

// photograph shows a picture in the middle of a light page, at one screen pixel for each of its own, to a phone that is
// so many millimetres away and turned by an angle.
func photograph(picture [][]bool, distance, angle float64, r *rand.Rand) *image.Gray {
	side := float64(len(picture))
	sin, cos := math.Sincos(angle)
	onScreen := func(u, v float64) float64 { // what lies behind a point of the frame
		u, v = u-frame/2, v-frame/2
		x, y := u*cos-v*sin, u*sin+v*cos
		depth := distance / (1 - x*math.Tan(tilt)/focalLength) // of a plane that is tilted around the vertical axis
		x, y = x*depth/focalLength/math.Cos(tilt)/screenPixel+side/2, y*depth/focalLength/screenPixel+side/2
		if x >= 0 && y >= 0 && x < side && y < side && picture[int(y)][int(x)] {
			return dark
		}
		return light
	}
	sharp := make([]float64, frame*frame)
	for v := range frame {
		for u := range frame {
			for i := range samplesInside * samplesInside {
				sharp[v*frame+u] += onScreen(float64(u)+(float64(i%samplesInside)+.5)/samplesInside, float64(v)+(float64(i/samplesInside)+.5)/samplesInside) / (samplesInside * samplesInside)
			}
		}
	}
	photo := image.NewGray(image.Rect(0, 0, frame, frame))
	for i, value := range blurred(blurred(sharp, 1), frame) {
		photo.Pix[i] = uint8(min(max(value+noise*r.NormFloat64(), 0), 255))
	}
	return photo
}

// blurred is one of the two passes of a Gaussian blur: along rows (step 1) or columns (step frame).
func blurred(pixels []float64, step int) []float64 {
	const reach = 3
	out := make([]float64, len(pixels))
	for i := range pixels {
		sum, weights := 0.0, 0.0
		for k := -reach; k <= reach; k++ {
			if at := i + k*step; at >= 0 && at < len(pixels) {
				weight := math.Exp(-float64(k*k) / (2 * blur * blur))
				sum, weights = sum+weight*pixels[at], weights+weight
			}
		}
		out[i] = sum / weights
	}
	return out
}

// findByZXing looks for a code anywhere in a photograph.
func findByZXing(t *testing.T, photo image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(photo)
	if err != nil {
		t.Fatal(err)
	}
	result, err := zxing.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return ""
	}
	return result.GetText()
}

// findByZBar is nil where ZBar is not installed.
func findByZBar(t *testing.T) func(image.Image) string {
	t.Helper()
	zbarimg, err := exec.LookPath("zbarimg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("zbarimg has to be installed in CI (zbar-tools)")
		}
		return nil
	}
	file := filepath.Join(t.TempDir(), "photo.png")
	return func(photo image.Image) string {
		var encoded bytes.Buffer
		if err := png.Encode(&encoded, photo); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, encoded.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ := exec.CommandContext(t.Context(), zbarimg, "--quiet", "--raw", "--nodbus", "-S*.enable=0", "-Sqrcode.enable=1", file).Output()
		return strings.TrimSuffix(string(out), "\n")
	}
}

// TestThePictureIsScannedAtArmsLength photographs the picture of a long e-mail address off a laptop's screen. Four
// pixels a module and a URI with every parameter are there to show that the test can fail.
func TestThePictureIsScannedAtArmsLength(t *testing.T) {
	uri := uriOf(t, Key{"Example", "augusta.ada.king.lovelace@example.com", secret})
	now, _ := decodePNG(t, uri)
	every := uri + "&algorithm=SHA1&digits=6&period=30"
	code, err := qrcode.New(every, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	zbar := findByZBar(t)
	const always = true
	whole := long.Asked()
	for _, test := range []struct {
		name     string
		content  string
		picture  image.Image
		distance float64 // mm
		zxing    [2]int  // of six turns of the phone, 15 degrees apart: at least, at most
		zbar     [2]int
		when     bool // whether it is tried now
	}{
		{"four pixels, every parameter", every, code.Image(-4), 500, [2]int{0, 3}, [2]int{0, 1}, whole},
		{"four pixels, every parameter", every, code.Image(-4), 600, [2]int{0, 0}, [2]int{0, 0}, always},
		{"four pixels, every parameter", every, code.Image(-4), 700, [2]int{0, 0}, [2]int{0, 0}, whole},
		// The port of ZXing misses some large symbols in photographs, whoever drew them.
		{"the picture", uri, now, 500, [2]int{4, 6}, [2]int{6, 6}, whole},
		{"the picture", uri, now, 600, [2]int{4, 6}, [2]int{6, 6}, always},
		{"the picture", uri, now, 700, [2]int{0, 6}, [2]int{0, 6}, whole}, // farther than most arms: told, not promised
	} {
		if !test.when {
			continue
		}
		r := rand.New(rand.NewPCG(uint64(test.distance), 1))
		pixels := darkPixels(test.picture)
		byZXing, byZBar := 0, 0
		for turn := range 6 {
			photo := photograph(pixels, test.distance, float64(turn)*15*math.Pi/180, r)
			if findByZXing(t, photo) == test.content {
				byZXing++
			}
			if zbar != nil && zbar(photo) == test.content {
				byZBar++
			}
		}
		t.Logf("%s, %d pixels wide, %2.0f cm: gozxing %d of 6, ZBar %d of 6", test.name, len(pixels), test.distance/10, byZXing, byZBar)
		if byZXing < test.zxing[0] || byZXing > test.zxing[1] {
			t.Errorf("gozxing: want %d to %d", test.zxing[0], test.zxing[1])
		}
		if zbar != nil && (byZBar < test.zbar[0] || byZBar > test.zbar[1]) {
			t.Errorf("ZBar: want %d to %d", test.zbar[0], test.zbar[1])
		}
	}
}

func darkPixels(picture image.Image) [][]bool {
	pixels := make([][]bool, picture.Bounds().Dy())
	for y := range pixels {
		pixels[y] = make([]bool, picture.Bounds().Dx())
		for x := range pixels[y] {
			pixels[y][x] = isDark(picture, x, y)
		}
	}
	return pixels
}
