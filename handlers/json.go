package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/labstack/echo/v4"

	"mfa-enrollment/internal/enroll"
)

// requireJSON refuses a body that is anything but one plain JSON document,
// before it is checked against the contract: decoders take the first of two
// documents and the last of two members, so that two readers of one body could
// see two different requests.
func requireJSON(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.ContentLength == 0 || r.Body == http.NoBody {
			return next(c)
		}
		mediaType, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
		if err != nil || mediaType != typeJSON || r.Header.Get(echo.HeaderContentEncoding) != "" {
			return echo.ErrUnsupportedMediaType
		}
		body, err := io.ReadAll(r.Body)
		if tooLarge, ok := errors.AsType[*echo.HTTPError](err); ok {
			return tooLarge
		}
		if err != nil || len(body) > 0 && !oneDocument(body) {
			return enroll.Invalid("body", "must be one JSON document without members that occur twice")
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return next(c)
	}
}

// oneDocument tells whether text is a single JSON document (RFC 8259) in whose
// objects every name occurs once.
func oneDocument(text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if !oneValue(d) {
		return false
	}
	_, err := d.Token()
	return errors.Is(err, io.EOF)
}

// oneValue reads one value.
func oneValue(d *json.Decoder) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	opening, ok := token.(json.Delim)
	if !ok {
		return true
	}
	names := map[string]bool{}
	for d.More() {
		if opening == '{' {
			name, err := d.Token()
			text, ok := name.(string)
			if err != nil || !ok || names[text] {
				return false
			}
			names[text] = true
		}
		if !oneValue(d) {
			return false
		}
	}
	_, err = d.Token()
	return err == nil
}
