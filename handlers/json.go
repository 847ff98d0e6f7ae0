package handlers

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"mfa-enrollment/internal/enroll"
)

// requireJSON refuses a body that is anything but one plain JSON document (RFC
// 8259) in whose objects every name occurs once, before it is checked against the
// contract: decoders take the first of two documents and the last of two members,
// so that two readers of one body could see two different requests. Optional members
// that are null are left out.
func requireJSON(optional []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.ContentLength == 0 || r.Body == http.NoBody {
				return next(c)
			}
			body, err := io.ReadAll(r.Body)
			if tooLarge, ok := errors.AsType[*echo.HTTPError](err); ok {
				return tooLarge
			}
			if mediaType, _, bad := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); len(body) > 0 &&
				(bad != nil || mediaType != typeJSON || !isPlain(r.Header.Values(echo.HeaderContentEncoding))) {
				return echo.ErrUnsupportedMediaType
			}
			body = bytes.TrimPrefix(body, byteOrderMark)
			if err != nil || len(body) > 0 && !jsontext.Value(body).IsValid() {
				return enroll.Invalid("body", "must be one JSON document in UTF-8, without members that occur twice")
			}
			body = withoutNulls(body, optional)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return next(c)
		}
	}
}
