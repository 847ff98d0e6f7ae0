package app

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"mfa-enrollment/internal/enroll"
)

// enough is the least that a configuration needs.
func enough(change map[string]string) func(string) string {
	env := map[string]string{
		"COGNITO_USER_POOL_IDS": "eu-west-1_AbCdEfGhI", "COGNITO_CLIENT_IDS": "client1", "TOTP_ISSUER": "Example",
	}
	for name, value := range change {
		env[name] = value
	}
	return func(name string) string { return env[name] }
}

func TestDefaultsAreThoseOfTheDesign(t *testing.T) {
	t.Parallel()
	c, err := LoadConfig(enough(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != ":8080" || c.AdminAddr != ":9090" || c.AccountLabel != "email" || c.PendingTTL != 15*time.Minute ||
		c.AuthSessionValidity != 3*time.Minute || c.CognitoWriteRPS != 25 || c.StepUpMaxAge != 15*time.Minute {
		t.Errorf("%+v", c)
	}
	if c.region() != "eu-west-1" {
		t.Errorf("the region is %q", c.region())
	}
}

func TestListsAllowSpacesAndSecretsAreParsed(t *testing.T) {
	t.Parallel()
	c, err := LoadConfig(enough(map[string]string{
		"COGNITO_CLIENT_IDS":     "client1, client2",
		"COGNITO_CLIENT_SECRETS": "client1=s1==, client2=s=2",
		"CORS_ALLOWED_ORIGINS":   "https://a.example, http://localhost:3000",
		"TRUSTED_PROXIES":        "10.0.0.0/8, 192.0.2.7, 2001:db8::/32",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.ClientIDs, []string{"client1", "client2"}) || c.ClientSecrets["client1"].Reveal() != "s1==" || c.ClientSecrets["client2"].Reveal() != "s=2" {
		t.Errorf("%v", c.ClientIDs)
	}
	var networks []string
	for _, n := range c.networks() {
		networks = append(networks, n.String())
	}
	if !slices.Equal(networks, []string{"10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"}) {
		t.Errorf("%v", networks)
	}
	if strings.Contains(fmt.Sprintf("%+v", c), "s1==") {
		t.Error("a printed configuration shows a secret")
	}
}

func TestPoliciesAreRead(t *testing.T) {
	day := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]MFAPolicy{
		"":                         nil,
		"offer":                    {{Next: enroll.NextOffer}},
		" require  for a ,b ":      {{Next: enroll.NextRequire, Groups: []string{"a", "b"}}},
		"offer; require for from":  {{Next: enroll.NextOffer}, {Next: enroll.NextRequire, Groups: []string{"from"}}},
		"require from 2027-03-01":  {{Next: enroll.NextRequire, From: day}},
		"offer for für:alle,#1(x)": {{Next: enroll.NextOffer, Groups: []string{"für:alle", "#1(x)"}}},
		"require from 2027-03-01T09:00:00+09:00 for a": {{Next: enroll.NextRequire, From: day, Groups: []string{"a"}}},
	} {
		c, err := LoadConfig(enough(map[string]string{"MFA_POLICY": value}))
		for i := range c.MFAPolicy {
			c.MFAPolicy[i].From = c.MFAPolicy[i].From.UTC()
		}
		if err != nil || !reflect.DeepEqual(c.MFAPolicy, want) {
			t.Errorf("%q: %v, %v, want %v", value, c.MFAPolicy, err, want)
		}
	}
}

func TestOriginsOfAppsAndExtensionsAreTaken(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{
		"https://app.example.com", "http://localhost:3000", "https://app.example.com:8443", "http://127.0.0.1:8080", "http://[::1]:8080", "http://app.example.com:443",
		"capacitor://localhost", "ionic://localhost", "tauri://localhost", "app://com.example.enroll", "https://tauri.localhost",
		"chrome-extension://abcdefghijklmnopabcdefghijklmnop", "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
	} {
		if _, err := LoadConfig(enough(map[string]string{"CORS_ALLOWED_ORIGINS": origin})); err != nil {
			t.Errorf("%s: %v", origin, err)
		}
	}
}

func TestFaultsAreNamedWithWhatIsWanted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ name, value, want string }{
		"a pool id that is none":          {"COGNITO_USER_POOL_IDS", "nonsense", "pool ids such as"},
		"pools of two regions":            {"COGNITO_USER_POOL_IDS", "eu-west-1_A,us-east-1_B", "one region"},
		"no pool":                         {"COGNITO_USER_POOL_IDS", "", "is required"},
		"no client":                       {"COGNITO_CLIENT_IDS", "", "is required"},
		"no issuer":                       {"TOTP_ISSUER", "", "is required"},
		"an issuer with a colon":          {"TOTP_ISSUER", "a:b", "without a colon"},
		"an issuer of 65 characters":      {"TOTP_ISSUER", strings.Repeat("x", 65), "at most 64"},
		"a secret without id":             {"COGNITO_CLIENT_SECRETS", "justasecret", "id=secret"},
		"a secret for an unknown client":  {"COGNITO_CLIENT_SECRETS", "other=x", "COGNITO_CLIENT_IDS"},
		"an endpoint that is no URL":      {"COGNITO_ENDPOINT", "localhost", "http://"},
		"a region without a number":       {"COGNITO_USER_POOL_IDS", "eu-west_A", "pool ids such as"},
		"a FIPS switch that is none":      {"AWS_USE_FIPS_ENDPOINT", "perhaps", "AWS_USE_FIPS_ENDPOINT"},
		"a label that is none":            {"ACCOUNT_LABEL", "shoe_size", "one of email"},
		"any origin":                      {"CORS_ALLOWED_ORIGINS", "*", "exact origins"},
		"an origin with a wildcard":       {"CORS_ALLOWED_ORIGINS", "https://*.example.com", "exact origins"},
		"an origin with a path":           {"CORS_ALLOWED_ORIGINS", "https://a.example/", "exact origins"},
		"an origin in capitals":           {"CORS_ALLOWED_ORIGINS", "https://App.example.com", "no capitals"},
		"an origin with the default port": {"CORS_ALLOWED_ORIGINS", "https://app.example.com:443", "no default port"},
		"an origin with http's port":      {"CORS_ALLOWED_ORIGINS", "http://app.example.com:80", "no default port"},
		"an origin with an empty port":    {"CORS_ALLOWED_ORIGINS", "https://app.example.com:", "exact origins"},
		"an origin of another alphabet":   {"CORS_ALLOWED_ORIGINS", "https://bücher.example", "exact origins"},
		"an origin of files":              {"CORS_ALLOWED_ORIGINS", "file://localhost", "exact origins"},
		"an origin with a user":           {"CORS_ALLOWED_ORIGINS", "https://ada@app.example.com", "exact origins"},
		"an origin with a port too high":  {"CORS_ALLOWED_ORIGINS", "https://app.example.com:70000", "exact origins"},
		"an address cut short":            {"CORS_ALLOWED_ORIGINS", "https://127.1", "exact origins"},
		"an address as one number":        {"CORS_ALLOWED_ORIGINS", "http://2130706433", "exact origins"},
		"an address in hexadecimal":       {"CORS_ALLOWED_ORIGINS", "http://0x7f.0.0.1", "exact origins"},
		"an address that is none":         {"CORS_ALLOWED_ORIGINS", "https://[:::]", "exact origins"},
		"an address written out":          {"CORS_ALLOWED_ORIGINS", "https://[0:0:0:0:0:0:0:1]", "exact origins"},
		"no origin, null":                 {"CORS_ALLOWED_ORIGINS", "null", "exact origins"},
		"a proxy that is no address":      {"TRUSTED_PROXIES", "proxy.local", "CIDR"},
		"a seal key of 31 bytes":          {"SEAL_KEYS", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "32 bytes"},
		"Redis without seal keys":         {"REDIS_URL", "redis://127.0.0.1", "SEAL_KEYS is required"},
		"a duration without a unit":       {"PENDING_TTL", "900", "PENDING_TTL"},
		"a negative duration":             {"PENDING_TTL", "-1s", "0 to 24h"},
		"sessions longer than Cognito's":  {"AUTH_SESSION_VALIDITY", "1h", "3m to 15m"},
		"a quota of nothing":              {"COGNITO_WRITE_RPS", "0", "1 to 10000"},
		"a quota that is no number":       {"COGNITO_WRITE_RPS", "many", "COGNITO_WRITE_RPS"},
		"a receiver without TLS":          {"EVENTS_URL", "http://events.example.com/", "an https:// URL"},
		"a receiver that only looks near": {"EVENTS_URL", "http://127.0.0.1.example.com/", "an https:// URL"},
		"a receiver that is no URL":       {"EVENTS_URL", "events.example.com", "an https:// URL"},
		"a receiver without secrets":      {"EVENTS_URL", "https://events.example.com/hook-4711", "go together"},
		"secrets without a receiver":      {"EVENTS_SECRETS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "go together"},
		"a secret of another kind":        {"EVENTS_SECRETS", "c2VjcmV0LW9mLTMyLWJ5dGVzLWluLWJhc2U2NC0xMjM=", "whsec_"},
		"a secret that is too short":      {"EVENTS_SECRETS", "whsec_c2hvcnQ=", "24 to 64 bytes"},
		"a policy of another kind":        {"MFA_POLICY", "refuse", "offer; require for admins"},
		"a policy with an empty rule":     {"MFA_POLICY", "offer;", "offer; require for admins"},
		"a policy of a month":             {"MFA_POLICY", "require from 2028-12", "require from 2027-03-01"},
		"a policy of a day that is none":  {"MFA_POLICY", "require from 2027-02-29", "require from 2027-03-01"},
		"a policy without its date":       {"MFA_POLICY", "require from for staff", "require from 2027-03-01"},
		"a policy without its groups":     {"MFA_POLICY", "offer for", "for staff, support"},
		"a policy with an empty group":    {"MFA_POLICY", "require for staff,", "for staff, support"},
		"a policy without its comma":      {"MFA_POLICY", "require for staff support", "for staff, support"},
		"a policy in the wrong order":     {"MFA_POLICY", "require for staff from 2027-03-01", "for staff, support"},
		"a policy with more words":        {"MFA_POLICY", "offer everybody", "offer; require for admins"},
		"a level that is none":            {"LOG_LEVEL", "LOUD", "LOG_LEVEL"},
		"a file that is not there":        {"TOTP_ISSUER_FILE", "/nonexistent/file", "cannot be read"},
		"a variable and its file at once": {"ADDR_FILE", "/nonexistent/file", "ADDR"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			change := map[string]string{test.name: test.value}
			switch test.name {
			case "ADDR_FILE":
				change["ADDR"] = ":1"
			case "TOTP_ISSUER_FILE":
				change["TOTP_ISSUER"] = ""
			}
			_, err := LoadConfig(enough(change))
			if err == nil {
				t.Fatal("taken")
			}
			variable := strings.TrimSuffix(test.name, "_FILE")
			if !strings.Contains(err.Error(), variable) && !strings.Contains(test.want, "SEAL_KEYS") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the fault reads: %v", err)
			}
			if test.value != "" && len(test.value) > 8 && strings.Contains(err.Error(), test.value) {
				t.Errorf("the fault repeats the value: %v", err)
			}
		})
	}
}

func TestAnyVariableCanComeFromAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(path, []byte("client1=from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(enough(map[string]string{"COGNITO_CLIENT_SECRETS_FILE": path}))
	if err != nil {
		t.Fatal(err)
	}
	if c.ClientSecrets["client1"].Reveal() != "from-a-file" {
		t.Error("the file was not read")
	}
}

// The table in the README is the struct's, line for line; -update writes it.
func TestTheREADMEListsTheConfiguration(t *testing.T) {
	t.Parallel()
	const path, head = "../README.md", "| variable | default | meaning |\n|---|---|---|\n"
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table := head
	for _, v := range variables() {
		standard := "`" + v.Default + "`"
		switch {
		case v.Required:
			standard = "required"
		case v.Default == "":
			standard = ""
		}
		table += fmt.Sprintf("| `%s` | %s | %s |\n", v.Name, standard, v.Doc)
	}
	before, rest, found := strings.Cut(string(readme), head)
	_, after, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatal("README.md has no table of the configuration")
	}
	want := before + table + "\n" + after
	if string(readme) == want {
		return
	}
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("README.md does not list the configuration as it is; go test ./app -run README -update mends it:\n%s", table)
}
