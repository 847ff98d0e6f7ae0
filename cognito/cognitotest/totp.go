package cognitotest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the algorithm of RFC 6238 that Cognito and every app know
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// step is the time for which a code is good (RFC 6238 §4.1).
const step = 30 * time.Second

// softwareToken is what a pool knows of a user's authenticator app.
type softwareToken struct {
	// verified is the secret that counts, in base32; empty before the first
	// enrollment is finished.
	verified string
	// pending is the secret of the latest AssociateSoftwareToken. It replaces
	// the verified one when it is verified, not before.
	pending string
	// earlier are the secrets that pending replaced, none of them verified.
	earlier []string
	// device is the name that VerifySoftwareToken gave the app.
	device string
	// used are the steps whose code was taken already: a code proves possession
	// once (RFC 6238 §5.2).
	used map[int64]bool
}

// match finds the step, now or one either side of it, for which code is the code
// of secret.
func match(secret, code string, now time.Time) (int64, bool) {
	current := now.Unix() / int64(step/time.Second)
	for _, at := range []int64{current, current - 1, current + 1} {
		if subtle.ConstantTimeCompare([]byte(totp(secret, at)), []byte(code)) == 1 {
			return at, true
		}
	}
	return 0, false
}

// use takes the code of that step. It says whether it was still to be taken.
func (t *softwareToken) use(at int64) bool {
	if t.used[at] {
		return false
	}
	if t.used == nil {
		t.used = map[int64]bool{}
	}
	t.used[at] = true
	return true
}

// candidate is the secret that VerifySoftwareToken checks: the new one, or the
// one that counts already where there is no new one, since applications use the
// operation to ask for a second proof in mid-session.
func (t *softwareToken) candidate() string {
	return cmp.Or(t.pending, t.verified)
}

// renew makes secret the one that waits for its first code.
func (t *softwareToken) renew(secret string) {
	if t.pending != "" {
		t.earlier = append(t.earlier, t.pending)
	}
	t.pending = secret
}

// enroll makes the pending secret the one that counts.
func (t *softwareToken) enroll(device string) {
	*t = softwareToken{verified: t.pending, device: device}
}

// enrollEarlier makes the earlier secret count that has this code, or leaves the
// one that counts already. The pending one goes on waiting.
func (t *softwareToken) enrollEarlier(code string, now time.Time) bool {
	for _, secret := range append(t.earlier, t.verified) {
		if _, ok := match(secret, code, now); ok {
			t.verified = secret
			return true
		}
	}
	return false
}

// totp computes the code of a step: six digits of an HMAC-SHA1 (RFC 4226 §5.3,
// RFC 6238 §4.2). No secret, or one that is not base32, has no code.
func totp(secret string, at int64) string {
	key, err := decodeSecret(secret)
	if err != nil || len(key) == 0 {
		return ""
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at) // a hash never fails
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%06d", number%1_000_000)
}

// encodeSecret writes a secret as Cognito does, in base32 without padding.
func encodeSecret(key []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key)
}

// decodeSecret reads a secret, with or without padding.
func decodeSecret(secret string) ([]byte, error) {
	return base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(secret, "="))
}
