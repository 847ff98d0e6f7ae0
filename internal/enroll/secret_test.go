package enroll

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestASecretShowsNothingHoweverItIsPrinted(t *testing.T) {
	const hidden = "JBSWY3DPEHPK3PXP"
	type holder struct {
		Value Secret            `json:"value"`
		List  []Secret          `json:"list"`
		Map   map[string]Secret `json:"map"`
	}
	h := holder{Secret(hidden), []Secret{hidden}, map[string]Secret{"a": hidden}}
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
		fmt.Fprintf(&shown, verb+"\n", h)
		fmt.Fprintf(&shown, verb+"\n", Secret(hidden))
		fmt.Fprintf(&shown, verb+"\n", &h)
	}
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(encoded)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("value", Secret(hidden)), slog.Any("holder", h))
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("value", Secret(hidden)), slog.Any("holder", h))
	shown.Write(log.Bytes())
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden)} {
		if strings.Contains(shown.String(), form) {
			t.Errorf("%s is in:\n%s", form, shown.String())
		}
	}
	if !strings.Contains(string(encoded), Redacted) {
		t.Errorf("encoded as %s", encoded)
	}
	if Secret(hidden).Reveal() != hidden {
		t.Error("Reveal does not")
	}
}
