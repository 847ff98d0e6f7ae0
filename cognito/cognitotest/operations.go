package cognitotest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// operation is one of the API's operations. It reads a request, works under the
// server's lock, and gives the reply or an *exception.
type operation struct {
	quota category
	by    caller
	do    func(body []byte) (any, error)
}

// caller says who may call an operation.
type caller bool

const (
	// anyone calls without AWS credentials. What the operation needs is in the
	// request: a token, a session, the ID of an app client.
	anyone caller = false
	// signer calls with a signature of AWS credentials. The stand-in knows no
	// credentials and takes any.
	signer caller = true
)

// routes lists the operations by name.
func (s *Server) routes() map[string]operation {
	return map[string]operation{
		"AdminDeleteSoftwareToken":  {unlimited, signer, decode(s.adminDeleteSoftwareToken)},
		"AssociateSoftwareToken":    {userResourceUpdate, anyone, decode(s.associateSoftwareToken)},
		"ConfirmDevice":             {unlimited, anyone, decode(s.confirmDevice)},
		"GetTokensFromRefreshToken": {unlimited, anyone, decode(s.getTokensFromRefreshToken)},
		"GetUser":                   {userRead, anyone, decode(s.getUser)},
		"GlobalSignOut":             {unlimited, anyone, decode(s.globalSignOut)},
		"InitiateAuth":              {userAuthentication, anyone, decode(s.initiateAuth)},
		"RespondToAuthChallenge":    {userAuthentication, anyone, decode(s.respondToAuthChallenge)},
		"RevokeToken":               {unlimited, anyone, decode(s.revokeToken)},
		"SetUserMFAPreference":      {userResourceUpdate, anyone, decode(s.setUserMFAPreference)},
		"VerifySoftwareToken":       {userResourceUpdate, anyone, decode(s.verifySoftwareToken)},
	}
}

// decode makes an operation's work of a function on its input.
func decode[In any](do func(*In) (any, error)) func([]byte) (any, error) {
	return func(body []byte) (any, error) {
		in := new(In)
		if err := json.Unmarshal(body, in); err != nil {
			return nil, serialization("The request body does not fit the operation.")
		}
		return do(in)
	}
}

// signed says whether a request has a signature of version 4
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), without
// looking whether it is right.
func signed(r *http.Request) bool {
	authorization := r.Header.Get("Authorization")
	return strings.HasPrefix(authorization, "AWS4-") &&
		strings.Contains(authorization, "Credential=") && strings.Contains(authorization, "Signature=")
}
