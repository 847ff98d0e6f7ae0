package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/app"
	"mfa-enrollment/test/world"
)

// wrong is a configuration that is not what its author meant, by what is wrong
// with it: what it changes in one that is right.
type wrong struct {
	name   string
	change map[string]string
}

func wrongConfigurations() []wrong {
	const key, otherKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk="
	return []wrong{
		{"a Redis URI", map[string]string{"REDIS_URI": "redis://127.0.0.1:6379"}},
		{"one trusted proxy", map[string]string{"TRUSTED_PROXY": "10.0.0.1"}},
		{"a level without underscore", map[string]string{"LOGLEVEL": "DEBUG"}},
		{"step-up in one word", map[string]string{"STEPUP_MAX_AGE": "5m"}},
		{"a variable in small letters", map[string]string{"redis_url": "redis://127.0.0.1:6379"}},
		{"a misspelled file", map[string]string{"SEAL_KEY_FILE": "/run/secrets/seal-keys"}},
		{"a certificate without FILE", map[string]string{"TLS_CERT": "cert.pem", "TLS_KEY": "key.pem"}},
		{"the pool in the singular", map[string]string{"COGNITO_USER_POOL_IDS": "", "COGNITO_USER_POOL_ID": "eu-west-1_AbCdEfGhI"}},
		{"the client in the singular", map[string]string{"COGNITO_CLIENT_IDS": "", "COGNITO_CLIENT_ID": "client1"}},
		{"nothing at all", map[string]string{"COGNITO_USER_POOL_IDS": "", "COGNITO_CLIENT_IDS": "", "TOTP_ISSUER": ""}},
		{"three faults", map[string]string{"PENDING_TTL": "25h", "LOG_LEVEL": "LOUD", "TOTP_ISSUER": "a:b"}},

		{"a port alone", map[string]string{"ADDR": "8080"}},
		{"both listeners at one address", map[string]string{"ADDR": ":8080", "ADMIN_ADDR": ":8080"}},
		{"an ARN for a pool", map[string]string{"COGNITO_USER_POOL_IDS": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEfGhI"}},
		{"pools of two regions", map[string]string{"COGNITO_USER_POOL_IDS": "eu-west-1_AbCdEfGhI,us-east-1_AbCdEfGhI"}},
		{"a region that nobody knows", map[string]string{"COGNITO_USER_POOL_IDS": "eu-west-9_AbCdEfGhI"}},
		{"a pool twice", map[string]string{"COGNITO_USER_POOL_IDS": "eu-west-1_AbCdEfGhI,eu-west-1_AbCdEfGhI"}},
		{"a client twice", map[string]string{"COGNITO_CLIENT_IDS": "client1,client1"}},
		{"a secret without its client", map[string]string{"COGNITO_CLIENT_SECRETS": "a-secret"}},
		{"a secret of another client", map[string]string{"COGNITO_CLIENT_SECRETS": "client2=a-secret"}},
		{"two secrets of one client", map[string]string{"COGNITO_CLIENT_SECRETS": "client1=a-secret,client1=another"}},
		{"an endpoint without scheme", map[string]string{"COGNITO_ENDPOINT": "localhost:9229"}},
		{"an endpoint in clear elsewhere", map[string]string{"COGNITO_ENDPOINT": "http://cognito.invalid:9229"}},
		{"an endpoint beside FIPS", map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}},
		{"FIPS, perhaps", map[string]string{"AWS_USE_FIPS_ENDPOINT": "yes"}},
		{"an issuer with a colon", map[string]string{"TOTP_ISSUER": "Example: staging"}},
		{"a label that is none", map[string]string{"ACCOUNT_LABEL": "mail"}},
		{"every origin", map[string]string{"CORS_ALLOWED_ORIGINS": "*"}},
		{"an origin with a slash", map[string]string{"CORS_ALLOWED_ORIGINS": "https://app.example.com/"}},
		{"an origin twice", map[string]string{"CORS_ALLOWED_ORIGINS": "https://app.example.com,https://app.example.com"}},
		{"everybody a trusted proxy", map[string]string{"TRUSTED_PROXIES": "0.0.0.0/0"}},
		{"everybody a trusted proxy, IPv6", map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8,::/0"}},
		{"half of the world trusted", map[string]string{"TRUSTED_PROXIES": "128.0.0.0/1"}},
		{"a proxy's range that is none", map[string]string{"TRUSTED_PROXIES": "10.0.0.0/99"}},
		{"a proxy by name", map[string]string{"TRUSTED_PROXIES": "proxy.internal"}},
		{"a proxy twice", map[string]string{"TRUSTED_PROXIES": "10.0.0.1,10.0.0.1/32"}},

		{"Redis without scheme", map[string]string{"REDIS_URL": "redis.internal:6379", "SEAL_KEYS": key}},
		{"Redis with an option that is none", map[string]string{"REDIS_URL": "redis://127.0.0.1:6379?timeout=3s", "SEAL_KEYS": key}},
		{"Redis without seal keys", map[string]string{"REDIS_URL": "redis://{refuses}"}},
		{"Redis that does not answer", map[string]string{"REDIS_URL": "redis://{refuses}", "SEAL_KEYS": key}},
		{"Redis that speaks no TLS", map[string]string{"REDIS_URL": "rediss://{plain}?dial_timeout=30s&read_timeout=30s&write_timeout=30s", "SEAL_KEYS": key}},
		{"Redis that wants TLS", map[string]string{"REDIS_URL": "redis://{tls}?dial_timeout=30s&read_timeout=30s&write_timeout=30s", "SEAL_KEYS": key}},
		{"a seal key in hex", map[string]string{"SEAL_KEYS": strings.Repeat("0f", 32)}},
		{"a rotation to the same key", map[string]string{"SEAL_KEYS": key + "," + otherKey + "," + key}},

		{"a duration without unit", map[string]string{"PENDING_TTL": "900"}},
		{"a duration in words", map[string]string{"STEP_UP_MAX_AGE": "15 minutes"}},
		{"pending for too long", map[string]string{"PENDING_TTL": "25h"}},
		{"sessions longer than Cognito's", map[string]string{"AUTH_SESSION_VALIDITY": "1h"}},
		{"a delay backwards", map[string]string{"SHUTDOWN_DELAY": "-5s"}},
		{"a quota above Cognito's", map[string]string{"COGNITO_WRITE_RPS": "250"}},
		{"a quota of nothing", map[string]string{"COGNITO_WRITE_RPS": "0"}},
		{"a quota in words", map[string]string{"COGNITO_WRITE_RPS": "many"}},
		{"no connection at all", map[string]string{"MAX_CONNECTIONS": "0"}},
		{"a certificate without key", map[string]string{"TLS_CERT_FILE": "/nonexistent/cert.pem"}},
		{"a certificate that is not there", map[string]string{"TLS_CERT_FILE": "/nonexistent/cert.pem", "TLS_KEY_FILE": "/nonexistent/key.pem"}},
		{"a file that is not there", map[string]string{"REDIS_URL_FILE": "/nonexistent/redis-url"}},
		{"a variable and its file", map[string]string{"TOTP_ISSUER_FILE": "/run/secrets/issuer"}},
		{"a collector without scheme", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}},
		{"a level that is none", map[string]string{"LOG_LEVEL": "LOUD"}},
		{"profiling, perhaps", map[string]string{"PROFILING": "on"}},
	}
}

// TestWrongConfigurations runs the service with each, and holds its exit status
// and what it says against a golden file. Those that it starts with have status 0,
// the end that the test makes.
func TestWrongConfigurations(t *testing.T) {
	refuses, plain := addressThat(t, nil), addressThat(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "-ERR unknown command\r\n")
	})
	overTLS := httptest.NewUnstartedServer(nil)
	overTLS.Config.ErrorLog = log.New(io.Discard, "", 0)
	overTLS.StartTLS()
	defer overTLS.Close()
	var golden strings.Builder
	for _, w := range wrongConfigurations() {
		env := unreachable(w.change)
		for name, value := range env {
			env[name] = strings.NewReplacer("{refuses}", refuses, "{plain}", plain, "{tls}", overTLS.Listener.Addr().String()).Replace(value)
		}
		status, said := tryConfiguration(t, env)
		fmt.Fprintf(&golden, "%s\n", w.name)
		for _, name := range slices.Sorted(maps.Keys(w.change)) {
			fmt.Fprintf(&golden, "  %s=%s\n", name, w.change[name])
		}
		fmt.Fprintf(&golden, "exit %d\n", status)
		for _, line := range said {
			fmt.Fprintf(&golden, "  %s\n", line)
		}
		golden.WriteString("\n")
		if len(said) == 0 {
			t.Errorf("%s: nothing is said", w.name)
		}
	}
	world.Golden(t, "wrong-configurations.txt", golden.String())
}

// tryConfiguration runs the service until it has started or ended, and tells the
// exit status and what was said: faults on stderr, warnings in the log.
func tryConfiguration(t *testing.T, env map[string]string) (status int, said []string) {
	t.Helper()
	var events, faults world.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		defer cancel()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for !strings.Contains(events.String(), `"msg":"started"`) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	status = app.Run(ctx, world.Environ(env), &events, &faults)
	for line := range strings.Lines(faults.String()) {
		if !strings.HasPrefix(line, "The configuration is not right") {
			said = append(said, strings.TrimSpace(line))
		}
	}
	for line := range strings.Lines(events.String()) {
		var event struct{ Warning string }
		if err := json.Unmarshal([]byte(line), &event); err == nil && event.Warning != "" {
			said = append(said, "warning: "+event.Warning)
		}
	}
	return status, said
}

// addressThat answers each connection in its way; nil refuses them.
func addressThat(t *testing.T, answers func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if answers == nil {
		_ = l.Close()
		return l.Addr().String()
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			answers(c)
			defer func() { _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

// What a warning is about counts, so that a dashboard shows it when the log has
// been rotated away.
func TestConfigurationWarningsAreCounted(t *testing.T) {
	w := world.Prepare(t, world.Crowd(1))
	w.Options.Environ = []string{"REDIS_URI=redis://127.0.0.1", "KUBERNETES_SERVICE_HOST=10.0.0.1", "REDIS_PORT=tcp://10.0.0.2:6379", "SSL_CERT_FILE=/etc/ssl/ca.pem"}
	w.Run(map[string]string{"COGNITO_WRITE_RPS": "30"})
	if got := w.Metric("configuration_warnings_total"); got != "2" {
		t.Errorf("configuration_warnings_total is %s, want 2", got)
	}
	raised := world.New(t, map[string]string{"COGNITO_WRITE_RPS": "30", "COGNITO_QUOTA_RAISED": "true"})
	if got := raised.Metric("configuration_warnings_total"); got != "0" {
		t.Errorf("with a raised quota configuration_warnings_total is %s", got)
	}
}

// The names that a container has from elsewhere are not taken for misspelled.
func TestNamesOfOthersAreNotWarnedOf(t *testing.T) {
	var environ []string
	for _, name := range []string{
		"PATH", "HOME", "HOSTNAME", "PORT", "HOST", "LANG", "PWD", "USER", "TZ", "TERM", "SHLVL", "ADDRESS", "NODE_ENV", "LOG_FORMAT", "LOG_FILE",
		"KUBERNETES_PORT_443_TCP_ADDR", "REDIS_SERVICE_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_USER", "REDIS_TLS", "REDIS_SSL", "REDIS_DB", "REDIS_HOST",
		"AWS_REGION", "AWS_USE_PATH_STYLE_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ROLE_ARN", "ECS_CONTAINER_METADATA_URI_V4",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "NO_PROXY", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG", "OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_HEADERS",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_SAMPLER",
	} {
		environ = append(environ, name+"=x")
	}
	w := world.Prepare(t, world.Crowd(1))
	w.Options.Environ = environ
	w.Run(nil)
	if got := w.Metric("configuration_warnings_total"); got != "0" {
		t.Errorf("configuration_warnings_total is %s:\n%s", got, w.Log.String())
	}
}
