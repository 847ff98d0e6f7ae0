package qr

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a clean label, in characters (Unicode code points).
// It takes at most twice as many bytes in UTF-8, for a byte that is not ASCII takes three of a QR code, and the issuer
// is in it twice: all 64 or 128 characters of Latin, Greek, Cyrillic, Hebrew or Arabic, 42 or 85 of Chinese.
const (
	MaxIssuer      = 64
	MaxAccountName = 128
)

// lookalike gives what stands in a label for what some apps take for a part of the URI although it is percent-encoded:
// 2FAS and pyotp decode the whole URI before they take it apart, so that a "?" in the account name loses the secret and
// "&", "#" or "%" cut the issuer (2fas-android#198). It is the fullwidth form of the same sign (Unicode, U+FF00 to
// U+FFEF).
func lookalike(r rune) rune {
	switch r {
	case '?', '&', '#', '%':
		return r - '!' + '\uff01'
	}
	return r
}

// plus gives what stands in an issuer for "+", which is a space in a query that is decoded twice. An account name has
// its own, since it is in the path alone, where "+" has no meaning.
func plus(r rune) rune {
	if r == '+' {
		return '\uff0b'
	}
	return r
}

// ShowsIssuer tells whether apps show the name as it is, look-alikes aside: whether [CleanIssuer] has nothing else to do.
func ShowsIssuer(name string) bool {
	return CleanIssuer(name) == strings.Map(lookalike, strings.Map(plus, name))
}

// CleanIssuer gives the name of a service as authenticator apps can show it, and as they will show it.
//
// Colons and every kind of white space become single spaces, with none at the ends: an app takes the first colon of a
// label, encoded or not, as the end of the issuer, and some refuse a label with a second one.
// "?", "&", "#", "%" and "+" become their fullwidth forms, since some apps cannot read the URI otherwise.
// Control characters, those that turn the direction of the text around, the byte order mark and whatever is not UTF-8
// are left out.
// What is longer than [MaxIssuer] is cut there, between two characters as a person sees them where possible, and ends
// in "…".
// The result can be empty; cleaning it again changes nothing.
func CleanIssuer(name string) string {
	return clean(strings.Map(plus, name), MaxIssuer)
}

// CleanAccountName gives the name of a person's account in the way of [CleanIssuer], with at most [MaxAccountName]
// characters and with "+" as it is: no attribute of a user is too long or too strange for an enrollment, unless nothing
// is left of it.
func CleanAccountName(name string) string { return clean(name, MaxAccountName) }

func clean(s string, limit int) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		if b.Len() > maxBytes(limit) {
			break // enough to know where to cut
		}
		switch {
		case r == ':' || unicode.IsSpace(r):
			space = b.Len() > 0
		case r == utf8.RuneError || r == '\ufeff' || unicode.In(r, unicode.Cc, unicode.Bidi_Control):
		default:
			if space {
				b.WriteByte(' ')
				space = false
			}
			b.WriteRune(lookalike(r))
		}
	}
	return cut(b.String(), limit)
}

func maxBytes(limit int) int { return 2 * limit }

// cut shortens s to so many characters, and maxBytes bytes, of which "…" is the last.
func cut(s string, limit int) string {
	const ellipsis = "…"
	if len(s) <= maxBytes(limit) && utf8.RuneCountInString(s) <= limit {
		return s
	}
	var before rune
	end, last, runes := 0, 0, 0
	for i, r := range s {
		if runes == limit || i > maxBytes(limit)-len(ellipsis) {
			break
		}
		if last = i; !joined(before, r) {
			end = i
		}
		before = r
		runes++
	}
	if end == 0 { // one endless character
		end = last
	}
	return strings.TrimRight(s[:end], " ") + ellipsis
}

// joined tells whether a person sees r as part of the character that before is in: accents and other marks, the parts
// of an emoji.
// It is the part of Unicode's grapheme clusters (UAX #29) that a cut name would look wrong without.
func joined(before, r rune) bool {
	const zeroWidthJoiner = '\u200d'
	isSkinTone := r >= 0x1f3fb && r <= 0x1f3ff
	return before == zeroWidthJoiner || isSkinTone || unicode.In(r, unicode.M, unicode.Join_Control)
}
