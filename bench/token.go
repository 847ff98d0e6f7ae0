package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// What the tokens and the processes under test agree on.
const (
	pool   = "eu-west-1_Benchmark"
	issuer = "https://cognito-idp.eu-west-1.amazonaws.com/" + pool
	client = "benchmarkclient"
	kid    = "benchmark"
)

// signer makes access tokens in Cognito's shape, signed as Cognito signs.
type signer struct{ key *rsa.PrivateKey }

func newSigner() (signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return signer{key}, err
}

// keySet is the public half as a JSON Web Key Set (RFC 7517).
func (s signer) keySet() (string, error) {
	set, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
		"n": base64.RawURLEncoding.EncodeToString(s.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(s.key.E)).Bytes()),
	}}})
	return string(set), err
}

// tokens signs one access token for each of n people who have just signed in.
func (s signer) tokens(n int) ([]string, error) {
	now := time.Now()
	list := make([]string, n)
	for i := range list {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
			"sub": fmt.Sprintf("b2f1c1d0-0000-4000-8000-%012d", i), "iss": issuer, "client_id": client,
			"origin_jti": "5f0c8a52-9a8e-4f5c-8f43-0d3c6c6f6e10", "event_id": "0e6e3f0b-5f6a-4a2f-bb8a-1f1f5a0e7a11",
			"token_use": "access", "scope": "aws.cognito.signin.user.admin", "username": fmt.Sprintf("person.%d@example.com", i),
			"auth_time": now.Unix(), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": "a1d3a0c5-7a8b-4f2e-9d53-7c1f2f9d3b21",
		})
		token.Header["kid"] = kid
		var err error
		if list[i], err = token.SignedString(s.key); err != nil {
			return nil, err
		}
	}
	return list, nil
}
