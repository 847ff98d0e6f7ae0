package cognitotest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"sync"
)

// signingKey is an RSA key with the name that tokens and the key set know it by.
type signingKey struct {
	kid     string
	private *rsa.PrivateKey
}

// newSigningKey names the key after its public half, so that a key shared
// between servers has the same name in each. The name has the form of Cognito's:
// 32 bytes in padded base64.
func newSigningKey(k *rsa.PrivateKey) *signingKey {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&k.PublicKey))
	return &signingKey{kid: base64.StdEncoding.EncodeToString(sum[:]), private: k}
}

// generateKeys gives every pool a key: its own where the options hold one. Keys
// are generated concurrently, since they are all the time that New takes.
func (s *Server) generateKeys() error {
	var wg sync.WaitGroup
	errs := make(chan error, len(s.pools))
	for _, p := range s.pools {
		wg.Go(func() {
			k := p.Key
			if k == nil {
				var err error
				if k, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
					errs <- fmt.Errorf("key of pool %s: %w", p.ID, err)
					return
				}
			}
			p.keys = []*signingKey{newSigningKey(k)}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// sharedKey is what pools that are made while the server runs sign with: one key
// for all of them, since making one takes some tens of milliseconds. The caller
// holds s.mu.
func (s *Server) sharedKey() *rsa.PrivateKey {
	if s.spare == nil {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(fmt.Sprintf("cognitotest: generate a key: %v", err))
		}
		s.spare = k
	}
	return s.spare
}

// signer is the key that signs now.
func (p *pool) signer() *signingKey { return p.keys[len(p.keys)-1] }

// key finds the key of that name, nil when the pool never had it.
func (p *pool) key(kid string) *rsa.PublicKey {
	for _, k := range p.keys {
		if k.kid == kid {
			return &k.private.PublicKey
		}
	}
	return nil
}

// RotateKeys makes the pool sign with a new key from now on. The key set lists
// the old keys too, so that tokens signed before stay good, as Cognito's do. It
// panics when there is no such pool.
func (s *Server) RotateKeys(poolID string) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Sprintf("cognitotest: generate a key: %v", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.mustPool(poolID)
	p.keys = append(p.keys, newSigningKey(k))
}

// Key returns the pool's signing key, so that tests can forge tokens with it. It
// panics when there is no such pool.
func (s *Server) Key(poolID string) *rsa.PrivateKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustPool(poolID).signer().private
}

// KeyID returns the name (kid) of the pool's signing key. It panics when there
// is no such pool.
func (s *Server) KeyID(poolID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mustPool(poolID).signer().kid
}

// PublicKeyPEM returns the public half of the pool's signing key as PEM: what an
// attacker would use as an HMAC key against a verifier that trusts a token's own
// choice of algorithm. It panics when there is no such pool.
func (s *Server) PublicKeyPEM(poolID string) []byte {
	der, err := x509.MarshalPKIXPublicKey(&s.Key(poolID).PublicKey)
	if err != nil {
		panic(fmt.Sprintf("cognitotest: marshal an RSA key: %v", err))
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// jwk is an RSA verification key (RFC 7517, RFC 7518 §6.3), with the members
// that Cognito's key sets have.
type jwk struct {
	Alg string `json:"alg"`
	E   string `json:"e"`
	Kid string `json:"kid"`
	Kty string `json:"kty"`
	N   string `json:"n"`
	Use string `json:"use"`
}

func (k *signingKey) jwk() jwk {
	b64 := base64.RawURLEncoding
	public := k.private.PublicKey
	return jwk{
		Alg: "RS256",
		E:   b64.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		Kid: k.kid,
		Kty: "RSA",
		N:   b64.EncodeToString(public.N.Bytes()),
		Use: "sig",
	}
}

// serveKeys answers the pool's JSON Web Key Set.
func (s *Server) serveKeys(w http.ResponseWriter, r *http.Request, poolID string) {
	s.mu.Lock()
	s.jwksFetches++
	fault := s.planned(JWKS)
	s.mu.Unlock()
	if err := fault.before(r.Context(), 0); err != nil {
		status, body := s.encode(w.Header(), JWKS, nil, err)
		fault.write(w, status, body)
		return
	}
	s.mu.Lock()
	var set struct {
		Keys []jwk `json:"keys"`
	}
	p := s.pools[poolID]
	refused := p != nil && p.refusesHost(r)
	if p != nil {
		for _, k := range p.keys {
			set.Keys = append(set.Keys, k.jwk())
		}
	}
	s.mu.Unlock()
	if refused {
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	fault.writeDocument(w, r, p != nil, set)
}

// serveDiscovery answers the pool's OpenID Connect discovery document. The
// issuer is the one in the tokens, AWS's; the keys are where this server is.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request, poolID string) {
	s.mu.Lock()
	p := s.pools[poolID]
	var issuer string
	refused := false
	if p != nil {
		issuer, refused = p.issuer(), p.refusesHost(r)
	}
	s.mu.Unlock()
	switch {
	case p == nil:
		Fault{}.writeDocument(w, r, false, nil)
		return
	case refused:
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	Fault{}.writeDocument(w, r, true, map[string]any{
		"issuer":                                issuer,
		"jwks_uri":                              scheme + "://" + r.Host + "/" + p.ID + "/.well-known/jwks.json",
		"token_endpoint":                        scheme + "://" + r.Host + "/oauth2/token",
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported":              []string{"code", "token"},
		"scopes_supported":                      []string{"openid", "email", "phone", "profile"},
		"subject_types_supported":               []string{"public"},
	})
}

// writeDocument answers a public JSON document, or 404 when there is none.
func (f Fault) writeDocument(w http.ResponseWriter, r *http.Request, found bool, document any) {
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	body, err := json.Marshal(document)
	if err != nil {
		panic("cognitotest: a document that is not JSON: " + err.Error())
	}
	f.write(w, http.StatusOK, body)
}
