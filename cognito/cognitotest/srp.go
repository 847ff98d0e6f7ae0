package cognitotest

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Secure Remote Password, version 6a, as Cognito speaks it: the 3072-bit group
// of RFC 5054 appendix A with g = 2, SHA-256, numbers written like Java's
// BigInteger.toByteArray (a leading zero where the first bit is set), and a key
// derived with HKDF. The client's side is amazon-cognito-identity-js,
// AuthenticationHelper.js.

// srpGroup is N of the 3072-bit group (RFC 5054 appendix A, RFC 3526 §4).
const srpGroup = "" +
	"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74" +
	"020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437" +
	"4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05" +
	"98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB" +
	"9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
	"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718" +
	"3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33" +
	"A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
	"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864" +
	"D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2" +
	"08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"

// srpExchange is the server's side between SRP_B and PASSWORD_VERIFIER.
type srpExchange struct {
	username string
	n        *big.Int
	clientA  *big.Int // A
	salt     *big.Int // s
	verifier *big.Int // v
	private  *big.Int // b
	public   *big.Int // B
}

// initiateSRP is the flow that proves the password without sending it.
func (s *Server) initiateSRP(c *client, parameters map[string]string) (any, error) {
	username := parameters["USERNAME"]
	switch {
	case username == "":
		return nil, missing("USERNAME")
	case parameters["SRP_A"] == "":
		return nil, missing("SRP_A")
	}
	if err := c.checkSecretHash(username, parameters); err != nil {
		return nil, err
	}
	a := c.pool.byName(username)
	// A password that nobody has: an unknown user is asked for one all the same,
	// so that the question does not tell who has an account.
	password := string(s.random(32))
	switch {
	case a == nil && c.RevealUnknownUsers:
		return nil, userNotFound()
	case a == nil || a.Federated:
		a = nil
	default:
		username, password = a.Username, a.Password
	}
	exchange, err := s.newSRPExchange(c.pool, username, password, parameters["SRP_A"])
	if err != nil {
		return nil, err
	}
	secretBlock := s.open(session{challenge: passwordVerifier, client: c, account: a, srp: exchange})
	// There is no Session: the secret block stands for it.
	return authOutput{ChallengeName: passwordVerifier, ChallengeParameters: map[string]string{
		"SALT":            fmt.Sprintf("%x", exchange.salt),
		"SECRET_BLOCK":    secretBlock,
		"SRP_B":           fmt.Sprintf("%x", exchange.public),
		"USERNAME":        username,
		"USER_ID_FOR_SRP": username,
	}}, nil
}

// newSRPExchange answers A with B = kv + g^b. The caller holds s.mu.
func (s *Server) newSRPExchange(p *pool, username, password, srpA string) (*srpExchange, error) {
	n, _ := new(big.Int).SetString(srpGroup, 16)
	clientA, ok := new(big.Int).SetString(srpA, 16)
	if !ok || clientA.Sign() < 0 || new(big.Int).Mod(clientA, n).Sign() == 0 {
		return nil, invalidParameter("SRP_A is not a valid value.")
	}
	g := big.NewInt(2)
	e := &srpExchange{
		username: username,
		n:        n,
		clientA:  clientA,
		salt:     new(big.Int).SetBytes(s.random(16)),
		private:  new(big.Int).SetBytes(s.random(32)),
	}
	identity := sha256.Sum256([]byte(p.srpName() + username + ":" + password))
	x := hashNumber(srpBytes(e.salt), identity[:])
	e.verifier = new(big.Int).Exp(g, x, n)
	k := hashNumber(srpBytes(n), srpBytes(g))
	e.public = new(big.Int).Exp(g, e.private, n)
	e.public.Add(e.public, k.Mul(k, e.verifier))
	e.public.Mod(e.public, n)
	return e, nil
}

// signature is the proof that the client must have sent: made with a key that
// only somebody who knows the password comes to.
func (e *srpExchange) signature(p *pool, secretBlock []byte, timestamp string) ([]byte, error) {
	u := hashNumber(srpBytes(e.clientA), srpBytes(e.public))
	// S = (A * v^u) ^ b
	shared := new(big.Int).Exp(e.verifier, u, e.n)
	shared.Mul(shared, e.clientA)
	shared.Exp(shared, e.private, e.n)
	key, err := hkdf.Key(sha256.New, srpBytes(shared), srpBytes(u), "Caldera Derived Key", 16)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(slices.Concat([]byte(p.srpName()+e.username), secretBlock, []byte(timestamp)))
	return mac.Sum(nil), nil
}

// verifyPassword takes the answer to PASSWORD_VERIFIER.
func (s *Server) verifyPassword(c *client, responses map[string]string) (any, error) {
	for _, name := range []string{"PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"} {
		if responses[name] == "" {
			return nil, missing(name)
		}
	}
	id := responses["PASSWORD_CLAIM_SECRET_BLOCK"]
	found, err := s.find(id, passwordVerifier)
	if err != nil {
		return nil, err
	}
	found.used = true
	if a := found.account; a != nil {
		if err := a.confirmed(); err != nil {
			return nil, err
		}
		if err := a.lockout.attempt(s.now()); err != nil {
			return nil, err
		}
	}
	secretBlock, err := base64.StdEncoding.DecodeString(id)
	if err != nil {
		return nil, err
	}
	want, err := found.srp.signature(c.pool, secretBlock, responses["TIMESTAMP"])
	if err != nil {
		return nil, err
	}
	got, err := base64.StdEncoding.DecodeString(responses["PASSWORD_CLAIM_SIGNATURE"])
	right := err == nil && hmac.Equal(got, want) && found.client == c
	switch {
	case found.account == nil:
		return nil, wrongPassword()
	case !right || c.pool.byName(responses["USERNAME"]) != found.account:
		found.account.lockout.fail(s.now())
		return nil, wrongPassword()
	}
	return s.afterPassword(session{client: c, account: found.account, device: responses["DEVICE_KEY"]})
}

// srpName is the part of a pool's ID that goes into its users' verifiers.
func (p *pool) srpName() string {
	_, name, _ := strings.Cut(p.ID, "_")
	return name
}

// srpBytes writes a positive number as Java's BigInteger.toByteArray does.
func srpBytes(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		b = slices.Concat([]byte{0}, b)
	}
	return b
}

func hashNumber(parts ...[]byte) *big.Int {
	sum := sha256.Sum256(slices.Concat(parts...))
	return new(big.Int).SetBytes(sum[:])
}
