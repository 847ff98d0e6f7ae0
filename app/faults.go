package app

import (
	"cmp"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mfa-enrollment/internal/events"
	"mfa-enrollment/internal/qr"
	"mfa-enrollment/internal/redislink"
)

// faults checks what can be read but cannot be meant. Variables that are
// missing have been told of already.
func (c *Config) faults(set map[string]string) []error {
	var faults []error
	want := func(ok bool, name, wants string) {
		if _, isSet := set[name]; isSet && !ok {
			faults = append(faults, fmt.Errorf("%s wants %s", name, wants))
		}
	}
	regions := map[string]bool{}
	for _, id := range c.UserPoolIDs {
		m := poolID.FindStringSubmatch(id)
		want(m != nil, "COGNITO_USER_POOL_IDS", "pool ids such as eu-west-1_AbCdEfGhI, comma-separated")
		if m != nil {
			regions[m[1]] = true
		}
	}
	want(len(regions) <= 1, "COGNITO_USER_POOL_IDS", "pools of one region; run the service once for each")
	want(!repeats(c.UserPoolIDs), "COGNITO_USER_POOL_IDS", "each pool once")
	for _, id := range c.ClientIDs {
		want(clientID.MatchString(id), "COGNITO_CLIENT_IDS", "app client ids, comma-separated")
	}
	for id := range c.ClientSecrets {
		want(slices.Contains(c.ClientIDs, id), "COGNITO_CLIENT_SECRETS", "secrets of clients in COGNITO_CLIENT_IDS alone")
	}
	want(isListenAddress(c.Addr), "ADDR", "host:port or :port, such as :8080")
	want(isListenAddress(c.AdminAddr), "ADMIN_ADDR", "host:port or :port, such as :9090")
	if c.Addr == c.AdminAddr && !strings.HasSuffix(c.Addr, ":0") {
		faults = append(faults, errors.New("ADMIN_ADDR wants another address than ADDR: metrics must not be where strangers are"))
	}
	want(isHTTPURL(c.CognitoEndpoint), "COGNITO_ENDPOINT", "an http:// or https:// URL")
	want(c.CognitoEndpoint == "" || !c.UseFIPS, "AWS_USE_FIPS_ENDPOINT", "no COGNITO_ENDPOINT beside it: an endpoint is AWS's or another")
	want(c.CognitoEndpoint == "" || !c.UseDualStack, "AWS_USE_DUALSTACK_ENDPOINT", "no COGNITO_ENDPOINT beside it: an endpoint is AWS's or another")
	want(qr.ShowsIssuer(c.TOTPIssuer), "TOTP_ISSUER", fmt.Sprintf("at most %d characters, without a colon, control characters or double spaces", qr.MaxIssuer))
	want(slices.Contains(accountLabels, c.AccountLabel), "ACCOUNT_LABEL", "one of "+strings.Join(accountLabels, ", "))
	for _, origin := range c.CORSAllowedOrigins {
		want(isOrigin(origin), "CORS_ALLOWED_ORIGINS", "exact origins as browsers send them, such as https://app.example.com or capacitor://localhost: no path, no *, no capitals, no default port")
	}
	for _, n := range c.TrustedProxies {
		ones, _ := n.Mask.Size()
		want(ones > 0, "TRUSTED_PROXIES", "the proxies' own addresses: with /0 anybody's X-Forwarded-For is believed, and no limit for an address holds")
	}
	for _, key := range c.SealKeys {
		raw, err := base64.StdEncoding.DecodeString(key.Reveal())
		want(err == nil && len(raw) == 32, "SEAL_KEYS", "base64 of 32 bytes each (openssl rand -base64 32), comma-separated")
	}
	if c.RedisURL != "" {
		if err := redislink.Valid(c.RedisURL); err != nil {
			faults = append(faults, fmt.Errorf("REDIS_URL: %w", err))
		}
	}
	if c.RedisURL != "" && len(c.SealKeys) == 0 {
		faults = append(faults, errors.New("SEAL_KEYS is required with REDIS_URL: replicas must be able to open each other's entries"))
	}
	want(isEventsURL(c.EventsURL.Reveal()), "EVENTS_URL", "an https:// URL; http:// to 127.0.0.1, [::1] or localhost alone")
	for _, s := range c.EventsSecrets {
		_, err := events.ParseSecret(s)
		want(err == nil, "EVENTS_SECRETS", "whsec_ and base64 of 24 to 64 bytes each (echo whsec_$(openssl rand -base64 32)), comma-separated")
	}
	if (c.EventsURL == "") != (len(c.EventsSecrets) == 0) {
		faults = append(faults, errors.New("EVENTS_URL and EVENTS_SECRETS go together: set both or neither"))
	}
	want(c.PendingTTL >= 0 && c.PendingTTL <= 24*time.Hour, "PENDING_TTL", "0 to 24h")
	want(c.AuthSessionValidity >= 3*time.Minute && c.AuthSessionValidity <= 15*time.Minute, "AUTH_SESSION_VALIDITY", "3m to 15m, as Cognito allows")
	want(c.CognitoWriteRPS >= 1 && c.CognitoWriteRPS <= 10_000, "COGNITO_WRITE_RPS", "1 to 10000 calls a second")
	want(c.ShutdownDelay >= 0 && c.ShutdownDelay <= 10*time.Minute, "SHUTDOWN_DELAY", "0 to 10m")
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		faults = append(faults, errors.New("TLS_CERT_FILE and TLS_KEY_FILE go together: set both or neither"))
	} else if c.TLSCertFile != "" {
		if _, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile); err != nil {
			faults = append(faults, errors.New("TLS_CERT_FILE and TLS_KEY_FILE want a certificate and its private key, both in PEM and readable"))
		}
	}
	want(c.MaxConnections >= 1, "MAX_CONNECTIONS", "1 or more")
	want(isHTTPURL(c.TraceEndpoint), "OTEL_EXPORTER_OTLP_ENDPOINT", "an http:// or https:// URL")
	want(c.StepUpMaxAge >= 0 && c.StepUpMaxAge <= 24*time.Hour, "STEP_UP_MAX_AGE", "0 to 24h")
	return faults
}

// isListenAddress accepts what net.Listen does: a port can have a name.
func isListenAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	_, err = net.LookupPort("tcp", port) //nolint:noctx // It asks a table on this machine.
	return err == nil && port != ""
}

func isHTTPURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// isEventsURL reports whether events can go to a URL: nobody on the way may read
// them.
func isEventsURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Hostname() != "" && u.Fragment == "" && isHTTPURL(s) && !isPlainFar(s)
}

// isOrigin reports whether a browser, or the web view of an app, can send an origin
// (RFC 6454 §6.2): capacitor://localhost and chrome-extension://… as well as
// https://app.example.com. An origin that none sends would start and never match.
func isOrigin(s string) bool {
	if !origin.MatchString(s) || neverSent.MatchString(s) {
		return false
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	if _, err := strconv.ParseUint(cmp.Or(u.Port(), "0"), 10, 16); err != nil {
		return false
	}
	host := u.Hostname()
	if !isHTTPURL(s) || !strings.Contains(host, ":") && !endsInNumber.MatchString(host) {
		return true
	}
	// A browser writes an address in one way (URL Standard, "host serializing").
	address, err := netip.ParseAddr(host)
	return err == nil && address.String() == host
}
