package handlers

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
)

// What clients and proxies send beside the letter of the contract and what means
// the same to every reader is taken here (docs/contract.md, "Request shapes"). What
// could mean two things to two readers is refused in json.go.

// byteOrderMark begins what some libraries write. RFC 8259 §8.1 lets a reader
// ignore it.
var byteOrderMark = []byte("\ufeff")

// withoutSlash takes one slash off the end of a path, before it is routed: base
// URLs and paths are joined in many ways.
func withoutSlash(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if u := c.Request().URL; len(u.Path) > 1 && u.RawPath == "" {
			u.Path = strings.TrimSuffix(u.Path, "/")
		}
		return next(c)
	}
}

// isPlain tells whether a Content-Encoding says that the body is not encoded: there
// is none, or identity (RFC 9110 §12.5.3), which some clients send.
func isPlain(contentEncoding []string) bool {
	return !slices.ContainsFunc(contentEncoding, func(line string) bool {
		line = strings.TrimSpace(line)
		return line != "" && !strings.EqualFold(line, "identity")
	})
}

// optionalMembers are the members of an operation's body that may be left out.
func optionalMembers(o *openapi3.Operation) []string {
	if o.RequestBody == nil {
		return nil
	}
	schema := o.RequestBody.Value.Content.Get(typeJSON).Schema.Value
	return slices.DeleteFunc(slices.Collect(maps.Keys(schema.Properties)), func(name string) bool {
		return slices.Contains(schema.Required, name)
	})
}

// withoutNulls leaves the optional members out that are null, as clients write them
// that are generated for languages without optional members. A null in any other
// place stays and breaks the contract. Bodies without a null are not touched, and
// neither is what is not an object.
func withoutNulls(body []byte, optional []string) []byte {
	if !bytes.Contains(body, []byte("null")) || jsontext.Value(body).Kind() != jsontext.KindBeginObject {
		return body
	}
	var members map[string]jsontext.Value
	if json.Unmarshal(body, &members) != nil {
		return body
	}
	maps.DeleteFunc(members, func(name string, value jsontext.Value) bool {
		return value.Kind() == jsontext.KindNull && slices.Contains(optional, name)
	})
	plain, err := json.Marshal(members)
	if err != nil {
		return body
	}
	return plain
}

// bearerTokens are the access tokens that a request carries: the scheme in any case
// (RFC 9110 §11.1), with a token. Other schemes are passed over, since proxies in
// front of a service add them; so is an empty header.
func bearerTokens(h http.Header) (tokens []string) {
	for _, line := range h.Values(echo.HeaderAuthorization) {
		scheme, token, _ := strings.Cut(strings.TrimSpace(line), " ")
		if token = strings.TrimSpace(token); strings.EqualFold(scheme, "Bearer") && token != "" {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

// Cognito's credentials by their beginnings: a JWT's is `{"` in base64url, a
// session's the version of the AWS Encryption SDK's message format.
const (
	tokenPrefix   = "eyJ"
	sessionPrefix = "AYABe"
)

// isToken tells a JWT from a session: it has the beginning of one, and dots.
func isToken(s string) bool { return strings.HasPrefix(s, tokenPrefix) && strings.Contains(s, ".") }

// isSession tells a session from a JWT.
func isSession(s string) bool {
	return strings.HasPrefix(s, sessionPrefix) && !strings.Contains(s, ".")
}
