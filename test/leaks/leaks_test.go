package leaks_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// Names that no text of the service holds by chance.
const (
	leakUser   = "ottoline.quillfeather"
	leakOther  = "wilhelmina.zugspitz"
	leakDevice = "Ottoline's seventh telephone"
)

// oneOfMany is a person of a crowd: everybody has a limit, and failures come in
// numbers.
func oneOfMany(i int) string { return fmt.Sprintf("ottoline.quillfeather.the.%03d", i) }

const manyPeople = 150

// eventsKey is the base64 of what signs events.
const eventsKey = "b3R0b2xpbmUncy1ldmVudHMta2V5LTQ3MTE="

// leaks is a world in which everything is recorded.
type leaks struct {
	*world.World
	ledger *ledger
	sinks  []sink
	panics atomic.Bool   // the next call to Cognito panics
	broken *world.Buffer // problems and headers
	redis  *world.RedisServer
	dumps  world.Buffer
	faults world.Buffer // of the configuration
	events world.Buffer // that the operator's receiver got
	next   int          // of the crowd
}

// somebody is a person of the crowd who did nothing yet.
func (l *leaks) somebody() (user, token string) {
	user = oneOfMany(l.next % manyPeople)
	l.next++
	return user, l.Token(world.Optional, world.OptionalClient, user)
}

// manyAddresses is a front proxy behind which everybody has an address, since
// each address has a limit.
type manyAddresses struct {
	http.Transport
	requests atomic.Int64
}

func (m *manyAddresses) RoundTrip(r *http.Request) (*http.Response, error) {
	n := m.requests.Add(1)
	r.Header.Add("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", n/250, n%250))
	return m.Transport.RoundTrip(r)
}

// RoundTrip panics where it is told to, with the request as the panic's value:
// nothing could be more telling.
func (l *leaks) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.panics.Swap(false) {
		body, err := r.GetBody()
		if err == nil {
			content := make([]byte, 4096)
			n, _ := body.Read(content)
			panic(fmt.Sprintf("%v %s", r.Header, content[:n]))
		}
		panic(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// newLeaks starts the service with everything on that could tell something: all
// levels of the log, traces, profiles, Redis, TLS.
func newLeaks(t *testing.T) *leaks {
	t.Helper()
	redis := world.StartRedis(t)
	var spans, monitored, calls, standard world.Buffer
	l := &leaks{ledger: newLedger(), broken: &world.Buffer{}}

	pools := cognitotest.DemoPools()
	for i := range pools {
		names := []string{leakUser, leakOther}
		for n := range manyPeople {
			names = append(names, oneOfMany(n))
		}
		for _, name := range names {
			pools[i].Users = append(pools[i].Users, cognitotest.User{Username: name, Password: world.Password, Attributes: map[string]string{"email": name + "@example.com"}})
		}
	}
	l.World = world.Prepare(t, cognitotest.Options{Pools: pools})
	l.Options = app.Options{Transport: l, CallTimeout: time.Second}
	l.Endpoint = recorder(t, l.Endpoint, http.DefaultTransport, l.ledger, func(r *http.Request, _ *http.Response, body []byte) {
		if !strings.Contains(r.URL.Path, "jwks") {
			l.ledger.noteJSON(body)
		}
		// The body of a call is where a secret belongs; its address and its
		// headers are not.
		_, _ = fmt.Fprintln(&calls, r.URL)
		_ = r.Header.Write(&calls)
	})

	user, secret := "mfa-enrollment", "a-password-of-Redis-4711"
	if err := redis.Admin.Do(t.Context(), "ACL", "SETUSER", user, "on", ">"+secret, "~*", "&*", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	monitor(redis, &monitored) // From here on: the line above was the test's own doing.
	l.redis = redis
	seal := make([]byte, 32)
	if _, err := rand.Read(seal); err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := l.keyPair(t)
	l.note("key", string(seal), base64.StdEncoding.EncodeToString(seal))
	l.note("password", secret, "demo-secret", world.Password)

	log.SetOutput(&standard) // net/http's transport and others write there.
	t.Cleanup(func() { log.SetOutput(os.Stderr) })

	l.note("key", eventsKey)
	l.Run(map[string]string{
		"EVENTS_URL": l.receiver(t), "EVENTS_SECRETS": "whsec_" + eventsKey,
		"REDIS_URL": "unix://" + url.UserPassword(user, secret).String() + "@" + redis.Socket, "SEAL_KEYS": base64.StdEncoding.EncodeToString(seal),
		"OTEL_EXPORTER_OTLP_ENDPOINT": collector(t, &spans), "PROFILING": "true",
		"COGNITO_WRITE_RPS": "10000", "TRUSTED_PROXIES": "127.0.0.1",
		"TLS_CERT_FILE": certFile, "TLS_KEY_FILE": keyFile,
	})
	l.WaitReady()
	l.URL = recorder(t, "https://"+l.App.Addr(), &manyAddresses{Transport: http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}, l.ledger, func(_ *http.Request, res *http.Response, body []byte) {
		if res.StatusCode/100 == 2 {
			l.noteReply(res, body)
			body = nil // What was asked for may be told, in the body.
		}
		_, _ = l.broken.Write([]byte(shown(res, body)))
	})

	l.sinks = []sink{
		{"the log", func() string { return logged(l.Log.String()) }},
		{"the standard logger", standard.String},
		{"the traces", spans.String},
		{"what Redis was told", monitored.String},
		{"the dump of Redis", l.dumps.String},
		{"the faults of the configuration", l.faults.String},
		{"a call's address or headers", calls.String},
		{"a problem or a header", l.broken.String},
		{"an event", l.events.String},
	}
	return l
}

func (l *leaks) note(what string, values ...string) {
	for _, v := range values {
		l.ledger.note(what, v)
	}
}

func (l *leaks) noteReply(res *http.Response, body []byte) {
	if strings.HasPrefix(res.Header.Get("Content-Type"), "image/") {
		l.note("picture", string(body))
		return
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		l.ledger.noteJSON(body)
	}
}

// keyPair writes a certificate for loopback and notes its key.
func (l *leaks) keyPair(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pair := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	certFile, keyFile = filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	for path, content := range map[string][]byte{certFile: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), keyFile: pair} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	scalar, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	l.note("key", new(big.Int).SetBytes(scalar).String(), hex.EncodeToString(scalar), string(scalar))
	for _, line := range strings.Split(string(pair), "\n") {
		if !strings.HasPrefix(line, "-----") {
			l.note("key", line)
		}
	}
	return certFile, keyFile
}

// search looks everything through. What the admin address tells is asked for
// now, and the service is stopped first, so that the traces arrive.
func (l *leaks) search(t *testing.T) []finding {
	t.Helper()
	var admin strings.Builder
	for _, path := range []string{"/readyz", "/healthz", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1"} {
		r := l.Send("GET", l.Admin+path, nil)
		if r.Status != 200 {
			t.Errorf("%s: status %d", path, r.Status)
		}
		admin.WriteString(logged(string(r.Body)))
	}
	metrics := string(l.Send("GET", l.Admin+"/metrics", nil).Body)
	if !strings.Contains(metrics, "http_panics_total") {
		t.Error("no metrics were scraped")
	}
	l.Stop()
	searcher, size := newSearcher(l.ledger), 0
	var all []finding
	for _, s := range append(l.sinks, sink{"the admin address", admin.String}, sink{"a metric", func() string { return labels(metrics) }}) {
		text := s.text()
		t.Logf("%-28s %8d bytes", s.name, len(text))
		size += len(text)
		all = append(all, searcher.find(s.name, text)...)
	}
	t.Logf("%d values of %d sorts, %d forms each, in %d bytes: %d found", len(l.ledger.values), len(l.ledger.sorts), len(forms), size, len(all))
	return all
}

// With LEAK=1 the service's log gets one careless line in the middle, and the
// test fails.
func TestNothingLeaks(t *testing.T) {
	l := newLeaks(t)
	l.everyFlow(t)
	if os.Getenv("LEAK") == "1" {
		secret := l.Cognito.TOTPSecret(world.Optional, leakUser)
		_, _ = fmt.Fprintf(l.Log, `{"level":"DEBUG","msg":"careless","key":"%x"}`+"\n", secret)
	}
	l.everyFailure(t)
	l.withoutRedis()
	for _, f := range l.search(t) {
		t.Error(f)
	}
	// The test is worth nothing if it did not bring about what it looks for.
	for _, what := range []string{
		"token", "sign-in", "jti", "session", "code", "secret", "otpauthUri", "qrCode", "picture", "key", "password", "username", "accessToken", "refreshToken", "idToken",
		"SecretCode", "SECRET_HASH", "EncodedData", "message", "deviceName", "accountName", "path",
	} {
		if l.ledger.sorts[what] == 0 {
			t.Errorf("no %s was in play", what)
		}
	}
	for name, want := range map[string]string{
		"the log": "panic of type", "the traces": "Cognito VerifySoftwareToken", "what Redis was told": "mfa-enrollment:{",
		"the dump of Redis": "events:of:", "an event": "mfa-enrollment.app.enrolled", "a call's address or headers": "X-Amz-Target", "a problem or a header": "urn:mfa-enrollment:problem:internal",
	} {
		i := slices.IndexFunc(l.sinks, func(s sink) bool { return s.name == name })
		if !strings.Contains(l.sinks[i].text(), want) {
			t.Errorf("%s does not even hold %q", name, want)
		}
	}
}

// A test that finds nothing must be able to find something: here the service
// writes one careless line in the middle of a flow, as a leak would be.
func TestADeliberateLeakIsFound(t *testing.T) {
	for name, careless := range map[string]func(l *leaks, token string, e world.Object){
		"a secret in base64 in the log": func(l *leaks, _ string, e world.Object) {
			_, _ = fmt.Fprintf(l.Log, `{"msg":"careless","body":"%s"}`+"\n", base64.StdEncoding.EncodeToString([]byte("associated "+e["secret"].(string))))
		},
		"the middle of a token in a header of a call": func(l *leaks, token string, _ world.Object) {
			l.Options.Transport = nil
			r, err := http.NewRequest(http.MethodGet, l.Endpoint+"/"+world.Optional+"/.well-known/jwks.json", nil)
			if err != nil {
				panic(err)
			}
			r.Header.Set("X-Debug", token[40:90])
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				panic(err)
			}
			_ = res.Body.Close()
		},
		"a code in the standard logger": func(l *leaks, _ string, e world.Object) {
			log.Printf("checking %s", l.CodeAt(e["secret"].(string), 0))
			l.Verify(l.Token(world.Optional, world.OptionalClient, leakUser), world.Object{"code": l.CodeAt(e["secret"].(string), 0)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLeaks(t)
			token := l.Token(world.Optional, world.OptionalClient, leakUser)
			careless(l, token, l.Begin(token, nil).JSON(t))
			found := l.search(t)
			if len(found) == 0 {
				t.Error("the leak was not found")
			}
			for _, f := range found {
				t.Log("found:", f)
			}
		})
	}
}
