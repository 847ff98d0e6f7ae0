package enroll

import (
	"crypto/subtle"
	"encoding/base32"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// FuzzFittingStep holds the check of a code to what it says: a code fits a step
// only when that step's code, as another implementation computes it, is that.
func FuzzFittingStep(f *testing.F) {
	for _, seed := range []struct {
		secret, code string
		at           int64
	}{
		{"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287082", 59}, {"gezdgnbvgy3tqojqgezdgnbvgy3tqojq", "081804", 1111111109}, {"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ====", "050471", 1111111111},
		{"", "328482", 0}, {"A", "000000", 1}, {"not base32!", "123456", 1 << 40}, {"JBSWY3DPEHPK3PXP", "", 1}, {"JBSWY3DPEHPK3PXP", "12345678", 1}, {"JBSWY3DPEHPK3PXP", "１２３４５６", 1},
	} {
		f.Add(seed.secret, seed.code, seed.at)
	}
	f.Fuzz(func(t *testing.T, secret, code string, seconds int64) {
		if seconds < 0 || seconds > 1<<33 {
			t.Skip("no time that a service is run at")
		}
		now := time.Unix(seconds, 0)
		offset, ok := fittingStep(Secret(secret), Secret(code), now)
		if !ok {
			if offset != 0 {
				t.Errorf("fits nothing, and by %d steps", offset)
			}
			return
		}
		if offset < -searchedSteps || offset > searchedSteps {
			t.Fatalf("%d steps away", offset)
		}
		key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.TrimRight(secret, "=")))
		if err != nil {
			t.Fatal("a code fits a secret that cannot be read")
		}
		then := time.Unix((stepAt(now)+int64(offset))*30, 0)
		if then.Unix() < 0 {
			return // The other implementation counts from 1970.
		}
		want, err := totp.GenerateCode(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key), then)
		if err != nil || subtle.ConstantTimeCompare([]byte(want), []byte(code)) != 1 {
			t.Errorf("%q fits %d steps away, where the code is %q (%v)", code, offset, want, err)
		}
	})
}
