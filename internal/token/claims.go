package token

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
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
	if err != nil || header == nil {
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	}
	switch strings.Count(token, ".") {
	case 2: // JWS, RFC 7515 §7.1
	case 4: // JWE, RFC 7516 §7.1: Cognito's refresh tokens are encrypted
		if enc, _ := text(header.Encryption); enc != "" {
			return enroll.Fail(enroll.WrongTokenUse, ReasonRefreshToken)
		}
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	default:
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	}
	if alg, _ := text(header.Algorithm); alg != jwt.SigningMethodRS256.Alg() {
		return enroll.Fail(enroll.InvalidToken, ReasonNotRS256)
	}
	// An extension that is not understood must be refused (RFC 7515 §4.1.11),
	// and a token has no say in where its key comes from.
	for _, field := range []jsontext.Value{header.Critical, header.JWKSetURL, header.JWK, header.X509URL, header.X509Chain} {
		if field != nil {
			return enroll.Fail(enroll.InvalidToken, ReasonForbiddenHeader)
		}
	}
	if kid, _ := text(header.KeyID); kid == "" {
		return enroll.Fail(enroll.InvalidToken, ReasonMalformed)
	}
	return nil
}

// jwtAlphabet is all that a compact JWS or JWE is written with: base64url (RFC
// 4648 §5) and dots.
const jwtAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

// joseHeader is what the service looks at in a token's header (RFC 7515 §4.1,
// RFC 7516 §4.1). A field that is not there is nil.
type joseHeader struct {
	Algorithm  jsontext.Value `json:"alg"`
	Encryption jsontext.Value `json:"enc"`
	KeyID      jsontext.Value `json:"kid"`
	Critical   jsontext.Value `json:"crit"`
	JWKSetURL  jsontext.Value `json:"jku"`
	JWK        jsontext.Value `json:"jwk"`
	X509URL    jsontext.Value `json:"x5u"`
	X509Chain  jsontext.Value `json:"x5c"`
}

// readHeader reads the first part of a token. A header that is null is nil.
func readHeader(token string) (header *joseHeader, err error) {
	segment, _, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(decoded, &header)
	return header, err
}

// accessClaims are the claims of an access token that the service reads. A
// claim of the wrong type makes the token malformed; one that is missing is
// left empty.
type accessClaims struct {
	jwt.RegisteredClaims
	tokenUse, clientID, username, scope, originJTI string
	authTime                                       *jwt.NumericDate
	groups                                         []string
}

// UnmarshalJSON implements the interface of encoding/json, so that golang-jwt
// reads claims by the rules of json/v2: names are exact and occur once. RFC 7519
// §4 lets a reader refuse a claim that occurs twice or take the last; refusing it
// keeps two readers of one token from seeing two different ones.
func (c *accessClaims) UnmarshalJSON(payload []byte) error {
	var claims struct {
		Issuer    jsontext.Value `json:"iss"`
		Subject   jsontext.Value `json:"sub"`
		Username  jsontext.Value `json:"username"`
		ClientID  jsontext.Value `json:"client_id"`
		TokenUse  jsontext.Value `json:"token_use"`
		Scope     jsontext.Value `json:"scope"`
		OriginJTI jsontext.Value `json:"origin_jti"`
		ExpiresAt jsontext.Value `json:"exp"`
		NotBefore jsontext.Value `json:"nbf"`
		IssuedAt  jsontext.Value `json:"iat"`
		AuthTime  jsontext.Value `json:"auth_time"`
		Groups    jsontext.Value `json:"cognito:groups"`
	}
	err := json.Unmarshal(payload, &claims)
	for _, claim := range []struct {
		value jsontext.Value
		to    *string
	}{
		{claims.Issuer, &c.Issuer},
		{claims.Subject, &c.Subject},
		{claims.Username, &c.username},
		{claims.ClientID, &c.clientID},
		{claims.TokenUse, &c.tokenUse},
		{claims.Scope, &c.scope},
		{claims.OriginJTI, &c.originJTI},
	} {
		if err == nil {
			*claim.to, err = text(claim.value)
		}
	}
	for _, claim := range []struct {
		value jsontext.Value
		to    **jwt.NumericDate
	}{
		{claims.ExpiresAt, &c.ExpiresAt},
		{claims.NotBefore, &c.NotBefore},
		{claims.IssuedAt, &c.IssuedAt},
		{claims.AuthTime, &c.authTime},
	} {
		if err == nil {
			*claim.to, err = date(claim.value)
		}
	}
	c.groups = list(claims.Groups)
	return err
}

var errWrongType = errors.New("a value of another type than expected")

// text is a string, or the empty string where there is no value. What is null
// is of another type.
func text(value jsontext.Value) (string, error) {
	if value == nil {
		return "", nil
	}
	if value.Kind() != jsontext.KindString {
		return "", errWrongType
	}
	unquoted, err := jsontext.AppendUnquote(nil, value)
	return string(unquoted), err
}

// list is a list of strings, and empty where there is something else: groups only
// decide what a person is advised to do, and refusing the token would be more than
// that.
func list(value jsontext.Value) (texts []string) {
	if value == nil || json.Unmarshal(value, &texts) != nil {
		return nil
	}
	return texts
}

// date is a NumericDate (RFC 7519 §2), or nil where there is no value. Cognito
// writes whole seconds; fractions, exponents and years beyond 9999 are refused.
func date(value jsontext.Value) (*jwt.NumericDate, error) {
	if value == nil {
		return nil, nil
	}
	seconds, err := strconv.ParseUint(string(value), 10, 63)
	if err != nil || seconds > lastDate {
		return nil, errWrongType
	}
	return jwt.NewNumericDate(time.Unix(int64(seconds), 0).UTC()), nil
}
