package enroll

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238's default, and the only one that Cognito and every app share.
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// What Cognito's codes are made of (RFC 6238 with its defaults).
const (
	Algorithm = "SHA1"
	Digits    = 6
	Period    = 30 * time.Second
)

const (
	// acceptedSteps is how many steps either side of now Cognito accepts
	// (RFC 6238 §5.2 recommends one).
	acceptedSteps = 1
	// searchedSteps is how far either side of now a wrong code is looked for,
	// to tell a person that the phone's clock is off: ten minutes.
	searchedSteps = int(10 * time.Minute / Period)
)

// stepAt is the number of the step that a moment belongs to (RFC 6238 §4.2).
func stepAt(t time.Time) int64 { return t.Unix() / int64(Period/time.Second) }

// stepStart is the first moment of a step.
func stepStart(step int64) time.Time { return time.Unix(step*int64(Period/time.Second), 0).UTC() }

// accepted reports whether Cognito accepts a code of a step this far from now.
func accepted(offset int) bool { return offset >= -acceptedSteps && offset <= acceptedSteps }

// fittingStep looks for the step, relative to now, whose code was submitted,
// nearest first. It reports false when there is none within ten minutes, or
// when the secret is not base32.
func fittingStep(secret, code Secret, now time.Time) (offset int, ok bool) {
	key, ok := keyOf(secret)
	if !ok {
		return 0, false
	}
	submitted := []byte(code.Reveal())
	current := stepAt(now)
	for distance := 0; distance <= searchedSteps; distance++ {
		for _, offset := range []int{-distance, distance} {
			if subtle.ConstantTimeCompare(codeAt(key, current+int64(offset)), submitted) == 1 {
				return offset, true
			}
		}
	}
	return 0, false
}

const (
	// zoneStep and zoneReach are the offsets that time zones have: multiples of
	// a quarter of an hour, at most 14 hours (IANA time zone database).
	zoneStep  = 15 * time.Minute
	zoneReach = 14 * time.Hour
	// zoneSlack is how far a clock may be off besides.
	zoneSlack = 2
)

// hoursOff looks for the time zone by which a phone's clock is off: it was set by
// hand, or to another zone. Zero means that there is none. The answer explains a
// wrong code; no code is accepted for it.
func hoursOff(secret, code Secret, now time.Time) time.Duration {
	key, ok := keyOf(secret)
	if !ok {
		return 0
	}
	submitted := []byte(code.Reveal())
	for off := zoneStep; off <= zoneReach; off += zoneStep {
		for _, skew := range []time.Duration{-off, off} {
			step := stepAt(now.Add(skew))
			for slack := int64(-zoneSlack); slack <= zoneSlack; slack++ {
				if subtle.ConstantTimeCompare(codeAt(key, step+slack), submitted) == 1 {
					return skew
				}
			}
		}
	}
	return 0
}

// keyOf is the key that a secret spells in base32. An empty secret has none: its
// codes would be everybody's to compute.
func keyOf(secret Secret) (key []byte, ok bool) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.TrimRight(secret.Reveal(), "=")))
	return key, err == nil && len(key) > 0
}

// codeAt is the six-digit HOTP value of a step (RFC 4226 §5.3).
func codeAt(key []byte, step int64) []byte {
	mac := hmac.New(sha1.New, key)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step)) //nolint:gosec // Steps since 1970 are positive.
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	value := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Appendf(nil, "%06d", value%1_000_000)
}

// skewOf is how far a clock is off whose code fitted a step this far from now.
func skewOf(offset int) time.Duration { return time.Duration(offset) * Period }

// nextCodeAt is the moment from which the app surely shows another code than
// the one that fitted. A clock that is fast shows it a step longer.
func nextCodeAt(now time.Time, offset int) time.Time {
	return stepStart(stepAt(now) + int64(max(offset, 0)) + 1)
}
