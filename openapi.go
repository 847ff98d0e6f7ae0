// Package contract holds openapi.yaml, the contract of the service, for those
// who serve it or check requests against it.
package contract

import _ "embed"

// OpenAPI is openapi.yaml as it stands in the repository.
//
//go:embed openapi.yaml
var OpenAPI []byte
