// Command stub is a Cognito that answers at once: it looks at the operation's
// name alone and checks nothing. What is measured against it is the cost of
// whoever asks.
//
// ADDR says where it listens, JWKS is the key set that it serves for every pool.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"
)

const target = "AWSCognitoIdentityProviderService."

// answers holds the reply to each operation, in Cognito's shapes: the secret is
// 52 characters of base32.
func answers() map[string][]byte {
	return map[string][]byte{
		"AssociateSoftwareToken": []byte(`{"SecretCode":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSW"}`),
		"VerifySoftwareToken":    []byte(`{"Status":"SUCCESS"}`),
		"SetUserMFAPreference":   []byte(`{}`),
		"GetUser": []byte(`{"Username":"ada.lovelace","UserAttributes":[{"Name":"email","Value":"ada.lovelace@example.com"}],` +
			`"UserMFASettingList":["SOFTWARE_TOKEN_MFA"],"PreferredMfaSetting":"SOFTWARE_TOKEN_MFA"}`),
	}
}

func main() {
	keys, replies := []byte(os.Getenv("JWKS")), answers()
	log.Fatal(http.ListenAndServe(os.Getenv("ADDR"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(keys)
			return
		}
		reply, ok := replies[strings.TrimPrefix(r.Header.Get("X-Amz-Target"), target)]
		if !ok {
			http.Error(w, "unknown operation", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write(reply)
	})))
}
