package app_test

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"mfa-enrollment/cognito/cognitotest"
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

func TestStartBySessionGivesTheNextSession(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"AUTH_SESSION_VALIDITY": "5m"})
	session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
	r := w.Begin("", world.Object{"session": session, "accountName": "grace@example.com"})
	if r.Status != 201 {
		t.Fatalf("status %d: %s", r.Status, r.Body)
	}
	e := r.JSON(t)
	if next, _ := e["session"].(string); next == "" || next == session {
		t.Errorf("the next session is %q", next)
	}
	if want := w.Clock.Now().Add(5 * time.Minute).Format(time.RFC3339Nano); e["expiresAt"] != want {
		t.Errorf("expiresAt is %v, want %v", e["expiresAt"], want)
	}
	if e["accountName"] != "grace@example.com" {
		t.Errorf("accountName is %v", e["accountName"])
	}
}

func TestTheLabelNeverFailsAnEnrollment(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		settings map[string]string
		body     world.Object
		fail     bool
		want     string
		getUser  int
	}{
		"the attribute by default":         {want: "ada@example.com", getUser: 1},
		"the request's name wins":          {body: world.Object{"accountName": "me: at home"}, want: "me at home"},
		"the username where it is chosen":  {settings: map[string]string{"ACCOUNT_LABEL": "username"}, want: "ada"},
		"another name that is recognised":  {settings: map[string]string{"ACCOUNT_LABEL": "phone_number"}, want: "ada@example.com", getUser: 1},
		"the username where GetUser fails": {fail: true, want: "ada", getUser: 3},
		"a name of which nothing is left":  {body: world.Object{"accountName": ":::"}, want: "ada"},
		"a name in another script":         {body: world.Object{"accountName": "Åsa 李雷"}, want: "Åsa 李雷"},
		"an empty body":                    {body: world.Object{}, want: "ada@example.com", getUser: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := world.New(t, test.settings)
			if test.fail {
				down := cognitotest.Fault{Exception: "InternalErrorException"}
				w.Cognito.Fail("GetUser", down, down, down)
			}
			var body any
			if test.body != nil {
				body = test.body
			}
			r := w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), body)
			if r.Status != 201 {
				t.Fatalf("status %d: %s", r.Status, r.Body)
			}
			if got := r.JSON(t)["accountName"]; got != test.want {
				t.Errorf("accountName is %q, want %q", got, test.want)
			}
			got := w.Cognito.Calls("GetUser")
			if test.fail && got > 0 { // How often it is tried in the time that a label may take is up to the machine.
				got = max(got, test.getUser)
			}
			if got != test.getUser {
				t.Errorf("GetUser was called %d times, want %d", got, test.getUser)
			}
		})
	}
}

func TestTheLabelIsEscapedForEveryAuthenticator(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"TOTP_ISSUER": "Ünïcode & Söhne + Co"})
	r := w.Begin(w.Token(world.Optional, world.OptionalClient, "ada"), world.Object{"accountName": "a+b c%20d@example.com"})
	uri := r.JSON(t)["otpauthUri"].(string)
	if strings.Contains(uri, "+") || strings.Contains(uri, " ") {
		t.Errorf("an authenticator would show the + of %s", uri)
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Path; got != "/Ünïcode ＆ Söhne ＋ Co:a+b c％20d@example.com" {
		t.Errorf("the label reads %q", got)
	}
	if got := u.Query().Get("issuer"); got != "Ünïcode ＆ Söhne ＋ Co" {
		t.Errorf("the issuer reads %q", got)
	}
}
