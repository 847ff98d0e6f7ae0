package cognitotest

import (
	"bytes"
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
	// maxMessage is how much is sent of an exception's message, which can echo the
	// request: Python's http.client takes no header line of more than 65536 bytes.
	maxMessage = 4096
)

// serveCall answers one call of the API: it counts the call, lets the planned
// fault happen, does the work and writes the reply.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	name, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	// The request is read before anything waits: net/http notices that a caller
	// has gone only then.
	body, unread := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	do, known := s.operations[name]
	known = known && ours
	var fault Fault
	s.mu.Lock()
	latency, requestID := s.latency.pick(s), s.uuid()
	if known {
		s.calls[name]++
		fault = s.planned(name)
	} else {
		name = "unknown" // what a stranger sent does not belong in the log
	}
	s.mu.Unlock()

	err := fault.before(r.Context(), latency)
	var reply any
	switch {
	case err != nil:
	case fault.StatusError:
		reply = verifySoftwareTokenOutput{Status: "ERROR"}
	case !known:
		err = unknownOperation()
	case do.by == signer && !signed(r):
		err = unsigned()
	case unread != nil:
		err = serialization("The request body could not be read.")
	default:
		reply, err = s.work(name, do, request{body, signedFor(r)})
	}
	status, answer := s.encode(w.Header(), name, reply, err)
	w.Header().Set("X-Amzn-RequestId", requestID)
	exception := strings.TrimSuffix(w.Header().Get("X-Amzn-ErrorType"), ":")
	record := []slog.Attr{slog.String("operation", name), slog.Int("status", status)}
	if exception != "" {
		record = append(record, slog.String("exception", exception))
	}
	s.note(Call{At: s.now(), Operation: name, Status: status, Exception: exception})
	s.logger.LogAttrs(r.Context(), slog.LevelInfo, "call", record...)
	fault.write(w, status, answer)
}

// work does the operation, if the quota has room for it.
func (s *Server) work(name string, do operation, r request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(name, do.quota); err != nil {
		return nil, err
	}
	return do.do(r)
}

// encode writes the headers of a reply and returns its status and body.
func (s *Server) encode(h http.Header, name string, reply any, err error) (int, []byte) {
	status := http.StatusOK
	if err != nil {
		var ex *exception
		if !errors.As(err, &ex) {
			ex = &exception{name: "InternalErrorException", message: "The stand-in failed."}
			s.logger.Error("stand-in failed", slog.String("operation", name), slog.Any("error", err))
		}
		if ex.name == "" {
			h.Set("Content-Type", "text/html")
			return ex.status, []byte("<html><body><h1>" + http.StatusText(ex.status) + "</h1></body></html>\n")
		}
		ex = ex.short()
		// The SDKs read the header first; Cognito's has a trailing colon.
		h.Set("X-Amzn-ErrorType", ex.name+":")
		if ex.message != "" {
			h.Set("X-Amzn-ErrorMessage", ex.message)
		}
		status, reply = ex.httpStatus(), ex.body()
	}
	h.Set("Content-Type", contentType)
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(reply); err != nil {
		panic("cognitotest: a reply that is not JSON: " + err.Error())
	}
	return status, body.Bytes()
}
