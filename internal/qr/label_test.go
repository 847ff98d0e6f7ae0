package qr

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCleanIssuer(t *testing.T) {
	const family = "👨‍👩‍👧"
	tests := []struct{ name, label, want string }{
		{"leaves a name as it is", "Acme Corp. (EU)", "Acme Corp. (EU)"},
		{"leaves every script as it is", "Ünïcode Ω Ж 字 한 ש " + family, "Ünïcode Ω Ж 字 한 ש " + family},
		{"makes a colon a space", "Acme:Login", "Acme Login"},
		{"makes a colon and a space one space", "Acme: Login", "Acme Login"},
		{"makes white space of any kind one space", "a\t\n b\u00a0\u2028\u3000c", "a b c"},
		{"leaves no space at the ends", " :a: ", "a"},
		{"has look-alikes for what a URI is taken apart at", "a?b&c#d%e+", "a？b＆c＃d％e＋"},
		{"cuts look-alikes like others", strings.Repeat("?", 65), strings.Repeat("？", 41) + "…"},
		{"leaves control characters out", "a\x00\x1b[31mb\x7f\u0081", "a[31mb"},
		{"leaves out what turns the text around", "a\u202eb\u2066c\u200f", "abc"},
		{"leaves a byte order mark out", "\ufeffa", "a"},
		{"leaves out what is not UTF-8", "a\xff\xe2\x82b\xc0\x80\xed\xa0\x80", "ab"},
		{"leaves a replacement character out", "a\ufffdb", "ab"},
		{"leaves nothing of nothing", "", ""},
		{"leaves nothing of colons", " : :: ", ""},
		{"keeps the longest", strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{"cuts what is longer", strings.Repeat("a", 65), strings.Repeat("a", 63) + "…"},
		{"keeps the longest of two bytes", strings.Repeat("Ж", 64), strings.Repeat("Ж", 64)},
		{"cuts two bytes", strings.Repeat("Ж", 65), strings.Repeat("Ж", 62) + "…"},
		{"keeps the longest of three bytes", strings.Repeat("字", 42), strings.Repeat("字", 42)},
		{"cuts three bytes", strings.Repeat("字", 43), strings.Repeat("字", 41) + "…"},
		{"cuts before a space", strings.Repeat("a", 62) + " b c", strings.Repeat("a", 62) + "…"},
		{"does not cut between a letter and its accent", strings.Repeat("a", 62) + "e\u0301x", strings.Repeat("a", 62) + "…"},
		{"does not cut an emoji", strings.Repeat("a", 60) + family, strings.Repeat("a", 60) + "…"},
		{"does not cut off a skin tone", strings.Repeat("a", 62) + "👩🏽a", strings.Repeat("a", 62) + "…"},
		{"cuts what is one endless character", "e" + strings.Repeat("\u0301", 70), "e" + strings.Repeat("\u0301", 62) + "…"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := CleanIssuer(test.label); got != test.want {
				t.Errorf("CleanIssuer(%q) = %q, want %q", test.label, got, test.want)
			}
		})
	}
}

func TestCleanAccountNameIsTwiceAsLong(t *testing.T) {
	if got, want := CleanAccountName(strings.Repeat("a", 500)), strings.Repeat("a", 127)+"…"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := CleanAccountName(strings.Repeat("字", 500)), strings.Repeat("字", 84)+"…"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCleanAccountNameKeepsAPlusSign(t *testing.T) {
	if got, want := CleanAccountName("ada+50%?&#"), "ada+50％？＆＃"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestShowsIssuer(t *testing.T) {
	for name, want := range map[string]bool{"Acme": true, "AT&T": true, "C# 100%?+": true, "Acme: Login": false, "a  b": false, "\u202ea": false, strings.Repeat("a", 65): false} {
		if got := ShowsIssuer(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func FuzzNewKey(f *testing.F) {
	f.Add("Acme Corp", "ada@example.com")
	f.Add("Acme: Login", "urn:user:ada\x00\xff\u202e")
	f.Add(strings.Repeat("e\u0301", 70), strings.Repeat("👨‍👩‍👧", 70))
	f.Fuzz(func(t *testing.T, issuer, account string) {
		for _, label := range []struct {
			got   string
			clean func(string) string
			limit int
		}{
			{CleanIssuer(issuer), CleanIssuer, MaxIssuer},
			{CleanAccountName(account), CleanAccountName, MaxAccountName},
		} {
			if n := utf8.RuneCountInString(label.got); !utf8.ValidString(label.got) || n > label.limit || len(label.got) > 2*label.limit {
				t.Errorf("%q is not UTF-8, or too long", label.got)
			}
			if strings.ContainsFunc(label.got, func(r rune) bool { return strings.ContainsRune(":?&#%", r) || unicode.IsControl(r) }) {
				t.Errorf("%q holds a character that cuts the URI, or a control character", label.got)
			}
			if strings.TrimSpace(label.got) != label.got || label.clean(label.got) != label.got {
				t.Errorf("%q is not clean", label.got)
			}
		}
		key, err := NewKey(issuer, account, secret)
		if err != nil {
			if CleanIssuer(issuer) != "" && CleanAccountName(account) != "" {
				t.Errorf("%q and %q: %v", issuer, account, err)
			}
			return
		}
		readsBack(t, key, uriOf(t, key))
	})
}
