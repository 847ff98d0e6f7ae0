package contract_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// generator makes JSON from the schemas of the contract: values that are as
// they must be, and values that are not. What it makes up is told apart from
// everything that the service says by its beginning, and noted.
type generator struct {
	*rand.Rand
	made []string // what must not come back
}

// mark begins every text that is made up.
const mark = "zQ"

// pick takes one of several.
func pick[T any](g *generator, of []T) T { return of[g.IntN(len(of))] }

// oneIn is true once in n times.
func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// unlikely is a text that is found in no other place.
func (g *generator) unlikely(length int) string {
	const letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
	b := []byte(mark)
	for len(b) < length {
		b = append(b, letters[g.IntN(len(letters))])
	}
	text := string(b[:length])
	g.submitted(text)
	return text
}

// submitted notes what must not come back, where it is long enough to be told
// from what would be there anyway.
func (g *generator) submitted(text string) {
	const telling = 8 // bytes
	if utf8.ValidString(text) && len(text) >= telling {
		g.made = append(g.made, text)
	}
}

// member is one member of a JSON object as it is sent: both parts are raw.
type member struct{ name, value string }

// body is a JSON object as it is sent, in this order.
type body []member

func (b body) String() string {
	parts := make([]string, len(b))
	for i, m := range b {
		parts[i] = quote(m.name) + ":" + m.value
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// object makes an object of a schema: all that is required, and some of the rest.
func (g *generator) object(s *openapi3.Schema) body {
	var b body
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if slices.Contains(s.Required, name) || g.oneIn(3) {
			b = append(b, member{name, g.value(s.Properties[name].Value)})
		}
	}
	if extra := s.AdditionalProperties.Schema; extra != nil {
		for range g.IntN(4) {
			b = append(b, member{g.unlikely(8 + g.IntN(8)), g.value(extra.Value)})
		}
	}
	g.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return b
}

// value makes a value that fits a schema, as JSON.
func (g *generator) value(s *openapi3.Schema) string {
	switch {
	case len(s.Enum) > 0:
		b, err := json.Marshal(pick(g, s.Enum))
		if err != nil {
			panic(err)
		}
		return string(b)
	case s.Type.Is("boolean"):
		return strconv.FormatBool(g.oneIn(2))
	case s.Type.Is("object"):
		return g.object(s).String()
	case s.Type.Is("string"):
		return quote(g.text(s))
	}
	panic(fmt.Sprintf("the contract has grown a %v, which the generator does not know", s.Type))
}

// longest is the longest that a text may be; a schema that does not say gets a
// limit of its own.
func longest(s *openapi3.Schema) int {
	if s.MaxLength == nil {
		return 64
	}
	return int(*s.MaxLength)
}

// text makes a text that fits a schema: mostly short, at times as long or as
// short as it may be, and in other scripts where any character goes.
func (g *generator) text(s *openapi3.Schema) string {
	low, high := int(s.MinLength), longest(s)
	length := low + g.IntN(min(high-low, 40)+1)
	switch g.IntN(12) {
	case 0:
		length = high
	case 1:
		length = low
	}
	if s.Pattern != "" {
		text := g.matching(s.Pattern, length)
		g.submitted(text)
		return text
	}
	if g.oneIn(6) {
		scripts := []rune("äßñЖ中文字日本語العربيةעברית🙂👩‍👩‍👧é\u202e\u200b\u2028 \t\"'<>&%+:/\\")
		runes := make([]rune, length)
		for i := range runes {
			runes[i] = pick(g, scripts)
		}
		g.submitted(string(runes))
		return string(runes)
	}
	return g.unlikely(length)
}

// matching makes a text that a regular expression matches, as long as is asked
// for where the expression leaves that open.
func (g *generator) matching(pattern string, length int) string {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	g.match(&b, parsed.Simplify(), length)
	return b.String()
}

func (g *generator) match(b *strings.Builder, r *syntax.Regexp, length int) {
	switch r.Op {
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range r.Sub {
			g.match(b, sub, length)
		}
	case syntax.OpPlus, syntax.OpStar:
		for range max(length, 1) {
			g.match(b, r.Sub[0], 1)
		}
	case syntax.OpQuest:
		if g.oneIn(2) {
			g.match(b, r.Sub[0], 1)
		}
	case syntax.OpLiteral:
		b.WriteString(string(r.Rune))
	case syntax.OpCharClass:
		i := g.IntN(len(r.Rune)/2) * 2
		b.WriteRune(r.Rune[i] + rune(g.IntN(int(r.Rune[i+1]-r.Rune[i])+1)))
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpEmptyMatch:
	default:
		panic("the contract has grown a pattern that the generator does not know: " + r.String())
	}
}

// broken makes a value that does not fit a schema, as JSON or as something that
// is no JSON.
func (g *generator) broken(s *openapi3.Schema) string {
	wrong := []string{
		"[]", "[[" + quote(g.unlikely(12)) + "]]", `{"` + g.unlikely(10) + `":1}`, "918273645546372819", "-1", "1e400", "0.1e-400", "-0",
		strings.Repeat("9", 400), strings.Repeat("[", 2000) + strings.Repeat("]", 2000), strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000),
	}
	if s.MaxProps != nil {
		var many body
		for range *s.MaxProps + 1 {
			many = append(many, member{g.unlikely(12), `"a"`})
		}
		wrong = append(wrong, many.String())
	}
	if !s.Type.Is("boolean") {
		wrong = append(wrong, "true")
	}
	if !s.Type.Is("string") {
		wrong = append(wrong, quote(g.unlikely(12)), `"true"`)
		return pick(g, wrong)
	}
	fit := g.text(s)
	switch {
	case len(s.Enum) > 0:
		fit = fmt.Sprint(pick(g, s.Enum))
		wrong = append(wrong, quote(strings.ToLower(fit)), quote(fit+" "), quote(fit+"\x00"), quote(g.unlikely(14)))
	case s.Pattern != "":
		for _, tail := range []string{" ", "\n", "\x00", "\x7f", "é", "٣", "🙂"} {
			wrong = append(wrong, quote(fit+tail), quote(tail+fit))
		}
	}
	if s.MinLength > 0 {
		wrong = append(wrong, `""`)
	}
	if s.MaxLength != nil {
		wrong = append(wrong, quote(g.unlikely(longest(s)+1)), quote(g.unlikely(min(3*longest(s), 9000))))
	}
	return pick(g, wrong)
}

// odd makes a value that may or may not be taken, in an encoding that nobody
// would choose.
func (g *generator) odd(s *openapi3.Schema) string {
	fit := g.unlikely(20)
	if s.Type.Is("string") && len(s.Enum) == 0 {
		fit = g.text(s)
	}
	return pick(g, []string{
		`"` + fit + "\xff\xfe\"", `"` + fit + "\xc0\xaf\"", `"` + fit + `\ud800"`, `"` + fit + `\udc00\ud800"`, `"` + fit + "\x01\"", `"` + fit + "\n\"",
		"null", `"\u0000` + g.unlikely(9) + `"`, "\ufeff" + quote(fit), escaped(fit), "/**/" + quote(fit), "'" + strings.Trim(quote(fit), `"`) + "'", "NaN", "Infinity", "undefined", "0x10", "01", "+1", "tRuE",
		quote(fit) + quote(fit), "", " ", `"`, `"\x41"`, `"\u12"`,
	})
}

// escaped writes every character as \u0000 does.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r > 0xffff {
			return quote(s)
		}
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return `"` + b.String() + `"`
}
