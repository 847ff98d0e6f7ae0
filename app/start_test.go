package app_test

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"mfa-enrollment/test/world"
)

func TestStartByTokenGivesQRCodeLinkAndSecret(t *testing.T) {
	t.Parallel()
	w := world.New(t, nil)
	r := w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), nil)
	if r.Status != 201 {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	e := r.JSON(t)
	secret := w.Cognito.PendingSecret(world.Optional, "ada")
	want := map[string]any{
		"secret": secret, "issuer": "Example", "accountName": "ada@example.com",
		"algorithm": "SHA1", "digits": 6.0, "period": 30.0,
		"expiresAt":  w.Clock.Now().Add(15 * time.Minute).Format(time.RFC3339Nano),
		"otpauthUri": "otpauth://totp/Example:ada%40example.com?secret=" + secret + "&issuer=Example",
	}
	for name, value := range want {
		if e[name] != value {
			t.Errorf("%s is %v, want %v", name, e[name], value)
		}
	}
	if e["session"] != nil {
		t.Error("a session in the token flow")
	}
	encoded, ok := strings.CutPrefix(e["qrCode"].(string), "data:image/png;base64,")
	if !ok {
		t.Fatal("qrCode is no data URI")
	}
	picture, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if got := scan(t, picture); got != e["otpauthUri"] {
		t.Errorf("the picture says %q", got)
	}
	for name, value := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := r.Header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	if r.Header.Get("X-Request-Id") == "" {
		t.Error("no request id")
	}
}

// scan reads a QR code with a decoder that is not ours.
func scan(t *testing.T, picture []byte) string {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}
