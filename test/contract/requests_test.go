package contract_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"mfa-enrollment/test/world"
)

// wire is one request as it is sent: its bytes, and what is known of it.
type wire struct {
	method string
	path   string // without a query
	bytes  []byte
	made   []string // what must not come back
	// invalid says that the contract is broken for certain: no 2xx may follow.
	invalid bool
	// alone says that nothing sensible can follow on the same connection, and
	// hangUp that the server would wait for more.
	alone, hangUp bool
	about         []string // what is odd, for whoever reads a fault
}

// draft is a request in the making.
type draft struct {
	wire
	*generator
	query   string
	headers []string // lines
	content []byte
	framing string // "", "chunked", or raw lines in the place of Content-Length
	schema  *openapi3.Schema
	members body
	bodied  bool            // the body is the members as JSON
	cut     bool            // what was broken may be cut off
	touched map[string]bool // members that were broken
}

func (d *draft) say(what string, invalid bool) {
	d.about = append(d.about, what)
	d.invalid = d.invalid || invalid
}

// operation is one of the contract.
type operation struct {
	path, method string
	*openapi3.Operation
}

func operationsOf(spec *openapi3.T) []operation {
	var all []operation
	for _, path := range slices.Sorted(maps.Keys(spec.Paths.Map())) {
		for method, o := range spec.Paths.Value(path).Operations() {
			all = append(all, operation{path, method, o})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.OperationID, b.OperationID) })
	return all
}

// people hands out credentials that work, so that not every request ends at
// the first check.
type people struct {
	*world.World
	mu     sync.Mutex
	tokens map[string]held
}

// held is a token and when it was made.
type held struct {
	token string
	made  time.Time
}

func (p *people) token(g *generator) (user, token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	user, now := world.Person(g.IntN(crowdSize)), p.Clock.Now()
	h := p.tokens[user]
	if now.Sub(h.made) > 10*time.Minute {
		h = held{p.Token(world.Optional, world.OptionalClient, user), now}
		p.tokens[user] = h
	}
	return user, h.token
}

// crowdSize is how many people there are.
const crowdSize = 20

// request makes the request of that number: for an operation of the contract,
// and in four cases of five broken in one to three ways.
func (p *people) request(operations []operation, seed, number uint64) wire {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, number))}
	o := pick(g, operations)
	d := &draft{generator: g, wire: wire{method: o.method, path: o.path}, touched: map[string]bool{}}
	if o.RequestBody != nil {
		d.schema = o.RequestBody.Value.Content["application/json"].Schema.Value
		d.members, d.bodied = g.object(d.schema), true
	}
	p.credentials(d)
	if !g.oneIn(5) {
		for range 1 + g.IntN(3) {
			pick(g, []func(*draft){breakMembers, breakMembers, breakMembers, breakBody, breakHeaders, breakHeaders, breakFraming, breakLine, breakAuthorization})(d)
		}
	}
	return d.finish()
}

// credentials gives a request one that works: a token, or a session with what
// belongs to it.
func (p *people) credentials(d *draft) {
	user, token := p.token(d.generator)
	if !d.oneIn(4) {
		d.headers = append(d.headers, fmt.Sprintf("X-Forwarded-For: 198.51.%d.%d", d.IntN(256), d.IntN(256)))
	}
	set := func(name, value string) {
		if d.schema == nil || d.schema.Properties[name] == nil {
			return
		}
		d.members = slices.DeleteFunc(d.members, func(m member) bool { return m.name == name })
		d.members = append(d.members, member{name, quote(value)})
	}
	switch {
	case d.oneIn(6): // As it was generated: a session that is made up, or none.
	case d.path == "/v1/auth/challenge" || d.schema != nil && d.schema.Properties["session"] != nil && d.oneIn(3):
		user = pick(d.generator, []string{"ada", "grace", "linus"})
		session := p.Cognito.Session(world.Required, world.RequiredClient, user)
		d.submitted(session)
		set("session", session)
		set("username", user)
		set("clientId", world.RequiredClient)
	default:
		d.members = slices.DeleteFunc(d.members, func(m member) bool { return slices.Contains([]string{"session", "username", "clientId"}, m.name) })
		d.headers = append(d.headers, "Authorization: Bearer "+token)
		d.submitted(token)
		if secret := p.Cognito.PendingSecret(world.Optional, user); secret != "" && d.oneIn(2) {
			set("code", p.CodeAt(secret, 0))
		}
	}
}

// breakMembers breaks one member of the body.
func breakMembers(d *draft) {
	if !d.bodied || len(d.members) == 0 {
		return
	}
	i := d.IntN(len(d.members))
	m := d.members[i]
	schema := d.schema.Properties[m.name]
	if schema == nil || d.touched[m.name] {
		return
	}
	d.touched[m.name] = true
	switch d.IntN(8) {
	case 0:
		d.members = slices.Delete(d.members, i, i+1)
		d.say("no "+m.name, slices.Contains(d.schema.Required, m.name))
	case 1:
		d.members = append(d.members, member{d.unlikely(10), quote(d.unlikely(12))})
		d.say("a member too many", true)
	case 2:
		d.members[i].value = d.odd(schema.Value)
		d.say("an odd "+m.name, false)
	case 3:
		d.members = append(d.members, member{m.name, d.broken(schema.Value)})
		d.say(m.name+" twice, the second broken", true)
	case 4:
		d.members = append(body{{m.name, d.broken(schema.Value)}}, d.members...)
		d.say(m.name+" twice, the first broken", true)
	case 5:
		d.members[i].name = pick(d.generator, []string{strings.ToUpper(m.name), m.name + " ", " " + m.name, m.name + "\x00", strings.ToUpper(m.name[:1]) + m.name[1:]})
		d.say(m.name+" by another name", true)
	default:
		d.members[i].value = d.broken(schema.Value)
		d.say("a broken "+m.name, true)
	}
}

// breakBody does something to the body as a whole.
func breakBody(d *draft) {
	if !d.bodied {
		if d.content == nil {
			d.content = []byte(quote(d.unlikely(pick(d.generator, []int{40, 70 << 10}))))
			d.headers = append(d.headers, "Content-Type: application/json")
			d.say("a body where none belongs", false)
		}
		return
	}
	whole := d.members.String()
	type breakage struct {
		about   string
		content string
		invalid bool
	}
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, _ = zip.Write([]byte(whole))
	_ = zip.Close()
	b := pick(d.generator, []breakage{
		{"an empty body", "", false},
		{"a body cut short", whole[:len(whole)-1], true},
		{"two documents", whole + whole, true},
		{"a tail", whole + d.unlikely(20), true},
		{"a byte order mark", "\ufeff" + whole, false},
		{"UTF-16", utf16(whole), true},
		{"white space around it", strings.Repeat(" \n\t\r", 500) + whole + strings.Repeat(" ", 500), false},
		{"exactly 64 KiB", pad(whole, 64<<10), false},
		{"one byte more than 64 KiB", pad(whole, 64<<10+1), true},
		{"100 KiB", pad(whole, 100<<10), true},
		{"an array", "[" + whole + "]", true},
		{"a string", quote(d.unlikely(30)), true},
		{"null", "null", true},
		{"a number", "918273645546372819", true},
		{"nothing of JSON", d.unlikely(200), true},
		{"10,000 arrays in one another", strings.Repeat("[", 10000), true},
		{"gzip, and not said", zipped.String(), true},
		{"a form", "code=" + d.unlikely(10), true},
		{"XML", "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;" + d.unlikely(9) + "</a>", true},
	})
	if !strings.Contains(b.content, whole) {
		d.invalid = false // Whatever was broken before is gone.
	}
	d.content, d.bodied = []byte(b.content), false
	d.headers = append(d.headers, "Content-Type: application/json")
	d.say(b.about, b.invalid)
}

func pad(s string, to int) string { return s + strings.Repeat(" ", max(to-len(s), 0)) }

func utf16(s string) string {
	b := []byte{0xfe, 0xff}
	for _, r := range s {
		b = append(b, byte(r>>8), byte(r)) //nolint:gosec // Cut as UTF-16 written by a careless hand is.
	}
	return string(b)
}

// breakHeaders adds headers that are odd.
func breakHeaders(d *draft) {
	type breakage struct {
		about, line string
		invalid     bool
	}
	value := d.unlikely(16)
	b := pick(d.generator, []breakage{
		{"Accept nothing", "Accept: text/" + value, false},
		{"Accept garbage", "Accept: ;;;,,,q=" + value, false},
		{"Accept the picture", "Accept: image/png", false},
		{"Accept with many ranges", "Accept: " + strings.Repeat("text/a;q=0.5,", 300) + "*/*;q=0.001", false},
		{"Accept-Encoding", "Accept-Encoding: gzip, br, " + value, false},
		{"another content type", "Content-Type: " + pick(d.generator, []string{"text/plain", "application/xml", "application/" + value, value, "application/json;", "application/json; charset=utf-16", "multipart/form-data; boundary=" + value}), false},
		{"compressed, it says", "Content-Encoding: " + pick(d.generator, []string{"gzip", "deflate", "br", "identity", value}), false},
		{"a request id", "X-Request-Id: " + pick(d.generator, []string{value + " <script>", value + strings.Repeat("x", 200), "\t" + value + "\x80"}), false},
		{"8 KiB of header", "X-Long: " + d.unlikely(8<<10), false},
		{"20 KiB of header", "X-Long: " + d.unlikely(20<<10), false},
		{"many headers", strings.TrimSuffix(strings.Repeat("X-"+value+": "+value+"\r\n", 200), "\r\n"), false},
		{"a cookie", "Cookie: session=" + value, false},
		{"a forged address", "X-Forwarded-For: " + value + ", 1.2.3.4, ::1, 999.999.999.999", false},
		{"a forged host", "X-Forwarded-Host: " + value, false},
		{"another method, it says", "X-HTTP-Method-Override: DELETE", false},
		{"another URL, it says", "X-Original-URL: /metrics/" + value, false},
		{"an origin", "Origin: https://" + value, false},
		{"the front end's origin", "Origin: https://app.example.com", false},
		{"a preflight's header", "Access-Control-Request-Method: " + value, false},
		{"a range", "Range: bytes=0-10", false},
		{"a condition", "If-None-Match: *", false},
		{"an expectation", "Expect: " + pick(d.generator, []string{"100-continue", value}), false},
		{"an upgrade", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + pick(d.generator, []string{"h2c", "websocket", value}) + "\r\nHTTP2-Settings: AAMAAABkAAQAAP__", false},
		{"a trace", "Traceparent: 00-" + strings.Repeat("0", 32) + "-" + value + "\r\nTracestate: " + strings.Repeat("a=b,", 100), false},
		{"bytes that are no UTF-8", "X-Odd: " + value + "\xff\xfe", false},
		{"a NUL", "X-Odd: " + value + "\x00", false},
		{"no colon", value, false},
		{"a name with a space", "X Odd: " + value, false},
		{"a folded line", "X-Odd: " + value + "\r\n folded", false},
		{"no name", ": " + value, false},
	})
	switch b.about {
	case "an expectation", "an upgrade", "a NUL", "no colon", "a name with a space", "a folded line", "no name", "20 KiB of header":
		d.alone = true
	}
	d.headers = append(d.headers, b.line)
	d.say(b.about, b.invalid)
}

// breakAuthorization does something to the credential.
func breakAuthorization(d *draft) {
	value := d.unlikely(24)
	line := pick(d.generator, []string{
		"Authorization: Bearer " + value, "Authorization: bearer " + value, "Authorization: Basic " + value, "Authorization: Bearer", "Authorization:",
		"Authorization: " + value, "Authorization: Bearer " + value + "." + value + "." + value, "Authorization: Bearer " + d.unlikely(25<<10), "Authorization: Bearer \xff" + value,
		"Authorization: Bearer " + value + ", Bearer " + value, "Authorization: Bearer eyJhbGciOiJub25lIn0." + value + ".",
	})
	if d.oneIn(2) {
		d.headers = slices.DeleteFunc(d.headers, func(l string) bool { return strings.HasPrefix(l, "Authorization") })
	}
	d.headers = append(d.headers, line)
	d.say("another Authorization", false)
}

// breakFraming sends the body in a way that few would.
func breakFraming(d *draft) {
	d.framing = pick(d.generator, []string{
		"tiny chunks", "extensions", "trailer", "two lengths", "a length too long", "a length too short", "a length that is none", "chunks and a length",
		"a chunk's length that is none", "a chunk's length too long", "chunks that never end", "another coding", "chunked twice", "nothing after the chunks",
	})
	d.alone = d.framing != "tiny chunks" && d.framing != "extensions" && d.framing != "trailer"
	d.hangUp = d.framing == "a length too long" || d.framing == "chunks that never end" || d.framing == "nothing after the chunks"
	d.say(d.framing, false)
	d.cut = d.cut || d.framing == "a length too short"
}

// breakLine changes the method or the path.
func breakLine(d *draft) {
	value := d.unlikely(12)
	switch d.IntN(4) {
	case 0:
		d.method = pick(d.generator, []string{"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "post", "Get", value, strings.Repeat("M", 2000), "PROPFIND"})
		d.say("method "+d.method[:min(len(d.method), 20)], false)
	case 1:
		d.query = "?" + pick(d.generator, []string{value, "session=" + value, "a=%zz" + value, "%00" + value, strings.Repeat("a="+value+"&", 100), "code=123456&code=" + value, ";" + value})
		d.say("a query", false)
	case 2:
		d.path += pick(d.generator, []string{"/", "//", "/.", "/..", "/" + value, "%2f" + value, "%00", ";a=" + value, ".json", "%20", "/%2e%2e/%2e%2e/metrics", "%c0%af", "%"})
		d.say("more of the path", false)
	default:
		d.path = pick(d.generator, []string{
			"/", "//v1/mfa", "/v1", "/V1/MFA", "/v1//mfa/totp", "/v1/mfa/../mfa/totp", "/./v1/mfa", "/metrics", "/healthz", "/readyz", "/debug/pprof/", "/loglevel", "/openapi.yaml", "/favicon.ico",
			"/" + value, "/" + d.unlikely(8000), "*", "http://" + value + "/v1/mfa", "v1/mfa", "\\v1\\mfa", "/v1/mfa/totp/" + strings.Repeat("a/", 500), "/v1/\xff" + value, "/%ff" + value, "/v1/mfa#" + value,
		})
		d.say("another path", false)
	}
}

// finish writes the request down.
func (d *draft) finish() wire {
	if d.bodied {
		d.content = []byte(d.members.String())
		if d.content = bytes.ReplaceAll(d.content, []byte(`\u003c`), []byte("<")); !slices.ContainsFunc(d.headers, func(l string) bool { return strings.HasPrefix(l, "Content-Type") }) {
			d.headers = append(d.headers, "Content-Type: application/json")
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s%s HTTP/1.1\r\nHost: 127.0.0.1\r\n", d.method, d.path, d.query)
	for _, line := range d.headers {
		b.WriteString(line + "\r\n")
	}
	d.frame(&b)
	d.bytes, d.wire.made = b.Bytes(), d.generator.made
	d.invalid = d.invalid && !d.cut
	d.path, _, _ = strings.Cut(d.path, "?")
	d.alone = d.alone || len(d.path) > 4000 // Headers may be too large together.
	return d.wire
}

// frame ends the head of the request and writes the body.
func (d *draft) frame(b *bytes.Buffer) {
	const chunked = "Transfer-Encoding: chunked\r\n"
	chunks := func(size int, extension string) string {
		var all strings.Builder
		for part := range slices.Chunk(d.content, size) {
			fmt.Fprintf(&all, "%x%s\r\n%s\r\n", len(part), extension, part)
		}
		return all.String()
	}
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }
	n, content := len(d.content), string(d.content)
	switch d.framing {
	case "":
		if n > 0 || d.method == http.MethodPost || d.method == http.MethodPut {
			b.WriteString(length(n))
		}
		b.WriteString("\r\n" + content)
	case "tiny chunks":
		b.WriteString(chunked + "\r\n" + chunks(7, "") + "0\r\n\r\n")
	case "extensions":
		b.WriteString(chunked + "\r\n" + chunks(100, `;a="`+mark+`"`) + "0\r\n\r\n")
	case "trailer":
		b.WriteString(chunked + "Trailer: X-Tail\r\n\r\n" + chunks(100, "") + "0\r\nX-Tail: a\r\n\r\n")
	case "two lengths":
		b.WriteString(length(n) + length(n+1) + "\r\n" + content)
	case "a length too long":
		b.WriteString(length(n+100) + "\r\n" + content)
	case "a length too short":
		b.WriteString(length(n/2) + "\r\n" + content)
	case "a length that is none":
		b.WriteString("Content-Length: " + pick(d.generator, []string{"-1", "1e3", "99999999999999999999", "0x10", " "}) + "\r\n\r\n" + content)
	case "chunks and a length":
		b.WriteString(chunked + length(n) + "\r\n" + chunks(50, "") + "0\r\n\r\n")
	case "a chunk's length that is none":
		b.WriteString(chunked + "\r\nzz\r\n" + content + "\r\n0\r\n\r\n")
	case "a chunk's length too long":
		b.WriteString(chunked + "\r\nfffffffffffffffff\r\n" + content + "\r\n0\r\n\r\n")
	case "chunks that never end":
		b.WriteString(chunked + "\r\n" + chunks(50, ""))
	case "another coding":
		b.WriteString("Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks(50, "") + "0\r\n\r\n")
	case "chunked twice":
		b.WriteString(chunked + chunked + "\r\n" + chunks(50, "") + "0\r\n\r\n")
	case "nothing after the chunks":
		b.WriteString(chunked + "\r\n" + chunks(50, "") + "0\r\n")
	}
}
