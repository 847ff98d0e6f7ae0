package handlers

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/oapi-codegen/echo-middleware"

	"mfa-enrollment/internal/enroll"
)

// checked puts the checks of a request in front of every operation of the contract.
// They are not the router's or a group's own, so that what is not in the contract
// gets echo's 404, and 405 with Allow.
func checked(spec *openapi3.T) map[string][]echo.MiddlewareFunc {
	validate := requestValidator(spec)
	byOperation := map[string][]echo.MiddlewareFunc{}
	for _, path := range spec.Paths.Map() {
		for _, operation := range path.Operations() {
			byOperation[operation.OperationID] = []echo.MiddlewareFunc{requireJSON(optionalMembers(operation)), validate}
		}
	}
	return byOperation
}

// requestValidator checks every request against openapi.yaml, since the
// generated server checks nothing. Credentials are not its business: it knows
// only whether a header is there.
func requestValidator(spec *openapi3.T) echo.MiddlewareFunc {
	return echomiddleware.OapiRequestValidatorWithOptions(spec, &echomiddleware.Options{
		DoNotValidateServers: true,
		Options: openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
			MultiError:         true,
			KeepValidatedValue: true,
		},
		MultiErrorHandler: func(all openapi3.MultiError) *echo.HTTPError {
			return &echo.HTTPError{Code: http.StatusBadRequest, Internal: all}
		},
		ErrorHandler: func(_ echo.Context, err *echo.HTTPError) error {
			return contractError(err)
		},
	})
}

// contractError says which fields break the contract. The validator's own
// texts quote the submitted value, so none of them is used.
func contractError(err *echo.HTTPError) error {
	if err.Code != http.StatusBadRequest || err.Internal == nil {
		return err
	}
	var tooLarge *echo.HTTPError
	if errors.As(err.Internal, &tooLarge) {
		return tooLarge
	}
	e := &enroll.Error{Kind: enroll.InvalidRequest, Reason: "contract"}
	noCode := false
	collectFields(err.Internal, func(f enroll.Field, rule string) {
		if !slices.Contains(e.Fields, f) {
			e.Fields = append(e.Fields, f)
		}
		noCode = f.Name == "code" && rule == "pattern"
	})
	switch {
	case len(e.Fields) == 0:
		e.Fields = []enroll.Field{{Name: "body", Reason: "must be a JSON object as the contract describes it"}}
	case len(e.Fields) == 1 && noCode:
		e.Reason = reasonNoCode
	}
	return e
}

// reasonNoCode is why a request is refused whose only fault is a text in place of the
// code: people make that mistake, and not pages.
const reasonNoCode = "no code"

// collectFields walks the validator's tree of errors down to the fields, and names
// the rule of the schema that each breaks.
func collectFields(err error, found func(f enroll.Field, rule string)) {
	if many, ok := errors.AsType[openapi3.MultiError](err); ok {
		for _, one := range many {
			collectFields(one, found)
		}
		return
	}
	if s, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		if many, ok := errors.AsType[openapi3.MultiError](s.Origin); ok {
			collectFields(many, found)
			return
		}
		found(enroll.Field{Name: fieldName(s), Reason: fieldReason(s)}, s.SchemaField)
		return
	}
	if errors.Is(err, openapi3filter.ErrInvalidRequired) {
		found(enroll.Field{Name: "body", Reason: "must be there"}, "required")
	}
}

// fieldName is the member of the body at fault. A member that the contract does
// not know is not named, because its name was submitted too.
func fieldName(e *openapi3.SchemaError) string {
	if path := e.JSONPointer(); len(path) > 0 && e.SchemaField != "properties" && e.SchemaField != "additionalProperties" {
		return path[0]
	}
	return "body"
}

// fieldReason says what the field must be, in words.
func fieldReason(e *openapi3.SchemaError) string {
	if text, ok := e.Value.(string); ok && fieldName(e) == "session" && isToken(strings.TrimPrefix(text, "Bearer ")) {
		return noSession // too long for a session, or with its scheme
	}
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "must be there"
	case "properties", "additionalProperties":
		return "must have no members but " + listed(slices.Sorted(maps.Keys(s.Properties)), "and")
	case "type", "nullable":
		return "must be " + typeWords[strings.Join(s.Type.Slice(), " ")]
	case "minLength":
		return fmt.Sprintf("must be at least %d characters long", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("must be at most %d characters long", value(s.MaxLength, 0))
	case "enum":
		values := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			values[i] = fmt.Sprint(v)
		}
		return "must be " + listed(values, "or")
	case "pattern":
		if words, ok := s.Extensions["x-must"].(string); ok {
			return "must " + words
		}
	}
	return "must be as the contract describes it"
}

// typeWords are JSON's types as people name them.
var typeWords = map[string]string{"string": "a text", "boolean": "true or false", "object": "an object", "array": "a list", "integer": "a whole number", "number": "a number"}

// listed joins words as a sentence does.
func listed(words []string, last string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
}
