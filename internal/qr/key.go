package qr

import (
	"errors"
	"fmt"
	"io"
)

// Why a [Key] has no URI.
// None of these errors holds what was submitted.
var (
	ErrIssuer      = errors.New("qr: the issuer is empty or not as CleanIssuer gives it")
	ErrAccountName = errors.New("qr: the account name is empty or not as CleanAccountName gives it")
	ErrSecret      = errors.New("qr: the secret is not 16 to 128 characters of base32")
)

// Limits of a secret, in characters: the least that Cognito's SecretCodeType allows (it gives 52), and more than any
// HMAC-SHA-1 key is worth (RFC 2104 §3 hashes keys over 64 bytes, 103 characters).
const (
	minSecret = 16
	maxSecret = 128
)

// A Key is what an authenticator app has to know of a TOTP key, the rest being what Cognito uses: SHA-1, six digits,
// thirty seconds.
// Its issuer and account name are what the app will show.
type Key struct {
	Issuer      string
	AccountName string
	Secret      string `json:"-"` // base32 without padding
}

// NewKey gives the key of a secret with both labels cleaned, by [CleanIssuer] and [CleanAccountName].
// The error is [ErrIssuer] or [ErrAccountName] where nothing is left of one, or [ErrSecret].
func NewKey(issuer, accountName, secret string) (Key, error) {
	k := Key{CleanIssuer(issuer), CleanAccountName(accountName), secret}
	if err := k.check(); err != nil {
		return Key{}, err
	}
	return k, nil
}

// URI gives the key in Google's Key Uri Format, which authenticator apps read from a QR code or open as a link
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format):
//
//	otpauth://totp/ISSUER:ACCOUNT?secret=SECRET&issuer=ISSUER
//
// The algorithm, the digits and the period are left out: every app takes SHA-1, six digits and thirty seconds where the
// URI does not say, and without them the picture of a usual name has 41 modules a side and not 49.
// It is ASCII: everything but unreserved characters is percent-encoded (RFC 3986 §2.3), a space as %20, since apps
// show a + as it is; the colon between issuer and account name alone is literal.
// URI changes nothing: labels that are not clean, as those of [NewKey] are, give [ErrIssuer] or [ErrAccountName], and
// a secret which is not base32 gives [ErrSecret].
// [PNG] and [SVG] can draw every URI, the longest as version 34.
func (k Key) URI() (string, error) {
	if err := k.check(); err != nil {
		return "", err
	}
	const room = len("otpauth://totp/:?secret=&issuer=")
	uri := make([]byte, 0, room+3*(2*len(k.Issuer)+len(k.AccountName))+len(k.Secret))
	uri = append(uri, "otpauth://totp/"...)
	uri = appendEscaped(uri, k.Issuer)
	uri = append(uri, ':')
	uri = appendEscaped(uri, k.AccountName)
	uri = append(uri, "?secret="...)
	uri = append(uri, k.Secret...)
	uri = append(uri, "&issuer="...)
	uri = appendEscaped(uri, k.Issuer)
	return string(uri), nil
}

func (k Key) check() error {
	switch {
	case k.Issuer == "" || k.Issuer != CleanIssuer(k.Issuer):
		return ErrIssuer
	case k.AccountName == "" || k.AccountName != CleanAccountName(k.AccountName):
		return ErrAccountName
	case !isSecret(k.Secret):
		return ErrSecret
	}
	return nil
}

// isSecret tells whether apps can read s as base32 without padding (RFC 4648 §6), in which they take either case.
func isSecret(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && (s[i] < '2' || s[i] > '7') {
			return false
		}
	}
	return minSecret <= len(s) && len(s) <= maxSecret
}

// appendEscaped appends s with everything but the unreserved characters of RFC 3986 §2.3 percent-encoded, the hex
// digits in capitals as §2.1 asks, which a QR code also holds in less space.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// Format keeps the secret, and the person's account name with it, out of whatever fmt and log/slog print.
func (k Key) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "[redacted]")
}
