package cognitotest_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cip "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"mfa-enrollment/cognito/cognitotest"
)

// srpClient is the client's side of Cognito's SRP, written from RFC 5054 and the
// JavaScript client rather than from the server under test.
type srpClient struct {
	n, g, a, public *big.Int
}

func newSRPClient() *srpClient {
	n, _ := new(big.Int).SetString(strings.Join([]string{
		"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD",
		"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED",
		"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F",
		"83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B",
		"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510",
		"15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7",
		"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C",
		"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
	}, ""), 16)
	c := &srpClient{n: n, g: big.NewInt(2), a: big.NewInt(0x1234567890abcdef)}
	c.public = new(big.Int).Exp(c.g, c.a, c.n)
	return c
}

func padHex(n *big.Int) string {
	text := n.Text(16)
	if len(text)%2 != 0 {
		text = "0" + text
	}
	if strings.ContainsRune("89abcdef", rune(text[0])) {
		text = "00" + text
	}
	return text
}

func hashHex(t *testing.T, text string) *big.Int {
	t.Helper()
	sum := sha256.Sum256(must[[]byte](t)(hex.DecodeString(text)))
	return new(big.Int).SetBytes(sum[:])
}

// claim computes what answers a PASSWORD_VERIFIER challenge.
func (c *srpClient) claim(t *testing.T, poolName, password string, parameters map[string]string) map[string]string {
	t.Helper()
	number := func(name string) *big.Int {
		n, ok := new(big.Int).SetString(parameters[name], 16)
		if !ok {
			t.Fatalf("%s is not a number", name)
		}
		return n
	}
	b, user := number("SRP_B"), parameters["USER_ID_FOR_SRP"]
	identity := sha256.Sum256([]byte(poolName + user + ":" + password))
	x := hashHex(t, padHex(number("SALT"))+hex.EncodeToString(identity[:]))
	k := hashHex(t, padHex(c.n)+padHex(c.g))
	u := hashHex(t, padHex(c.public)+padHex(b))
	base := new(big.Int).Sub(b, new(big.Int).Mul(k, new(big.Int).Exp(c.g, x, c.n)))
	s := new(big.Int).Exp(base.Mod(base, c.n), new(big.Int).Add(c.a, new(big.Int).Mul(u, x)), c.n)
	key := must[[]byte](t)(hkdf.Key(sha256.New, must[[]byte](t)(hex.DecodeString(padHex(s))),
		must[[]byte](t)(hex.DecodeString(padHex(u))), "Caldera Derived Key", 16))

	const timestamp = "Sat Mar 14 15:09:26 UTC 2026"
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(poolName + user))
	mac.Write(must[[]byte](t)(base64.StdEncoding.DecodeString(parameters["SECRET_BLOCK"])))
	mac.Write([]byte(timestamp))
	return map[string]string{
		"USERNAME":                    user,
		"PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
		"PASSWORD_CLAIM_SIGNATURE":    base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		"TIMESTAMP":                   timestamp,
	}
}

// initiateSRP sends SRP_A.
func (s *standIn) initiateSRP(t *testing.T, clientID, username string, public *big.Int) (*cip.InitiateAuthOutput, error) {
	t.Helper()
	parameters := map[string]string{"USERNAME": username, "SRP_A": public.Text(16)}
	if clientID == requiredClient {
		parameters["SECRET_HASH"] = secretHash(username)
	}
	return s.sdk.InitiateAuth(t.Context(), &cip.InitiateAuthInput{
		AuthFlow: types.AuthFlowTypeUserSrpAuth, ClientId: aws.String(clientID), AuthParameters: parameters,
	})
}

// signInBySRP goes all the way.
func (s *standIn) signInBySRP(t *testing.T, clientID, username, password string) (*cip.RespondToAuthChallengeOutput, error) {
	t.Helper()
	c := newSRPClient()
	in := must[*cip.InitiateAuthOutput](t)(s.initiateSRP(t, clientID, username, c.public))
	if in.ChallengeName != types.ChallengeNameTypePasswordVerifier || in.Session != nil {
		t.Fatalf("got challenge %s, want PASSWORD_VERIFIER without a session", in.ChallengeName)
	}
	poolName := map[string]string{optionalClient: "Optional", requiredClient: "Required"}[clientID]
	return s.claimPassword(t, clientID, c.claim(t, poolName, password, in.ChallengeParameters))
}

func (s *standIn) claimPassword(t *testing.T, clientID string, responses map[string]string) (*cip.RespondToAuthChallengeOutput, error) {
	t.Helper()
	if clientID == requiredClient {
		responses["SECRET_HASH"] = secretHash(responses["USERNAME"])
	}
	return s.sdk.RespondToAuthChallenge(t.Context(), &cip.RespondToAuthChallengeInput{
		ChallengeName: types.ChallengeNameTypePasswordVerifier, ClientId: aws.String(clientID), ChallengeResponses: responses,
	})
}

func TestSRPProvesThePassword(t *testing.T) {
	s := start(t)
	for range 8 { // salts and values with and without a leading zero
		out := must[*cip.RespondToAuthChallengeOutput](t)(s.signInBySRP(t, optionalClient, "ada", password))
		if out.AuthenticationResult == nil {
			t.Fatalf("got challenge %s, want tokens", out.ChallengeName)
		}
	}
	out := must[*cip.RespondToAuthChallengeOutput](t)(s.signInBySRP(t, requiredClient, "ada", password))
	if out.ChallengeName != types.ChallengeNameTypeMfaSetup {
		t.Errorf("got challenge %s, want MFA_SETUP", out.ChallengeName)
	}
}

func TestSRPRefusesAWrongPasswordAndUnknownUsersAlike(t *testing.T) {
	s := start(t)
	for _, who := range []string{"ada", "nobody"} {
		_, err := s.signInBySRP(t, optionalClient, who, "wrong")
		wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
	}
}

func TestSRPFailuresLockOutToo(t *testing.T) {
	s := start(t)
	for range 5 {
		_, err := s.signInBySRP(t, optionalClient, "ada", "wrong")
		wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
	}
	_, err := s.signInBySRP(t, optionalClient, "ada", password)
	wantException(t, err, "NotAuthorizedException", "Password attempts exceeded")
}

func TestSRPRefuses(t *testing.T) {
	s := start(t)
	c := newSRPClient()

	for _, multipleOfN := range []*big.Int{big.NewInt(0), c.n} {
		_, err := s.initiateSRP(t, optionalClient, "ada", multipleOfN)
		wantException(t, err, "InvalidParameterException", "SRP_A is not a valid value.")
	}

	in := must[*cip.InitiateAuthOutput](t)(s.initiateSRP(t, optionalClient, "ada", c.public))
	claim := c.claim(t, "Optional", password, in.ChallengeParameters)
	for name := range claim {
		incomplete := map[string]string{}
		for other, value := range claim {
			if other != name {
				incomplete[other] = value
			}
		}
		_, err := s.claimPassword(t, optionalClient, incomplete)
		wantException(t, err, "InvalidParameterException", "Missing required parameter "+name)
	}
	must[*cip.RespondToAuthChallengeOutput](t)(s.claimPassword(t, optionalClient, claim))
	_, err := s.claimPassword(t, optionalClient, claim)
	wantException(t, err, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
}

func TestSRPRevealsUnknownUsersWhereTheClientSaysSo(t *testing.T) {
	s := start(t, changePool(optional, func(p *cognitotest.Pool) { p.Clients[0].RevealUnknownUsers = true }))
	_, err := s.initiateSRP(t, optionalClient, "nobody", newSRPClient().public)
	wantException(t, err, "UserNotFoundException", "User does not exist.")
}

func TestSRPRefusesBeforeItLooksAtThePassword(t *testing.T) {
	s := start(t, changeUser(optional, func(u *cognitotest.User) { u.Unconfirmed = true }))
	for _, sent := range []string{password, "wrong"} {
		_, err := s.signInBySRP(t, optionalClient, "ada", sent)
		wantException(t, err, "UserNotConfirmedException", "User is not confirmed.")
	}
}

func TestSRPTellsOfAResetOnlyWhoKnowsThePassword(t *testing.T) {
	s := start(t, changeUser(optional, func(u *cognitotest.User) { u.ResetRequired = true }))
	_, err := s.signInBySRP(t, optionalClient, "ada", "wrong")
	wantException(t, err, "NotAuthorizedException", "Incorrect username or password.")
	_, err = s.signInBySRP(t, optionalClient, "ada", password)
	wantException(t, err, "PasswordResetRequiredException", "Password reset required for the user")
}
