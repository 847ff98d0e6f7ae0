package cognitotest

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// The AWS JSON 1.1 protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
const (
	contentType  = "application/x-amz-json-1.1"
	targetPrefix = "AWSCognitoIdentityProviderService."
	// maxRequest is above the largest member of these operations, a
	// FriendlyDeviceName of 131072 characters.
	maxRequest = 1 << 20
)

// operation is one of the API's operations: it reads a request, works under the
// server's lock, and gives the reply or an *exception.
type operation func(body []byte) (any, error)

// decode makes an operation of a function on its input.
func decode[In any](do func(*In) (any, error)) operation {
	return func(body []byte) (any, error) {
		in := new(In)
		if err := json.Unmarshal(body, in); err != nil {
			return nil, &exception{name: "SerializationException", message: "The request body does not fit the operation."}
		}
		return do(in)
	}
}

// routes lists the operations by name.
func (s *Server) routes() map[string]operation {
	return map[string]operation{
		"AssociateSoftwareToken": decode(s.associateSoftwareToken),
		"GetUser":                decode(s.getUser),
		"InitiateAuth":           decode(s.initiateAuth),
		"RespondToAuthChallenge": decode(s.respondToAuthChallenge),
		"SetUserMFAPreference":   decode(s.setUserMFAPreference),
		"VerifySoftwareToken":    decode(s.verifySoftwareToken),
	}
}

// serveCall answers one call of the API.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	reply, err := s.call(w, r, name)

	var ex *exception
	if err != nil && !errors.As(err, &ex) {
		ex = &exception{name: "InternalErrorException", message: err.Error()}
	}
	s.mu.Lock()
	requestID := s.uuid()
	s.mu.Unlock()
	w.Header().Set("X-Amzn-RequestId", requestID)
	w.Header().Set("Content-Type", contentType)
	if ex != nil {
		s.logger.LogAttrs(r.Context(), slog.LevelInfo, "call refused", slog.String("operation", name), slog.String("exception", ex.name))
		// The SDKs read the header first; Cognito's has a trailing colon.
		w.Header().Set("X-Amzn-ErrorType", ex.name+":")
		w.WriteHeader(ex.httpStatus())
		reply = ex.body()
	} else {
		s.logger.LogAttrs(r.Context(), slog.LevelInfo, "call answered", slog.String("operation", name))
	}
	_ = json.NewEncoder(w).Encode(reply) // an error means that the client has gone
}

// call counts the call and does it.
func (s *Server) call(w http.ResponseWriter, r *http.Request, name string) (any, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, &exception{name: "SerializationException", message: "The request body could not be read."}
	}
	do, known := s.operations[name]
	if !known {
		return nil, &exception{name: "UnknownOperationException", message: "The stand-in does not know this operation."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[name]++
	return do(body)
}
