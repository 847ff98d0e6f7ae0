package cognito

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"mfa-enrollment/internal/enroll"
)

// lastDate is the last second of the year 9999 (RFC 3339 knows no later one).
// It keeps sums of dates and durations far from overflow.
const lastDate = 253402300799

// checkHeader refuses, before anything costly, what can't be an access token of
// Cognito's: its header has alg RS256, a kid, and nothing to choose a key by
// but that.
func checkHeader(token string) error {
	if len(token) > maxTokenBytes {
		return enroll.Fail(enroll.InvalidToken, ReasonTooLarge)
	}
	// Go's base64 decoder skips line breaks, so a token could be spelt in many
	// ways if it were left to it.
	if strings.TrimLeft(token, jwtAlphabet) != "" {
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	}
	header, err := readHeader(token)
	if err != nil {
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	}
	switch strings.Count(token, ".") {
	case 2: // JWS, RFC 7515 §7.1
	case 4: // JWE, RFC 7516 §7.1: Cognito's refresh tokens are encrypted
		if enc, _ := header.text("enc"); enc != "" {
			return enroll.Fail(enroll.WrongTokenUse, ReasonRefreshToken)
		}
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	default:
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	}
	if alg, _ := header.text("alg"); alg != jwt.SigningMethodRS256.Alg() {
		return enroll.Fail(enroll.InvalidToken, ReasonNotRS256)
	}
	// An extension that is not understood must be refused (RFC 7515 §4.1.11),
	// and a token has no say in where its key comes from.
	for _, name := range []string{"crit", "jku", "jwk", "x5u", "x5c"} {
		if _, ok := header[name]; ok {
			return enroll.Fail(enroll.InvalidToken, ReasonForbiddenHeader)
		}
	}
	if kid, _ := header.text("kid"); kid == "" {
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	}
	return nil
}

// jwtAlphabet is all that a compact JWS or JWE is written with: base64url (RFC
// 4648 §5) and dots.
const jwtAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

func readHeader(token string) (object, error) {
	segment, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return nil, err
	}
	return readObject(text)
}

// accessClaims are the claims of an access token that the service reads. A
// claim of the wrong type makes the token malformed; one that is missing is
// left empty.
type accessClaims struct {
	jwt.RegisteredClaims
	tokenUse, clientID, username, scope string
	authTime                            *jwt.NumericDate
}

// UnmarshalJSON implements json.Unmarshaler, so that golang-jwt reads claims by
// this package's rules: names are exact and occur once, dates are plain
// integers.
func (c *accessClaims) UnmarshalJSON(text []byte) error {
	claims, err := readObject(text)
	if err != nil {
		return err
	}
	for _, claim := range []struct {
		name string
		to   *string
	}{
		{"iss", &c.Issuer},
		{"sub", &c.Subject},
		{"username", &c.username},
		{"client_id", &c.clientID},
		{"token_use", &c.tokenUse},
		{"scope", &c.scope},
	} {
		if *claim.to, err = claims.text(claim.name); err != nil {
			return err
		}
	}
	for _, claim := range []struct {
		name string
		to   **jwt.NumericDate
	}{
		{"exp", &c.ExpiresAt},
		{"nbf", &c.NotBefore},
		{"iat", &c.IssuedAt},
		{"auth_time", &c.authTime},
	} {
		if *claim.to, err = claims.date(claim.name); err != nil {
			return err
		}
	}
	return nil
}

// object is a JSON object whose names are exact and occur once. RFC 7519 §4
// lets a reader refuse a claim that occurs twice or take the last; refusing it
// keeps two readers of one token from seeing two different ones.
type object map[string]any

var errNotStrict = errors.New("not a JSON object with names that occur once and values of the expected types")

func readObject(text []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // keeps a date as it is written
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errNotStrict
	}
	o := object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errNotStrict
		}
		key, ok := name.(string)
		if _, twice := o[key]; !ok || twice {
			return nil, errNotStrict
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, errNotStrict
		}
		o[key] = value
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, errNotStrict
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotStrict
	}
	return o, nil
}

// text returns a string, or the empty string where there is none of the name.
func (o object) text(name string) (string, error) {
	value, ok := o[name]
	if !ok {
		return "", nil
	}
	s, ok := value.(string)
	if !ok {
		return "", errNotStrict
	}
	return s, nil
}

// date returns a NumericDate (RFC 7519 §2), or nil where there is none of the
// name. Cognito writes whole seconds; fractions, exponents and years beyond
// 9999 are refused.
func (o object) date(name string) (*jwt.NumericDate, error) {
	value, ok := o[name]
	if !ok {
		return nil, nil
	}
	number, ok := value.(json.Number)
	if !ok {
		return nil, errNotStrict
	}
	seconds, err := strconv.ParseUint(number.String(), 10, 63)
	if err != nil || seconds > lastDate {
		return nil, errNotStrict
	}
	return jwt.NewNumericDate(time.Unix(int64(seconds), 0).UTC()), nil
}
