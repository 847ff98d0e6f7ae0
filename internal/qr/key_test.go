package qr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/pquerna/otp"
)

func TestURI(t *testing.T) {
	tests := []struct {
		name            string
		issuer, account string
		want            string
	}{
		{
			"keeps unreserved characters",
			"Acme-Corp_1.0~", "ada",
			"otpauth://totp/Acme-Corp_1.0~:ada?secret=" + secret + "&issuer=Acme-Corp_1.0~",
		},
		{
			"encodes a space as %20 and an at sign as %40",
			"Acme Corp", "ada@example.com",
			"otpauth://totp/Acme%20Corp:ada%40example.com?secret=" + secret + "&issuer=Acme%20Corp",
		},
		{
			"encodes what has a meaning in a URI",
			"A/B@C", "x/y=z+1",
			"otpauth://totp/A%2FB%40C:x%2Fy%3Dz%2B1?secret=" + secret + "&issuer=A%2FB%40C",
		},
		{
			"has a look-alike for what some apps would cut the URI at",
			"A&B+", "50%?#1",
			"otpauth://totp/A%EF%BC%86B%EF%BC%8B:50%EF%BC%85%EF%BC%9F%EF%BC%831?secret=" + secret + "&issuer=A%EF%BC%86B%EF%BC%8B",
		},
		{
			"encodes UTF-8",
			"Café", "Ωμέγα 🔐",
			"otpauth://totp/Caf%C3%A9:%CE%A9%CE%BC%CE%AD%CE%B3%CE%B1%20%F0%9F%94%90?secret=" + secret + "&issuer=Caf%C3%A9",
		},
		{
			"has one colon in the label",
			"Acme: Login", "urn:user:ada",
			"otpauth://totp/Acme%20Login:urn%20user%20ada?secret=" + secret + "&issuer=Acme%20Login",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			key, err := NewKey(test.issuer, test.account, secret)
			if err != nil {
				t.Fatal(err)
			}
			uri := uriOf(t, key)
			if uri != test.want {
				t.Errorf("%s, want\n%s", uri, test.want)
			}
			readsBack(t, key, uri)
		})
	}
}

func TestURIOfRandomLabelsReadsBack(t *testing.T) {
	r := random(t, 0)
	for range 2000 {
		key := randomKey(t, r)
		readsBack(t, key, uriOf(t, key))
	}
}

// readsBack fails unless uri means key to net/url and to pquerna/otp.
func readsBack(t *testing.T, key Key, uri string) {
	t.Helper()
	parsed, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"secret": {key.Secret}, "issuer": {key.Issuer}}
	if got, want := query.Encode(), want.Encode(); got != want {
		t.Errorf("%s has the query\n%s, want\n%s", uri, got, want)
	}
	if got, want := parsed.Path, "/"+key.Issuer+":"+key.AccountName; got != want {
		t.Errorf("%s has the path %q, want %q", uri, got, want)
	}
	if n := strings.Count(parsed.Path, ":"); n != 1 {
		t.Errorf("%s has %d colons in its label, encoded ones included, want 1", uri, n)
	}
	app, err := otp.NewKeyFromURL(uri)
	if err != nil {
		t.Fatal(err)
	}
	if app.Type() != "totp" || app.Issuer() != key.Issuer || app.AccountName() != key.AccountName ||
		app.Secret() != key.Secret || app.Period() != 30 || app.Digits() != otp.DigitsSix ||
		app.Algorithm() != otp.AlgorithmSHA1 {
		t.Errorf("an app reads %s as %s:%s", uri, app.Issuer(), app.AccountName())
	}
}

func TestURIRefusesWhatNoAppReads(t *testing.T) {
	tests := []struct {
		name string
		key  Key
		want error
	}{
		{"no issuer", Key{"", "ada", secret}, ErrIssuer},
		{"a colon in the issuer", Key{"Acme: Login", "ada", secret}, ErrIssuer},
		{"an issuer that is too long", Key{strings.Repeat("a", MaxIssuer+1), "ada", secret}, ErrIssuer},
		{"an issuer that is not UTF-8", Key{"Acme\xff", "ada", secret}, ErrIssuer},
		{"no account name", Key{"Acme", "", secret}, ErrAccountName},
		{"a colon in the account name", Key{"Acme", "a:b", secret}, ErrAccountName},
		{"a question mark in the account name", Key{"Acme", "a?b", secret}, ErrAccountName},
		{"a plus sign in the issuer", Key{"Acme+", "ada", secret}, ErrIssuer},
		{"a line break in the account name", Key{"Acme", "a\nb", secret}, ErrAccountName},
		{"an account name that is too long", Key{"Acme", strings.Repeat("a", MaxAccountName+1), secret}, ErrAccountName},
		{"no secret", Key{"Acme", "ada", ""}, ErrSecret},
		{"a short secret", Key{"Acme", "ada", secret[:15]}, ErrSecret},
		{"a long secret", Key{"Acme", "ada", strings.Repeat("A", 129)}, ErrSecret},
		{"a digit which is not base32", Key{"Acme", "ada", secret[:51] + "1"}, ErrSecret},
		{"a padded secret", Key{"Acme", "ada", secret[:48] + "===="}, ErrSecret},
		{"a parameter in the secret", Key{"Acme", "ada", secret + "&issuer=Evil"}, ErrSecret},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			uri, err := test.key.URI()
			if !errors.Is(err, test.want) || uri != "" {
				t.Fatalf("URI() = %q, %v, want %v", uri, err, test.want)
			}
			if strings.Contains(err.Error(), secret[:15]) {
				t.Errorf("%q holds the secret", err)
			}
		})
	}
}

func TestURITakesASecretInEitherCase(t *testing.T) {
	for _, s := range []string{secret, strings.ToLower(secret), secret[:16]} {
		key := Key{"Acme", "ada", s}
		readsBack(t, key, uriOf(t, key))
	}
}

func TestNewKeyTellsWhatIsWrong(t *testing.T) {
	tests := []struct {
		name                    string
		issuer, account, secret string
		want                    error
	}{
		{"nothing left of the issuer", " : ", "ada", secret, ErrIssuer},
		{"nothing left of the account name", "Acme", "\x00\u202e", secret, ErrAccountName},
		{"a secret which is not base32", "Acme", "ada", "hunter2", ErrSecret},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			key, err := NewKey(test.issuer, test.account, test.secret)
			if !errors.Is(err, test.want) || key != (Key{}) {
				t.Errorf("NewKey() = %+v, %v, want %v", key, err, test.want)
			}
		})
	}
}

func TestThePictureHoldsTheLongestURI(t *testing.T) {
	for _, character := range []string{"a", " a", "é", "Ж", "字", "😀"} {
		many := strings.Repeat(character, 200)
		key, err := NewKey(many, many, strings.Repeat("A", maxSecret))
		if err != nil {
			t.Fatal(err)
		}
		uri := uriOf(t, key)
		picture, _ := decodePNG(t, uri)
		if got, longest := picture.Bounds().Dx(), scale*(17+4*34+2*quiet); got > longest {
			t.Errorf("%q: %d pixels, want the %d of version 34 at most", character, got, longest)
		}
		if got, err := readByZXing(picture); err != nil || got != uri {
			t.Errorf("%q reads as %q, %v", character, got, err)
		}
	}
}

func TestAKeyIsNotPrinted(t *testing.T) {
	key := Key{"Acme", "ada", secret}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", slog.Any("key", key), slog.Any("pointer", &key))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("JSON", slog.Any("key", key), slog.Any("pointer", &key))
	encoded, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %d", key, key, key, key, &key, key, key)
	for _, text := range []string{printed, string(encoded), log.String()} {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("%s holds the secret", text)
		}
	}
}
