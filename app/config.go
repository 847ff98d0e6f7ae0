package app

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"mfa-enrollment/cognito"
	"mfa-enrollment/internal/enroll"
	"mfa-enrollment/internal/events"
	"mfa-enrollment/internal/token"
)

// Config is the whole configuration. Each field is one environment variable;
// `doc` is its line in the README, which a test keeps true. Any variable can
// come from a file instead, through NAME_FILE.
type Config struct {
	Addr      string `env:"ADDR" envDefault:":8080" doc:"Where the API listens."`
	AdminAddr string `env:"ADMIN_ADDR" envDefault:":9090" doc:"Where /metrics, /healthz and /readyz listen. Keep it inside."`

	UserPoolIDs     []string      `env:"COGNITO_USER_POOL_IDS" required:"yes" doc:"The user pools whose tokens are taken, comma-separated, all of one region. Tokens of either issuer type (ORIGINAL, UPDATED) are good."`
	ClientIDs       []string      `env:"COGNITO_CLIENT_IDS" required:"yes" doc:"The app clients whose tokens are taken and whose challenges are answered, comma-separated."`
	ClientSecrets   ClientSecrets `env:"COGNITO_CLIENT_SECRETS" doc:"The secrets of the app clients that have one: id=secret, comma-separated."`
	CognitoEndpoint string        `env:"COGNITO_ENDPOINT" doc:"Another endpoint than AWS's, for tests. Tokens must still name AWS's issuer; the keys come from ENDPOINT/POOL/.well-known/jwks.json."`
	UseFIPS         bool          `env:"AWS_USE_FIPS_ENDPOINT" envDefault:"false" doc:"Call Cognito's FIPS endpoint, as the SDK resolves it. AWS GovCloud (US) needs it. Issuers and keys stay where they are."`
	UseDualStack    bool          `env:"AWS_USE_DUALSTACK_ENDPOINT" envDefault:"false" doc:"Call Cognito's dual-stack (IPv4 and IPv6) endpoint, as the SDK resolves it. Issuers and keys stay where they are."`

	TOTPIssuer   string `env:"TOTP_ISSUER" required:"yes" doc:"The name that the authenticator app shows, at most 64 characters (128 bytes of UTF-8), no colon."`
	AccountLabel string `env:"ACCOUNT_LABEL" envDefault:"email" doc:"What names the account in the app when the request does not: email, phone_number, preferred_username or username."`

	CORSAllowedOrigins []string  `env:"CORS_ALLOWED_ORIGINS" doc:"The origins of browser front ends, exactly as browsers send them, comma-separated. Empty: no CORS."`
	TrustedProxies     []Network `env:"TRUSTED_PROXIES" doc:"Addresses or CIDR ranges of the proxies whose X-Forwarded-For is believed, comma-separated. Empty: none."`

	RedisURL   enroll.Secret   `env:"REDIS_URL" doc:"Redis or Valkey that the replicas share: redis://, rediss:// and what else go-redis parses. Empty: memory."`
	SealKeys   []enroll.Secret `env:"SEAL_KEYS" doc:"Keys that seal pending enrollments and events, base64 of 32 bytes each, comma-separated: the first seals, all open. Required with REDIS_URL; else random at start."`
	PendingTTL time.Duration   `env:"PENDING_TTL" envDefault:"15m" doc:"How long a pending enrollment by token is kept. 0: nothing is kept, and Cognito's own behaviour is all there is."`

	AuthSessionValidity time.Duration   `env:"AUTH_SESSION_VALIDITY" envDefault:"3m" doc:"How long a sign-in session lives: AuthSessionValidity of the app clients, 3m to 15m."`
	CognitoWriteRPS     float64         `env:"COGNITO_WRITE_RPS" envDefault:"25" doc:"The account's quota of Cognito's UserResourceUpdate category, in calls a second."`
	QuotaRaised         bool            `env:"COGNITO_QUOTA_RAISED" envDefault:"false" doc:"Says that AWS raised the account's quota, so that COGNITO_WRITE_RPS above 25 is meant."`
	PassPoolMessages    bool            `env:"PASS_POOL_MESSAGES" envDefault:"false" doc:"Pass on, as poolMessage, what a Lambda trigger of the user pool says when it refuses: plain text, at most 200 characters. Allow it only where the triggers write for people."`
	StepUpMaxAge        time.Duration   `env:"STEP_UP_MAX_AGE" envDefault:"15m" doc:"How old a sign-in may be that replaces or switches off a working authenticator app. 0: any age."`
	MFAPolicy           MFAPolicy       `env:"MFA_POLICY" doc:"Whom front ends ask to set up a second factor, as next in the MFA status: rules such as \"offer; require for admins; require from 2027-03-01 for staff, support\". Groups are the access token's; without \"for\" a rule is for everybody, and a date is midnight UTC (an RFC 3339 time will do, too). The strictest rule that applies counts. Advice: the pool decides what a sign-in asks for. Empty: nobody."`
	EventsURL           enroll.Secret   `env:"EVENTS_URL" doc:"Where events go, such as an app that was replaced: CloudEvents by POST, https:// (http:// to loopback alone). Empty: no events."`
	EventsSecrets       []enroll.Secret `env:"EVENTS_SECRETS" doc:"What signs events as Standard Webhooks says: whsec_ and base64 of 24 to 64 bytes each, comma-separated; all of them sign. Required with EVENTS_URL."`
	TLSCertFile         string          `env:"TLS_CERT_FILE" doc:"A PEM file with the certificate chain: the API speaks TLS 1.3, and takes a renewed file without a restart. Empty: HTTP/1.1 and h2c, for a proxy in front."`
	TLSKeyFile          string          `env:"TLS_KEY_FILE" doc:"The PEM file with its private key."`
	MaxConnections      int             `env:"MAX_CONNECTIONS" envDefault:"4000" doc:"Connections that the API holds at once, some 25 kB each. Beyond them the one that was idle for longest is closed. One address has a tenth of them; TRUSTED_PROXIES have no such bound."`
	ShutdownDelay       time.Duration   `env:"SHUTDOWN_DELAY" envDefault:"0s" doc:"How long the service goes on answering after SIGTERM, while /readyz fails already: longer than the load balancer in front takes to notice. The process ends at most 20 seconds later. 0 to 10m."`
	Profiling           bool            `env:"PROFILING" envDefault:"false" doc:"Serve /debug/pprof/ on the admin address."`
	TraceEndpoint       string          `env:"OTEL_EXPORTER_OTLP_ENDPOINT" doc:"Where traces go by OTLP over HTTP, such as http://collector:4318. Empty: no traces. OpenTelemetry's other OTEL_ variables count too."`
	LogLevel            slog.Level      `env:"LOG_LEVEL" envDefault:"INFO" doc:"DEBUG, INFO, WARN or ERROR. PUT /loglevel on the admin address changes it while running."`
}

// Network is a range of addresses; a single address is a range of one.
type Network struct{ net.IPNet }

// UnmarshalText reads 10.0.0.0/8, 10.1.2.3 or their IPv6 counterparts.
func (n *Network) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if ip := net.ParseIP(s); ip != nil {
		bits := 8 * net.IPv6len
		if v4 := ip.To4(); v4 != nil {
			ip, bits = v4, 8*net.IPv4len
		}
		n.IPNet = net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)}
		return nil
	}
	_, network, err := net.ParseCIDR(s)
	if err != nil {
		return errors.New("wants addresses or CIDR ranges, such as 10.0.0.0/8")
	}
	n.IPNet = *network
	return nil
}

// ClientSecrets holds app clients' secrets by client id.
type ClientSecrets map[string]enroll.Secret

// UnmarshalText reads id=secret,id=secret. A secret may hold "=".
func (c *ClientSecrets) UnmarshalText(text []byte) error {
	*c = ClientSecrets{}
	for pair := range strings.SplitSeq(string(text), ",") {
		id, secret, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || id == "" || secret == "" {
			return errors.New("wants id=secret, comma-separated")
		}
		if before, twice := (*c)[id]; twice && before != enroll.Secret(secret) {
			return errors.New("wants one secret for each id")
		}
		(*c)[id] = enroll.Secret(secret)
	}
	return nil
}

// variable is one environment variable of the configuration.
type variable struct {
	Name, Default, Doc string
	Required           bool
}

// variables lists the configuration's variables in the order of the struct.
func variables() []variable {
	var list []variable
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		list = append(list, variable{
			Name: f.Tag.Get("env"), Default: f.Tag.Get("envDefault"), Doc: f.Tag.Get("doc"), Required: f.Tag.Get("required") != "",
		})
	}
	return list
}

// LoadConfig reads the configuration from an environment. Its error names every
// fault at once, each with the variable's name and what it wants, and holds no
// value.
func LoadConfig(getenv func(string) string) (Config, error) {
	values, faults := environment(getenv)
	var c Config
	err := env.ParseWithOptions(&c, env.Options{Environment: values})
	for _, e := range flatten(err) {
		name, fault := parseFault(e, values)
		faults = append(faults, fault)
		delete(values, name) // One fault is enough.
	}
	c.trim()
	faults = append(faults, c.faults(values)...)
	return c, errors.Join(faults...)
}

// trim allows spaces after the commas of a list.
func (c *Config) trim() {
	for _, list := range [][]string{c.UserPoolIDs, c.ClientIDs, c.CORSAllowedOrigins} {
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
	}
}

// environment collects the variables, and the contents of the files that
// NAME_FILE points to.
func environment(getenv func(string) string) (map[string]string, []error) {
	values := map[string]string{}
	var faults []error
	for _, v := range variables() {
		value, path := getenv(v.Name), getenv(v.Name+"_FILE")
		switch {
		case value != "" && path != "":
			faults = append(faults, fmt.Errorf("%s and %s_FILE are both set: set one", v.Name, v.Name))
		case path != "":
			content, err := os.ReadFile(path) //nolint:gosec // The operator says which file.
			if err != nil {
				faults = append(faults, fmt.Errorf("%s_FILE cannot be read", v.Name))
			}
			value = strings.TrimRight(string(content), "\r\n")
		}
		if value != "" {
			values[v.Name] = value
		} else if v.Required && path == "" {
			faults = append(faults, fmt.Errorf("%s is required: %s", v.Name, v.Doc))
		}
	}
	return values, faults
}

// flatten takes the library's collected errors apart.
func flatten(err error) []error {
	if all, ok := errors.AsType[env.AggregateError](err); ok {
		return all.Errors
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// parseFault names the variable whose value could not be parsed, and the format
// that it wants.
func parseFault(err error, values map[string]string) (name string, fault error) {
	p, ok := errors.AsType[env.ParseError](err)
	if !ok {
		return "", errors.New("the configuration cannot be read")
	}
	field, _ := reflect.TypeFor[Config]().FieldByName(p.Name)
	name = field.Tag.Get("env")
	standard := field.Tag.Get("envDefault")
	value := quoted(values[name])
	switch field.Type {
	case reflect.TypeFor[time.Duration]():
		return name, fmt.Errorf("%s: %s is not a duration such as %s", name, value, cmp.Or(strings.TrimPrefix(standard, "0s"), "15s"))
	case reflect.TypeFor[float64](), reflect.TypeFor[int]():
		return name, fmt.Errorf("%s: %s is not a number such as %s", name, value, standard)
	case reflect.TypeFor[bool]():
		return name, fmt.Errorf("%s: %s is neither true nor false", name, value)
	case reflect.TypeFor[slog.Level]():
		return name, fmt.Errorf("%s: %s is none of DEBUG, INFO, WARN and ERROR", name, value)
	case reflect.TypeFor[[]Network]():
		return name, fmt.Errorf("%s wants addresses or CIDR ranges such as 10.0.0.0/8, comma-separated", name)
	case reflect.TypeFor[ClientSecrets]():
		return name, fmt.Errorf("%s wants id=secret, comma-separated, and one secret for each id", name)
	default:
		return name, fmt.Errorf("%s cannot be read: %s", name, field.Tag.Get("doc"))
	}
}

// quoted is a value in the text of a fault. A long one may be a secret that got
// into the wrong variable.
func quoted(value string) string {
	if len(value) > 12 {
		return "the value"
	}
	return value
}

var (
	poolID   = regexp.MustCompile(`^([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})_[0-9A-Za-z]+$`)
	clientID = regexp.MustCompile(`^[A-Za-z0-9_+-]{1,128}$`)
	// An origin has no capitals, no path and no wildcard. The default port is left
	// out, and the origin of some schemes is always null.
	origin = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[1-9][0-9]{0,4})?$`)
	// endsInNumber says that a host is an address, or none (URL Standard, "ends in a
	// number checker").
	endsInNumber = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)
	neverSent    = regexp.MustCompile(`^(https://.*:443|http://.*:80|(about|blob|data|file|ftp|javascript|wss?)://.*)$`)
)

// accountLabels are the values of ACCOUNT_LABEL.
var accountLabels = []string{"email", "phone_number", "preferred_username", "username"}

// sealKeys are the decoded SEAL_KEYS of a configuration without faults.
func (c Config) sealKeys() (keys [][]byte) {
	for _, key := range c.SealKeys {
		raw, _ := base64.StdEncoding.DecodeString(key.Reveal())
		keys = append(keys, raw)
	}
	return keys
}

// eventsSecrets are the decoded EVENTS_SECRETS of a configuration without faults.
func (c Config) eventsSecrets() (secrets [][]byte) {
	for _, s := range c.EventsSecrets {
		secret, _ := events.ParseSecret(s)
		secrets = append(secrets, secret)
	}
	return secrets
}

// networks are the trusted proxies.
func (c *Config) networks() []*net.IPNet {
	networks := make([]*net.IPNet, len(c.TrustedProxies))
	for i, n := range c.TrustedProxies {
		networks[i] = &n.IPNet
	}
	return networks
}

// region is the one region of all pools.
func (c *Config) region() string {
	region, _, _ := strings.Cut(c.UserPoolIDs[0], "_")
	return region
}

// pools are the configured user pools for the token verifier: the issuers that
// their tokens can name, and where their keys are. AWS_USE_FIPS_ENDPOINT and
// AWS_USE_DUALSTACK_ENDPOINT move neither.
func (c *Config) pools() ([]token.Pool, error) {
	const keys = "/.well-known/jwks.json"
	pools := make([]token.Pool, 0, len(c.UserPoolIDs))
	for _, id := range c.UserPoolIDs {
		issuers, err := cognito.IssuersOf(id)
		if err != nil {
			return nil, err
		}
		pool := token.Pool{
			ID: id, Issuers: []string{issuers.Original, issuers.Updated},
			KeyURLs: []string{issuers.Original + keys, issuers.Updated + keys},
		}
		if c.CognitoEndpoint != "" {
			pool.KeyURLs = []string{strings.TrimRight(c.CognitoEndpoint, "/") + "/" + id + keys}
		}
		pools = append(pools, pool)
	}
	return pools, nil
}

// client is the part of the configuration that says how Cognito is called.
func (c *Config) client() cognito.ClientOptions {
	return cognito.ClientOptions{
		Region: c.region(), Endpoint: c.CognitoEndpoint, FIPS: c.UseFIPS, DualStack: c.UseDualStack,
		ClientSecrets: c.ClientSecrets, PassPoolMessages: c.PassPoolMessages,
	}
}
