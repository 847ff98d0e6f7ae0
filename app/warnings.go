package app

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"mfa-enrollment/cognito"
)

// cognitosQuota is the quota of the UserResourceUpdate category in calls a second
// where AWS did not raise it (Cognito's developer guide, "Quotas").
const cognitosQuota = 25

// misspelled names what is near the service's own variables in the whole
// environment (NAME=value).
func misspelled(environ []string) (warnings []string) {
	for _, setting := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(setting, "=")
		if variable := intended(name); variable != "" && value != "" {
			warnings = append(warnings, name+": nothing reads it; the variable is "+variable)
		}
	}
	return warnings
}

// warnings names what the service can run with and was probably not meant, in a
// configuration without faults. It tells no value.
func (c *Config) warnings() (warnings []string) {
	warn := func(is bool, name, what string) {
		if is {
			warnings = append(warnings, name+": "+what)
		}
	}
	warn(!cognito.KnownRegion(c.region()), "COGNITO_USER_POOL_IDS", "the region is none that this release knows")
	warn(isPlainFar(c.CognitoEndpoint), "COGNITO_ENDPOINT", "http:// to another machine sends tokens and secrets in clear")
	warn(c.CognitoWriteRPS > cognitosQuota && !c.QuotaRaised, "COGNITO_WRITE_RPS",
		fmt.Sprintf("more than the %d calls a second that every account has; if AWS raised the quota of yours, set COGNITO_QUOTA_RAISED=true", cognitosQuota))
	for _, n := range c.TrustedProxies {
		ones, bits := n.Mask.Size()
		warn(ones < bits/16 || bits == 32 && ones < 8, "TRUSTED_PROXIES", "a range this large holds addresses of other people's")
	}
	warn(strings.Contains(c.RedisURL.Reveal(), "skip_verify=true"), "REDIS_URL", "skip_verify=true lets anybody between here and Redis read and change everything")
	for _, list := range []struct {
		name    string
		entries []string
	}{
		{"COGNITO_CLIENT_IDS", c.ClientIDs},
		{"CORS_ALLOWED_ORIGINS", c.CORSAllowedOrigins}, {"TRUSTED_PROXIES", textOf(c.TrustedProxies)},
	} {
		warn(repeats(list.entries), list.name, "an entry is there twice")
	}
	warn(repeats(c.SealKeys), "SEAL_KEYS", "a key is there twice, so this is no rotation")
	return warnings
}

// isPlainFar tells whether an endpoint is reached in clear, and not on this machine.
func isPlainFar(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}

func textOf(networks []Network) (texts []string) {
	for _, n := range networks {
		texts = append(texts, n.String())
	}
	return texts
}

func repeats[S ~string](entries []S) bool {
	sorted := slices.Sorted(slices.Values(entries))
	return len(slices.Compact(sorted)) < len(entries)
}
