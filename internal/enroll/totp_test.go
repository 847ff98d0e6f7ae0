package enroll

import (
	"encoding/base32"
	"testing"
	"time"
)

// The SHA-1 vectors of RFC 6238 Appendix B; six digits are the last six of the
// eight that it lists.
var vectors = map[int64]Secret{
	59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
}

const rfcSecret = Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") // "12345678901234567890"

func TestCodesAreThoseOfRFC6238(t *testing.T) {
	key, err := base32.StdEncoding.DecodeString(rfcSecret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range vectors {
		if got := codeAt(key, stepAt(time.Unix(at, 0))); string(got) != want.Reveal() {
			t.Errorf("at %d: %s, want %s", at, got, want.Reveal())
		}
		if offset, ok := fittingStep(rfcSecret, want, time.Unix(at, 0)); !ok || offset != 0 {
			t.Errorf("at %d: step %d, %v", at, offset, ok)
		}
	}
}

func TestTheStepOfACodeIsFoundWithinTenMinutes(t *testing.T) {
	code := vectors[1111111109] // in the step that begins at 1111111080
	tests := map[string]struct {
		now    int64
		offset int
		ok     bool
	}{
		"now":                           {1111111109, 0, true},
		"the first second of its step":  {1111111080, 0, true},
		"one step later":                {1111111110, -1, true},
		"ten minutes later":             {1111111080 + 600, -20, true},
		"ten minutes and a step later":  {1111111080 + 630, 0, false},
		"one step before":               {1111111079, 1, true},
		"ten minutes before":            {1111111080 - 600, 20, true},
		"ten minutes and a step before": {1111111080 - 601, 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			offset, ok := fittingStep(rfcSecret, code, time.Unix(test.now, 0))
			if offset != test.offset || ok != test.ok {
				t.Errorf("step %d, %v", offset, ok)
			}
		})
	}
}

func TestASecretThatIsNotBase32FitsNothing(t *testing.T) {
	for _, secret := range []Secret{"1", "!!!!", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1"} {
		if _, ok := fittingStep(secret, "000000", time.Unix(0, 0)); ok {
			t.Errorf("%q fits", secret.Reveal())
		}
	}
}

func TestTheNextCodeComesWhenThePhoneSurelyShowsAnother(t *testing.T) {
	now := time.Unix(1111111095, 0) // 15 seconds into a step
	for offset, want := range map[int]int64{-1: 1111111110, 0: 1111111110, 1: 1111111140} {
		if got := nextCodeAt(now, offset).Unix(); got != want {
			t.Errorf("a code of step %+d: %d, want %d", offset, got, want)
		}
	}
}
