package app_test

import (
	"net/http"
	"strings"
	"testing"

	"mfa-enrollment/test/world"
)

func picture(w *world.World, token string, accept ...string) world.Reply {
	w.T.Helper()
	return w.Do(world.Request{Method: "GET", Path: "/v1/mfa/totp/qr", Token: token, Header: http.Header{"Accept": accept}})
}

func TestAcceptChoosesThePicture(t *testing.T) {
	t.Parallel()
	const png, svg = "image/png", "image/svg+xml"
	w := world.New(t, nil)
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	uri := w.Begin(token, nil).JSON(t)["otpauthUri"]
	before := w.Cognito.Calls("")
	for _, test := range []struct {
		accept []string
		want   string // empty: 406
	}{
		{nil, png},
		{[]string{""}, png},
		{[]string{"*/*"}, png},
		{[]string{"image/*"}, png},
		{[]string{"IMAGE/PNG"}, png},
		{[]string{"image/svg+xml"}, svg},
		{[]string{"image/svg+xml;q=0.5, image/png;q=0.4"}, svg},
		{[]string{"image/svg+xml", "image/png"}, png},
		{[]string{"image/png;q=0, */*"}, svg},
		{[]string{"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"}, png},
		{[]string{"garbage, image/svg+xml"}, svg},
		{[]string{"text/html"}, ""},
		{[]string{"application/json"}, ""},
		{[]string{"*/*;q=0"}, ""},
	} {
		t.Run(strings.Join(test.accept, " + "), func(t *testing.T) {
			r := picture(w, token, test.accept...)
			if test.want == "" {
				if r.Status != 406 || r.Code(t) != "not_acceptable" {
					t.Errorf("status %d: %s", r.Status, r.Body)
				}
				return
			}
			if got := r.Header.Get("Content-Type"); got != test.want || r.Status != 200 {
				t.Fatalf("status %d, Content-Type %q, want %q", r.Status, got, test.want)
			}
			if r.Header.Get("Cache-Control") != "no-store" {
				t.Error("a cache may keep it")
			}
			if test.want == png && scan(t, r.Body) != uri {
				t.Error("the picture does not say the otpauth URI")
			}
			if test.want == svg && !strings.HasPrefix(string(r.Body), "<svg ") {
				t.Error("no SVG")
			}
		})
	}
	if w.Cognito.Calls("") != before {
		t.Error("a picture cost a call")
	}
	if n := strings.Count(w.Log.String(), `"change":"totp_shown"`); n != 12 {
		t.Errorf("%d of the 11 pictures and the start are audited", n)
	}
	if r := picture(w, w.Token(world.Optional, world.OptionalClient, "linus")); r.Status != 409 || r.Code(t) != "no_pending_enrollment" {
		t.Errorf("another person: status %d: %s", r.Status, r.Body)
	}
	if r := picture(w, ""); r.Status != 401 {
		t.Errorf("without a token: status %d", r.Status)
	}
}

func TestWithoutAStoreThereIsNoPicture(t *testing.T) {
	t.Parallel()
	w := world.New(t, map[string]string{"PENDING_TTL": "0"})
	token := w.Token(world.Optional, world.OptionalClient, "ada")
	w.Begin(token, nil)
	if r := picture(w, token); r.Status != 409 || r.Code(t) != "no_pending_enrollment" {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
}
