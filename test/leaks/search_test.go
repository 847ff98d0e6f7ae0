package leaks_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// ledger holds what was in play: every value that must be found nowhere.
type ledger struct {
	mu     sync.Mutex
	values map[string]string // value to what it was when it was met first
	sorts  map[string]int    // how often something of each sort was met
}

func newLedger() *ledger { return &ledger{values: map[string]string{}, sorts: map[string]int{}} }

// shortest is the shortest value that is looked for, except codes: what is
// shorter is found anywhere by chance.
const shortest = 8

var sixDigits = regexp.MustCompile(`^[0-9]{6}$`)

// note puts a value down.
func (l *ledger) note(what, value string) {
	if len(value) < shortest && !sixDigits.MatchString(value) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sorts[what]++
	if _, known := l.values[value]; !known {
		l.values[value] = what
	}
}

// noteSignIn puts down what a token says of its sign-in.
func (l *ledger) noteSignIn(token string) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return
	}
	var claims struct {
		SignIn string `json:"origin_jti"`
		ID     string `json:"jti"`
	}
	if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil && json.Unmarshal(payload, &claims) == nil {
		l.note("sign-in", claims.SignIn)
		l.note("jti", claims.ID)
	}
}

// form is one way in which a value may be written.
type form struct {
	name  string
	write func(string) []string // all that would show it; empty where it cannot be written so
}

// forms are those that the search knows. Base64 of a value inside a longer text
// depends on where the value begins, modulo three: all three are looked for, by
// the characters that the value alone decides.
var forms = []form{
	{"clear", func(v string) []string { return []string{v} }},
	{"JSON", func(v string) []string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return []string{strings.Trim(string(b), `"`)}
	}},
	{"quoted by Go", func(v string) []string { q := strconv.Quote(v); return []string{q[1 : len(q)-1]} }},
	{"base64", func(v string) []string { return base64Within(base64.RawStdEncoding, v) }},
	{"base64url", func(v string) []string { return base64Within(base64.RawURLEncoding, v) }},
	{"hex", func(v string) []string {
		h := hex.EncodeToString([]byte(v))
		return []string{h, strings.ToUpper(h)}
	}},
	{"hex with spaces", func(v string) []string { return []string{fmt.Sprintf("% x", v), fmt.Sprintf("% X", v)} }},
	{"URL-escaped", func(v string) []string { return []string{url.QueryEscape(v), url.PathEscape(v)} }},
	{"URL-escaped throughout", func(v string) []string {
		h := "%" + strings.ReplaceAll(fmt.Sprintf("% x", v), " ", "%")
		return []string{h, strings.ToUpper(h)}
	}},
	{"bytes as Go prints them", func(v string) []string { return []string{strings.Trim(fmt.Sprintf("%d", []byte(v)), "[]")} }},
	{"cut short", func(v string) []string {
		const piece = 16
		var pieces []string
		for i := 0; len(v) >= 2*piece && i+piece <= len(v); i += piece {
			pieces = append(pieces, v[i:i+piece])
		}
		return pieces
	}},
}

func base64Within(e *base64.Encoding, v string) []string {
	var all []string
	for before := range 3 {
		encoded := e.EncodeToString(append(make([]byte, before), v...))
		begin := (8*before + 5) / 6 // The first character that holds nothing of what comes before,
		end := 8 * (before + len(v)) / 6
		all = append(all, encoded[begin:end]) // and none of what comes after.
	}
	return all
}

// finding is a value that was found where it must not be.
type finding struct{ sink, form, what string }

func (f finding) String() string { return f.sink + " holds the " + f.what + ", " + f.form }

// sign is one text that gives a value away.
type sign struct{ text, form, what string }

// signLength is how much of a text is looked up at once: the base64 of a code
// inside a longer text decides seven characters.
const signLength = 7

// searcher finds the values of a ledger in texts, each in every form.
type searcher struct {
	signs map[string][]sign // by their first characters
	codes map[string]string
}

func newSearcher(l *ledger) *searcher {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &searcher{signs: map[string][]sign{}, codes: map[string]string{}}
	for value, what := range l.values {
		for _, f := range forms {
			for _, text := range f.write(value) {
				switch {
				case sixDigits.MatchString(text):
					s.codes[text] = what
				case len(text) >= signLength:
					s.signs[text[:signLength]] = append(s.signs[text[:signLength]], sign{text, f.name, what})
				}
			}
		}
	}
	return s
}

// aCode is six digits that are not part of a longer number or word, as a code
// would be written.
var aCode = regexp.MustCompile(`(?:^|[^0-9A-Za-z.])([0-9]{6})(?:$|[^0-9A-Za-z.])`)

// find lists what a text gives away.
func (s *searcher) find(sink, text string) []finding {
	var found []finding
	for i := 0; i+signLength <= len(text); i++ {
		for _, sign := range s.signs[text[i:i+signLength]] {
			if strings.HasPrefix(text[i:], sign.text) {
				found = append(found, finding{sink, sign.form, sign.what})
			}
		}
	}
	for _, m := range aCode.FindAllStringSubmatch(text, -1) {
		if what, ok := s.codes[m[1]]; ok {
			found = append(found, finding{sink, "clear", what})
		}
	}
	if strings.Contains(strings.ToLower(text), "otpauth") {
		found = append(found, finding{sink, "clear", "scheme of an otpauth URI"})
	}
	slices.SortFunc(found, func(a, b finding) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(found)
}

// The search is what everything stands on: each form of each sort of value is
// found in the middle of a log line, and nothing where there is nothing.
func TestTheSearchFindsAValueInEveryForm(t *testing.T) {
	values := map[string]string{
		"secret":  "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSW",
		"URI":     "otpauth://totp/Example:ada%40example.com?secret=JBSWY3DPEHPK3PXPAAAA&issuer=Example&algorithm=SHA1",
		"session": "AYABeGvIc2Vzc2lvbi1vZi1hLWNoYWxsZW5nZQ_-x",
		"code":    "483920",
		"key":     "\x00\x01\xfe\xff seal key / of 32 bytes \x80\x81",
		"name":    "Ada's \"phone\" & más",
	}
	l := newLedger()
	for what, value := range values {
		l.note(what, value)
	}
	s := newSearcher(l)
	for what, value := range values {
		for _, f := range forms {
			for i, text := range f.write(value) {
				line := `{"level":"DEBUG","msg":"careless","value":"` + text + `","status":200}`
				t.Run(fmt.Sprintf("%s, %s, %d", what, f.name, i), func(t *testing.T) {
					if !slices.ContainsFunc(s.find("log", line), func(f finding) bool { return f.what == what }) {
						t.Errorf("not found in %q", line)
					}
				})
			}
		}
		t.Run(what+" in base64 of a longer text", func(t *testing.T) {
			for _, before := range []string{"", "a", "ab", "abc", "abcd"} {
				for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
					line := "x=" + e.EncodeToString([]byte(before+value+"tail")) + ";"
					if len(s.find("log", line)) == 0 {
						t.Errorf("not found in %q", line)
					}
				}
			}
		})
	}
	for _, clean := range []string{
		"", "the code 483921, the number 1483920, 0.483920 and 4839201",
		base64.StdEncoding.EncodeToString([]byte("something else that is long enough to be a session or a token")),
	} {
		if found := s.find("log", clean); len(found) > 0 {
			t.Errorf("found %v in %q", found, clean)
		}
	}
}
