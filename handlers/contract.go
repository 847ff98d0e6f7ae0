package handlers

import (
	"errors"
	"fmt"
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
	collectFields(err.Internal, func(f enroll.Field) {
		if !slices.Contains(e.Fields, f) {
			e.Fields = append(e.Fields, f)
		}
	})
	if len(e.Fields) == 0 {
		e.Fields = []enroll.Field{{Name: "body", Reason: "must be a JSON object as the contract describes it"}}
	}
	return e
}

// collectFields walks the validator's tree of errors down to the fields.
func collectFields(err error, found func(enroll.Field)) {
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
		found(enroll.Field{Name: fieldName(s), Reason: fieldReason(s)})
		return
	}
	if errors.Is(err, openapi3filter.ErrInvalidRequired) {
		found(enroll.Field{Name: "body", Reason: "must be there"})
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

// fieldReason says what the field must be.
func fieldReason(e *openapi3.SchemaError) string {
	switch e.SchemaField {
	case "required":
		return "must be there"
	case "properties", "additionalProperties":
		return "must have no members but those of the contract"
	case "type", "nullable":
		return "must be of type " + strings.Join(e.Schema.Type.Slice(), " or ")
	case "minLength":
		return fmt.Sprintf("must be at least %d characters long", e.Schema.MinLength)
	case "maxLength":
		if e.Schema.MaxLength != nil {
			return fmt.Sprintf("must be at most %d characters long", *e.Schema.MaxLength)
		}
	case "maxProperties":
		if e.Schema.MaxProps != nil {
			return fmt.Sprintf("must have at most %d members", *e.Schema.MaxProps)
		}
	case "enum":
		return fmt.Sprintf("must be one of %v", e.Schema.Enum)
	case "pattern":
		return "must match " + e.Schema.Pattern
	}
	return "must be as the contract describes it"
}
